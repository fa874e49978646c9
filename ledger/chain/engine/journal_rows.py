"""What the rows of the engine's journal say: queued transactions, blocks, receipts and snapshots."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Entry", "JournalledBlock", "Placed", "Snapshot", "StoredReceipt"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A queued transaction, as much of it as the sealer needs."""

    seq: int
    hash: bytes
    raw: bytes
    sender: bytes
    nonce: int
    gas: int


@dataclass(frozen=True, slots=True)
class JournalledBlock:
    """A block's row. ``hash`` and what follows are empty until it is mined."""

    number: int
    timestamp: int
    engine: str
    hash: bytes
    header: bytes
    signer: bytes
    seal: bytes


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a known transaction stands: ``block`` is None while pending; ``refusal`` is set if it was refused."""

    block: int | None
    position: int | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A receipt as it is stored, with its place."""

    tx_hash: bytes
    position: int
    rlp: bytes
    gas_used: int
    first_log: int
    revert: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state dump after block ``number``, and the SHA-256 that its file must have."""

    number: int
    file: str
    sha256: bytes
    engine: str
