"""Following a chain: the next blocks and logs of our contracts, with everything that must fit checked.

    follower = ChainFollower(chain, addresses, first_block)
    change = follower.next(held)          # Stretch, Retreat or None

The node is a witness that may lie or be late. Before anyone sees them, headers must follow each other by
number and parent hash, and each log must name the hash of its block, stand in order and be of our contracts.
What contradicts itself among blocks that are not final may have been read while the chain was changing, and
is asked again; among final ones it is an integrity error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.chain.reorganisation import Accepted, Finalized, Reorged, compare
from ledger.chain.rpc import RPCError
from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.service.following import Mark, Retreat, Stretch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.service.ports import BlockHeader, Chain, RawLog

_BLOCKS_MAX: Final = 2_000
_LOGS_AIM: Final = 20_000
"""A stretch with more logs than this makes the next one shorter, so that memory stays bounded."""
_NUMBER_MAX: Final = 2**53 - 1
_NO_PARENT: Final = Mark(-1, bytes(32))


class ChainFollower:
    """Implements `ledger.service.following.Follower` over any chain. One caller at a time.

    Args:
        chain: Where blocks come from.
        addresses: The contracts whose logs are wanted.
        first_block: The first block that can hold one.
    """

    def __init__(self, chain: Chain, addresses: Sequence[bytes], first_block: int) -> None:
        self._chain = chain
        self._addresses = tuple(addresses)
        self._wanted = frozenset(addresses)
        self._first_block = first_block
        self._blocks = _BLOCKS_MAX

    def next(self, held: Sequence[Mark], until: int | None = None) -> Stretch | Retreat | None:
        """Return what comes after ``held``. See `ledger.service.following.Follower`.

        Raises:
            UnavailableError: The node did not answer, or its answers are of different moments; try again.
            IntegrityError: The chain contradicts a final block, or the node's answers contradict each other.
        """
        final = self._chain.final_block().number
        head = self._chain.head_block().number
        if held:
            shown = self._chain.headers(held[0].number, min(held[-1].number, head))
            match compare(held, shown):
                case Finalized(mark, found):
                    raise IntegrityError(
                        "chain", "a final block was replaced", block=mark.number, held=mark.hash, shown=found
                    )
                case Reorged(to):
                    return Retreat(to)
                case Accepted():
                    parent = held[-1]
        else:
            parent = self._start()
        last = head if until is None else min(head, until)
        if parent.number >= last:
            return None
        return self._stretch(parent, last, final)

    def _start(self) -> Mark:
        if self._first_block == 0:
            return _NO_PARENT
        found = self._chain.headers(self._first_block - 1, self._first_block - 1)
        if not found:
            raise UnavailableError("chain node", "it lacks the block before the first", block=self._first_block - 1)
        return Mark(found[0].number, found[0].hash)

    def _stretch(self, parent: Mark, head: int, final: int) -> Stretch:
        first = parent.number + 1
        last = min(parent.number + self._blocks, head)
        headers = self._chain.headers(first, last)
        if not headers:
            raise UnavailableError("chain node", "it lacks a block below its newest", block=first)
        check_headers(parent, headers, final)
        last = headers[-1].number
        try:
            logs = self._chain.logs(first, last, self._addresses)
        except (RPCError, UnavailableError) as error:
            # Nodes refuse ranges with too many logs, each in words of its own; a single block cannot be cut.
            too_much = isinstance(error, RPCError) or "size_bytes" in error.fields
            if len(headers) == 1 or not too_much:
                raise
            self._blocks = max(1, min(self._blocks, len(headers)) // 2)
            return self._stretch(parent, head, final)
        check_logs(headers, logs, self._wanted, final)
        if len(logs) > _LOGS_AIM:
            self._blocks = max(1, self._blocks // 2)
        elif len(logs) < _LOGS_AIM // 4:
            self._blocks = min(_BLOCKS_MAX, self._blocks * 2)
        return Stretch(parent, tuple(headers), tuple(logs), final)


def check_headers(parent: Mark, headers: Sequence[BlockHeader], final: int) -> None:
    """Check that headers follow ``parent`` and each other, without a gap and without going back in time.

    Raises:
        UnavailableError: They do not, and the place is not final: the chain changed meanwhile.
        IntegrityError: They do not, and it is.
    """
    time = 0
    for header in headers:
        if header.number != parent.number + 1 or header.number > _NUMBER_MAX:
            raise _contradiction("a header of another number", header.number, final, due=parent.number + 1)
        # The genesis block's parent is nobody's to check; its own hash is compared with the deployment's.
        if header.parent_hash != parent.hash:
            raise _contradiction("a header does not follow its parent", header.number, final, parent=parent.hash)
        if not time <= header.timestamp <= _NUMBER_MAX:
            raise _contradiction("a block's time goes back", header.number, final, time=header.timestamp)
        parent, time = Mark(header.number, header.hash), header.timestamp


def check_logs(headers: Sequence[BlockHeader], logs: Sequence[RawLog], wanted: frozenset[bytes], final: int) -> None:
    """Check that logs are of these blocks by hash, of the wanted contracts, and in the order of the chain.

    Raises:
        UnavailableError: They are not, and the place is not final: the chain changed meanwhile.
        IntegrityError: They are not, and it is.
    """
    first = headers[0].number
    hashes = [header.hash for header in headers]
    block, index, place, transaction = -1, -1, -1, b""
    for log in logs:
        offset = log.block_number - first
        if not 0 <= offset < len(hashes):
            raise _contradiction("a log of a block that was not asked for", log.block_number, final)
        if log.block_hash != hashes[offset]:
            raise _contradiction("a log of another block of this number", log.block_number, final, log=log.log_index)
        if log.address not in wanted:
            raise _contradiction("a log of another contract", log.block_number, final, contract=log.address)
        if log.block_number == block:
            ordered = log.log_index > index and log.tx_index >= place
            ordered = ordered and (log.tx_index == place) == (log.tx_hash == transaction)
        else:
            ordered = log.block_number > block and 0 <= log.log_index <= _NUMBER_MAX
        if not ordered:
            raise _contradiction("logs out of order", log.block_number, final, log=log.log_index)
        block, index, place, transaction = log.block_number, log.log_index, log.tx_index, log.tx_hash


def _contradiction(reason: str, block: int, final: int, **fields: object) -> UnavailableError | IntegrityError:
    if block > final:
        return UnavailableError("chain node", f"{reason}: the chain changed while it was read", block=block, **fields)
    return IntegrityError("chain", reason, block=block, **fields)
