"""The blocks of an evidence file: headers under their seals, and what their tries hold.

A block's number is its name in the file. A transaction or receipt is read out of the block's trie under the root in
the header; whether the header is the chain's is what the seals say, so `check_seals` must pass before anything counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ledger.domain import rlp
from ledger.domain.block import Header, decode_header, decode_receipt
from ledger.domain.errors import VerificationError
from ledger.domain.event_decoding import decode_log
from ledger.domain.event_log import Recorded
from ledger.domain.seal import seal_digest
from ledger.evidence.file import unhex
from ledger.evidence.kept import keep, keep_of
from ledger.evidence.signature import recover
from ledger.evidence.trie import TrieProof

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.domain.block import Receipt
    from ledger.domain.event_log import Event
    from ledger.evidence.file import Block
    from ledger.evidence.trust_root import TrustRoot

STEP: Final = 5

header_of: Final = keep(decode_header)
"""The header that bytes are. Raises ValueError."""

receipt_of: Final = keep(decode_receipt)
"""The receipt that bytes are. Raises ValueError."""

_event_of: Final = keep_of(decode_log)
_TOPICS_MAX: Final = 4
"""No log of a chain has more; in a hostile file one may, which is not kept."""

Place = tuple[int, int, int]
"""Block number, transaction's index in the block, log's index in its receipt."""


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event at its place, with the log's bytes as the contract emitted them."""

    place: Place
    recorded: Recorded[Event]
    topics: tuple[bytes, ...]
    data: bytes


class _Tries:
    """One block's header and its two tries."""

    def __init__(self, block: Block, header: Header) -> None:
        self.header = header
        self.block = block
        self._transactions = TrieProof(
            header.transactions_root, _nodes(block.transactions), f"transactions of block {header.number}"
        )
        self._receipts = TrieProof(header.receipts_root, _nodes(block.receipts), f"receipts of block {header.number}")
        self._read: dict[int, Receipt] = {}

    def transaction(self, index: int) -> bytes:
        return _present(self._transactions.get(rlp.encode_int(index)), self.header, index)

    def receipt(self, index: int) -> Receipt:
        known = self._read.get(index)
        if known is None:
            raw = _present(self._receipts.get(rlp.encode_int(index)), self.header, index)
            try:
                known = self._read[index] = receipt_of(raw)
            except ValueError as error:
                raise VerificationError(STEP, f"block {self.header.number}, receipt {index}: {error}") from error
        return known

    def check_used(self, indices: Sequence[int]) -> None:
        for index in indices:
            self.transaction(index)
            self.receipt(index)
        keys = [rlp.encode_int(index) for index in indices]
        self._transactions.check_used(keys)
        self._receipts.check_used(keys)


