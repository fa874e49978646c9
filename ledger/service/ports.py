"""The ports: what the use-cases need of the world, named for the caller's need.

Adapters in ``ledger.chain``, ``ledger.store``, ``ledger.signing`` and ``ledger.log.storage`` implement
them; only ``ledger.bootstrap`` knows which. Records that cross a port are defined here or in
``ledger.domain``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ledger.log.encoded import EncodedEntries


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block by number, hash and Unix time in seconds."""

    number: int
    hash: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class RawLog:
    """One EVM log with its place; nothing decoded."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: bytes
    tx_hash: bytes
    tx_index: int
    log_index: int


@dataclass(frozen=True, slots=True)
class ChainReceipt:
    """What became of one transaction: status 1 done, 0 reverted (``revert`` holds the return data)."""

    tx_hash: bytes
    block_number: int
    block_hash: bytes
    tx_index: int
    status: int
    gas_used: int
    logs: tuple[RawLog, ...]
    revert: bytes


@dataclass(frozen=True, slots=True)
class BlockHeader:
    """What a follower needs of a header: its place, its parent and its time."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a transaction would do at the tip: its gas, or the return data of its revert."""

    gas: int
    revert: bytes | None


@dataclass(frozen=True, slots=True)
class Seal:
    """A validator's signature over one header."""

    signer: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class BlockBundle:
    """All that evidence needs of one block, as stored bytes."""

    ref: BlockRef
    header_rlp: bytes
    transactions: tuple[bytes, ...]
    receipts: tuple[bytes, ...]
    seals: tuple[Seal, ...]


@dataclass(frozen=True, slots=True)
class StateProof:
    """``eth_getProof`` at ``block``: trie nodes for the account, and for each slot its value and nodes."""

    block: BlockRef
    address: bytes
    account_nodes: tuple[bytes, ...]
    slots: tuple[tuple[bytes, int, tuple[bytes, ...]], ...]


class Chain(Protocol):
    """A chain that orders signed transactions. Embedded engine and JSON-RPC adapter pass one suite."""

    def chain_id(self) -> int: ...
    def submit(self, raw_transaction: bytes) -> bytes:
        """Return the transaction's hash once it is durable in the chain's queue.

        A transaction that the chain already has is answered with its hash again.

        Raises:
            UnavailableError: the node did not answer; try again.
            LedgerError: any other error means that the node will never take these bytes.
        """
        ...

    def simulate(self, sender: bytes, to: bytes, data: bytes) -> Simulation:
        """Try a call as ``sender`` on the tip's state, without sending it."""
        ...

    def code(self, address: bytes) -> bytes:
        """Return the runtime code at an address, empty where there is none."""
        ...

    def head_block(self) -> BlockRef:
        """Return the newest block, final or not."""
        ...

    def headers(self, first: int, last: int) -> list[BlockHeader]:
        """Return the headers of a range, both ends included, in order."""
        ...

    def receipt(self, tx_hash: bytes) -> ChainReceipt | None: ...
    def wait_receipt(self, tx_hash: bytes, timeout_s: float) -> ChainReceipt: ...
    def final_block(self) -> BlockRef: ...
    def block(self, number: int) -> BlockBundle: ...
    def logs(self, first: int, last: int, addresses: Sequence[bytes]) -> list[RawLog]: ...
    def proofs(self, wanted: Mapping[bytes, Sequence[bytes]]) -> list[StateProof]:
        """Prove slots of several accounts under ONE final block (no block is mined in between)."""
        ...

    def call(self, to: bytes, data: bytes) -> bytes: ...
    def nonce(self, address: bytes) -> int: ...
    def close(self) -> None: ...


