"""Opening a monitor: a trust root or a verifier key, the log's place, a chain's node, and a state folder.

Nothing of a home is needed: whoever runs a monitor has no part in the ledger.
"""

from __future__ import annotations

import functools
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ledger.bootstrap.reading import open_fetcher
from ledger.chain.engine.remote import FinalityDepth, FinalizedTag, RemoteChain
from ledger.chain.rpc import RPCError
from ledger.domain.errors import IntegrityError, InvalidInputError, NotFoundError, UnavailableError
from ledger.domain.event_decoding import decode_log
from ledger.domain.events import CheckpointAnchored
from ledger.domain.keccak import keccak256
from ledger.evidence.trust_root import parse_trust_root
from ledger.log.note import Ed25519Verifier
from ledger.monitor.evidence import Anchor
from ledger.monitor.monitor import Monitor
from ledger.monitor.state import MonitorState, Watched, no_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ledger.monitor.monitor import Cadence

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is watched, as it was asked for: a trust root's bytes, or the key (and the anchor) by hand."""

    log: str
    trust_root: bytes = b""
    vkey: str = ""
    chain_url: str = ""
    contract: str = ""
    finality_blocks: int | None = None


class ChainAnchors:
    """The anchors of one contract on any JSON-RPC node, final blocks only."""

    def __init__(self, url: str, contract: bytes, finality_blocks: int | None, code_hash: str = "") -> None:
        finality = FinalizedTag() if finality_blocks is None else FinalityDepth(finality_blocks)
        self._chain = RemoteChain(url, finality=finality)
        self._contract = contract
        self._code_hash = code_hash

    def chain_id(self) -> int:
        """Return the node's chain id, after seeing that the contract's code is the trust root's.

        Raises:
            UnavailableError: The node does not answer.
            IntegrityError: The code is another one.
        """
        found = self._asked(self._chain.chain_id)
        code = self._asked(lambda: self._chain.code(self._contract))
        if self._code_hash and keccak256(code).hex() != self._code_hash:
            raise IntegrityError("chain", "the code at the anchor's address is not the one that the trust root names")
        return found

    def final_block(self) -> int:
        """Return the newest final block's number."""
        return self._asked(self._chain.final_block).number

    def block_hash(self, number: int) -> str:
        """Return a block's hash as hex, empty if the node has no such block."""
        found = self._asked(lambda: self._chain.headers(number, number))
        return found[0].hash.hex() if found else ""

    def anchors(self, first: int, last: int) -> list[Anchor]:
        """Return the anchors of a range of blocks."""
        found = []
        for log in self._asked(lambda: self._chain.logs(first, last, [self._contract])):
            if log.address != self._contract:
                continue
            event = self._asked(functools.partial(decode_log, log.topics, log.data))
            if isinstance(event, CheckpointAnchored):
                found.append(
                    Anchor(
                        block=log.block_number,
                        block_hash=log.block_hash.hex(),
                        chain_id=self._chain.chain_id(),
                        contract=log.address.hex(),
                        log_index=log.log_index,
                        note_hash=event.note_hash.hex(),
                        root=event.root.hex(),
                        size=event.size,
                        tx_hash=log.tx_hash.hex(),
                    )
                )
        return found

    def close(self) -> None:
        """Close the connections."""
        self._chain.close()

    def _asked(self, ask: Callable[[], T]) -> T:
        """Return an answer; a node that answers with nonsense is one that does not answer."""
        try:
            return ask()
        except (RPCError, IntegrityError, NotFoundError, InvalidInputError) as error:
            raise UnavailableError("chain node", error.explain()) from error


def watched_of(subject: Subject) -> tuple[Watched, str]:
    """Return whose log it is and where it is anchored, and the anchor's code hash where the trust root names it.

    Raises:
        InvalidInputError: A part is missing, or contradicts the trust root.
        VerificationError: The trust root does not hold.
    """
    if bool(subject.trust_root) == bool(subject.vkey):
        raise InvalidInputError("--vkey", subject.vkey, "either a trust root or a verifier key")
    if subject.trust_root:
        root = parse_trust_root(subject.trust_root)
        contract = root.contracts["CheckpointAnchor"]
        origin, vkey, chain_id, address = root.log.origin, root.log.vkey, root.chain_id, contract.address
        former = tuple((key.vkey, key.until) for key in root.log.former)
        if subject.contract and _address(subject.contract) != address:
            raise InvalidInputError("--anchor", subject.contract, f"0x{address}, the trust root's, or none")
        if not subject.chain_url:
            return Watched(origin, vkey, former=former), ""
        return Watched(origin, vkey, chain_id, address, former), contract.code_hash
    verifier = Ed25519Verifier.from_vkey(subject.vkey)
    if bool(subject.chain_url) != bool(subject.contract):
        raise InvalidInputError("--anchor", subject.contract, "CheckpointAnchor's address, with --chain-url")
    if not subject.chain_url:
        return Watched(verifier.name, verifier.vkey), ""
    anchors = ChainAnchors(subject.chain_url, bytes.fromhex(_address(subject.contract)), subject.finality_blocks)
    try:
        return Watched(verifier.name, verifier.vkey, anchors.chain_id(), _address(subject.contract)), ""
    finally:
        anchors.close()


@contextmanager
def open_monitor(
    subject: Subject, folder: Path, cadence: Cadence, at_step: Callable[[str], None] = no_step
) -> Iterator[Monitor]:
    """Yield a monitor whose memory is in ``folder``, and close it afterwards.

    Raises:
        InvalidInputError: A part is missing, or the folder is of another log.
        MonitorBusyError: Another process watches with the folder.
        VerificationError: The trust root does not hold.
        UnavailableError: The node's chain id was needed and not to be had.
    """
    watched, code_hash = watched_of(subject)
    with ExitStack() as opened:
        fetcher = opened.enter_context(open_fetcher(subject.log))
        chain = None
        if watched.contract:
            chain = ChainAnchors(subject.chain_url, bytes.fromhex(watched.contract), subject.finality_blocks, code_hash)
            opened.callback(chain.close)
        state = MonitorState.open(folder, watched, at_step)
        opened.callback(state.close)
        yield Monitor(
            watched, state, fetcher, chain,
            source=subject.log, cadence=cadence, now_ms=lambda: time.time_ns() // 1_000_000,
        )  # fmt: skip


def _address(text: str) -> str:
    digits = text.removeprefix("0x").lower()
    if len(digits) != 40 or not set(digits) <= set("0123456789abcdef"):
        raise InvalidInputError("--anchor", text, "an address of 20 bytes in hexadecimal")
    return digits