class Blocks:
    """The file's blocks by number."""

    def __init__(self, blocks: Sequence[Block], root: TrustRoot) -> None:
        """Read the headers; what is wrong with one is said by `check_seals`, which nothing counts without."""
        self._root = root
        self._by_number: dict[int, _Tries] = {}
        self._fault: VerificationError | None = None
        last: Header | None = None
        for block in blocks:
            try:
                header = _read_header(block, last)
                self._by_number[header.number] = _Tries(block, header)
            except VerificationError as error:
                self._fault = self._fault or error
            else:
                last = header

    def header(self, number: int) -> Header:
        """Return a block's header.

        Raises:
            VerificationError: The file lacks the block.
        """
        return self._tries(number).header

    def transaction(self, number: int, index: int) -> bytes:
        """Return a raw transaction, proved under the block's transactions root.

        Raises:
            VerificationError: It is not proved to be there.
        """
        return self._tries(number).transaction(index)

    def event(self, place: Place) -> PlacedEvent:
        """Return the event at a place, proved under the block's receipts root.

        Raises:
            VerificationError: It is not proved, or is no event that our contracts emit.
        """
        number, index, log_index = place
        tries = self._tries(number)
        logs = tries.receipt(index).logs
        if log_index >= len(logs):
            raise VerificationError(STEP, f"block {number}, receipt {index} has no log {log_index}")
        address, topics, data = logs[log_index]
        event = _event_of(topics, data) if len(topics) <= _TOPICS_MAX else decode_log(topics, data)
        if event is None:
            raise VerificationError(STEP, f"block {number}, receipt {index}, log {log_index} is no event of ours")
        header = tries.header
        recorded = Recorded(
            event=event,
            block=number,
            block_hash=header.hash,
            timestamp=header.timestamp,
            tx_hash=b"",
            tx_index=index,
            # Order within the block by transaction, then by log: receipts before this one are not in the file.
            log_index=(index << 32) + log_index,
            address=address,
        )
        return PlacedEvent(place, recorded, topics, data)

    def check_seals(self) -> int:
        """Return the fewest seals on any block, each of another validator of the trust root, at least its threshold.

        Raises:
            VerificationError: A header is none or does not follow the one before, or a block has too few seals, one
                of somebody else's, or one twice.
        """
        if self._fault is not None:
            raise self._fault
        root = self._root
        genesis = bytes.fromhex(root.genesis_hash)
        validators = {bytes.fromhex(key) for key in root.validators.keys}
        fewest = len(validators)
        for number, tries in self._by_number.items():
            header = tries.header
            digest = seal_digest(root.chain_id, genesis, number=number, block_hash=header.hash)
            signers = [self._sealer(digest, seal, number) for seal in tries.block.seals]
            if any(signer not in validators for signer in signers):
                raise VerificationError(STEP, f"block {number} is sealed by somebody who is no validator")
            if any(first >= second for first, second in pairwise(signers)):
                raise VerificationError(STEP, f"the seals of block {number} are not in the order of their signers")
            if len(signers) < root.validators.threshold:
                raise VerificationError(
                    STEP, f"block {number} has {len(signers)} seals, and {root.validators.threshold} are needed"
                )
            fewest = min(fewest, len(signers))
        return fewest

    def check_used(self, blocks: Iterable[int], events: Iterable[Place]) -> None:
        """Prove every transaction and receipt that is used, and that the file holds nothing else of any block.

        Args:
            blocks: Blocks that are used for their header alone.
            events: Every event used.

        Raises:
            VerificationError: Something is missing or needless.
        """
        used: dict[int, set[int]] = {number: set() for number in blocks}
        for number, index, _ in events:
            used.setdefault(number, set()).add(index)
        if sorted(used) != list(self._by_number):
            odd = sorted(set(used) ^ set(self._by_number))
            raise VerificationError(STEP, f"blocks are missing or needless: {', '.join(map(str, odd[:5]))}")
        for number, indices in used.items():
            self._by_number[number].check_used(sorted(indices))

    @staticmethod
    def _sealer(digest: bytes, seal: str, number: int) -> bytes:
        try:
            return recover(digest, unhex(seal, "a seal"))
        except VerificationError as error:
            raise VerificationError(STEP, f"the seal of block {number}: {error.reason}") from error

    def _tries(self, number: int) -> _Tries:
        tries = self._by_number.get(number)
        if tries is None:
            raise VerificationError(STEP, f"the file lacks block {number}")
        return tries


def _read_header(block: Block, last: Header | None) -> Header:
    """Return a block's header, which must come after the last one's; the next number has it as parent."""
    try:
        header = header_of(unhex(block.header, "a header"))
    except ValueError as error:
        raise VerificationError(STEP, f"a header is none: {error}") from error
    if last is None:
        return header
    if header.number <= last.number:
        raise VerificationError(STEP, f"block {header.number} stands after block {last.number}")
    if header.timestamp < last.timestamp:
        raise VerificationError(STEP, f"block {header.number} is older than block {last.number}")
    if header.number == last.number + 1 and header.parent_hash != last.hash:
        raise VerificationError(STEP, f"block {header.number} does not follow block {last.number}: another parent")
    return header


def _nodes(texts: Sequence[str]) -> list[bytes]:
    return [unhex(text, "a trie node") for text in texts]


def _present(value: bytes | None, header: Header, index: int) -> bytes:
    if value is None:
        raise VerificationError(STEP, f"block {header.number} has no transaction {index}")
    return value