class EventLog(Protocol):
    """The append-only Merkle log of leaves. ``append`` returns only when the entries are on disk."""

    def append(self, entries: Sequence[bytes], hashes: Sequence[bytes] | None = None) -> int: ...
    def append_encoded(self, entries: Sequence[EncodedEntries]) -> int: ...
    def size(self) -> int: ...
    def root(self, size: int) -> bytes: ...
    def leaf(self, index: int) -> bytes: ...
    def leaves(self, first: int, last: int) -> Iterator[bytes]: ...
    def inclusion_proof(self, index: int, size: int) -> list[bytes]: ...
    def inclusion_proofs(self, indices: Sequence[int], size: int) -> dict[int, list[bytes]]: ...
    def consistency_proof(self, old: int, new: int) -> list[bytes]: ...
    def publish_checkpoint(self) -> bytes: ...
    def checkpoint(self) -> bytes: ...
    def recover(self) -> None:
        """Go on after a failed write, with what was acknowledged."""
        ...

    def close(self) -> None: ...


class PublishedLog(Protocol):
    """Where the log's public files are published: its own folder, or a store that they are shipped to."""

    @property
    def address(self) -> str:
        """The store's address, empty for the log's own folder."""
        ...

    def ship(self) -> int:
        """Bring the store to the newest checkpoint, and return the size that readers find there."""
        ...

    def move(self, to: str, endpoint: str, told: Callable[[str, int, int], None]) -> int:
        """Publish at another address from now on, and return the size that is there."""
        ...


@dataclass(frozen=True, slots=True)
class VaultDocument:
    """A private document: its commitment root, kind, visibility tier and salted groups.

    ``groups`` maps a group's name to its salt (base64) and value; ``extra`` holds what no commitment
    covers (batch signatures, receipts) as JSON values.
    """

    commitment: bytes
    kind: str
    tier: str
    groups: Mapping[str, tuple[str, object]]
    extra: Mapping[str, object]


class Vault(Protocol):
    """Content-addressed private documents, durable before ``put`` returns."""

    def put(self, documents: Sequence[VaultDocument]) -> None: ...
    def get(self, commitment: bytes) -> VaultDocument: ...
    def find(self, commitment: bytes) -> VaultDocument | None: ...
    def find_many(self, commitments: Sequence[bytes]) -> Mapping[bytes, VaultDocument]: ...
    def iterate(self, kind: str) -> Iterable[VaultDocument]: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A write that is durable in the outbox: its caller's key and the digest of its content."""

    key: str
    tx_hash: bytes
    first: bool


class Outbox(Protocol):
    """Contract writes: durable before sent, idempotent on the caller's key, nonce and fee handled inside."""

    def send(self, key: str, to: bytes, data: bytes, *, sender: str = "relayer") -> Sent:
        """Store and relay a call. The same key with other content raises ConflictError naming both digests."""
        ...

    def is_known(self, key: str) -> bool:
        """Say whether something was sent under this key."""
        ...

    def key_of_transaction(self, tx_hash: bytes) -> str | None:
        """Return the key of the write that a transaction was sent for, None for one that is not ours."""
        ...

    def preflight(self, to: bytes, data: bytes, *, sender: str = "relayer") -> None:
        """Try a call without sending it; raise RefusedError with the contract's named error."""
        ...

    def pump(self) -> int:
        """Settle what is final, send again what the chain lost; return how many writes are still pending."""
        ...

    def pending(self) -> list[str]:
        """Return the keys of writes that are not final, in the order of their nonces."""
        ...

    def wait(self, key: str, timeout_s: float = 30.0) -> ChainReceipt:
        """Return the receipt of a done write; raise RefusedError with the contract's named error."""
        ...


class Signer(Protocol):
    """Holds one secp256k1 key and signs 32-byte digests (65-byte r‖s‖v, v in 27/28)."""

    @property
    def address(self) -> bytes: ...
    def sign_digest(self, digest: bytes) -> bytes: ...


class Keyring(Protocol):
    """Named encrypted keys."""

    def create(self, name: str, check: Callable[[Signer], None] | None = None) -> Signer: ...
    def signer(self, name: str) -> Signer: ...
    def names(self) -> list[str]: ...
    def address(self, name: str) -> bytes: ...


class Clock(Protocol):
    """Wall time in milliseconds since the Unix epoch."""

    def now_ms(self) -> int: ...
