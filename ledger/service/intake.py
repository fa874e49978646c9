"""What the ledger holds of each reporter: where its streams go on, and which exchanges and batches it has told.

Streams are in memory; what was told is in an index of keys that grows on disk (`KeyIndex`). All of it follows from log
and events (``load``), so it is no store of its own. A key is 64 bits of a hash: who finds one reads the batch at its
place and compares.

    pairing key   reporter, side, and correlation (else the claim's digest); the two sides differ in the last bit
    batch key     signer and nonce
    sender's key  signer and Idempotency-Key
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from ledger.domain import canonical
from ledger.domain.codes import Side
from ledger.domain.commitment import SALT_BYTES
from ledger.domain.errors import IntegrityError
from ledger.domain.event_v1 import NO_HASH, EventV1, read_line
from ledger.domain.leaf import parse_leaf, stream_id
from ledger.log.tree import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.service.ports import EventLog
    from ledger.service.stored_batches import EventStore, StoredBatch

_CLAIM_KEYS: Final = frozenset({"id", "reporter_seq", "prev_hash"})
_NUMBER: Final = 8


class Sealed(Protocol):
    """What was known when keys were sealed."""

    @property
    def size(self) -> int: ...
    @property
    def mark(self) -> bytes: ...
    @property
    def state(self) -> bytes: ...


class Keys(Protocol):
    """An index of 64-bit keys that outlives the process up to its last seal."""

    def load(self) -> Sealed | None: ...
    def clear(self) -> None: ...
    def find(self, keys: Sequence[int]) -> dict[int, int]: ...
    def add(self, keys: Sequence[int], places: Sequence[int]) -> None: ...
    def is_due(self) -> bool: ...
    def seal(self, size: int, mark: bytes, state: bytes) -> None: ...


@dataclass(slots=True)
class Stream:
    """One reporter's events about one agreement: where the next one goes."""

    reporter: str
    agreement: str
    salt: str
    id: str
    next_seq: int = 0
    last_event: bytes = bytes(32)
    last_leaf: str = NO_HASH


class _StreamState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stream in a seal; the hashes in hex."""

    reporter: str
    agreement: str
    salt: str
    id: str
    next_seq: int
    last_event: str
    last_leaf: str


class _State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The caller's state in a seal of the keys."""

    streams: list[_StreamState]
    last_block: int
    last_block_hash: str
    last_accepted_ms: int


@dataclass(slots=True)
class Intake:
    """Stream heads by (reporter, agreement), and what was told by key."""

    keys: Keys
    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    last_block: int = 0
    last_block_hash: bytes = b""
    last_accepted_ms: int = 0
    size: int = 0

    def load(
        self,
        log: EventLog,
        events: EventStore,
        progress: Callable[[str, int, int], None] = lambda _what, _done, _all: None,
    ) -> None:
        """Take the last seal if it is of this log, and then every batch after it.

        Raises:
            IntegrityError: An event does not follow its stream, or is not what its leaf commits to.
        """
        total = log.size()
        self._restore(log)
        for batch in events.batches(self.size):
            if batch.first != self.size:
                raise IntegrityError("events", "a batch does not follow what was sealed", first=batch.first)
            last = parse_leaf(log.leaf(batch.end - 1))
            stream = self.streams.get((batch.head.reporter, batch.head.agreement))
            if stream is None:
                stream = Stream(batch.head.reporter, batch.head.agreement, batch.head.stream_salt, batch.head.stream)
            events_in = [read_line(line) for line in batch.lines[: batch.count]]  # Its frame was checked.
            if (events_in[0].reporter_seq, last.stream) != (stream.next_seq, stream.id):
                raise IntegrityError("log", "a leaf does not follow its stream", leaf=batch.first)
            self.take(
                batch,
                pairing_keys(events_in),
                stream,
                last_event=leaf_hash(batch.lines[batch.count - 1]),
                last_leaf=last.hash(),
            )
            progress("log", self.size, total)
            if self.keys.is_due():
                self.seal()

    def stream(self, reporter: str, agreement: str) -> Stream:
        """Return a stream; one that has no event yet gets a fresh salt."""
        found = self.streams.get((reporter, agreement))
        if found is None:
            salt = base64.b64encode(secrets.token_bytes(SALT_BYTES)).decode("ascii")
            found = Stream(reporter, agreement, salt, stream_id(salt, reporter=reporter, agreement=agreement))
        return found

    def take(
        self, batch: StoredBatch, keys: Sequence[int], stream: Stream, *, last_event: bytes, last_leaf: bytes
    ) -> None:
        """Take a batch whose events are the next ones.

        Args:
            batch: The batch.
            keys: Its events' pairing keys.
            stream: Where they belong.
            last_event: The digest of the last event.
            last_leaf: The hash of its leaf.
        """
        head = batch.head
        stream.next_seq += batch.count
        stream.last_event = last_event
        stream.last_leaf = last_leaf.hex()
        self.streams[stream.reporter, stream.agreement] = stream
        self.keys.add(keys, range(batch.first, batch.end))
        signer = bytes.fromhex(head.signer)
        self.keys.add([batch_key(signer, int(head.nonce))], [batch.first])
        if head.idempotency_key:
            self.keys.add([senders_key(signer, head.idempotency_key)], [batch.first])
        self.last_block = head.block
        self.last_block_hash = bytes.fromhex(head.block_hash)
        self.last_accepted_ms = head.accepted_at_ms
        self.size = batch.end

    def seal(self) -> None:
        """Let the index of keys become a file; all that was taken must be on disk."""
        self.keys.seal(self.size, self._mark(), msgspec.json.encode(self._state()))

    def _mark(self) -> bytes:
        """Return a digest of every stream's last leaf: what a seal is compared by with the log."""
        return sha256("".join(sorted(stream.last_leaf for stream in self.streams.values())).encode()).digest()

    def _state(self) -> _State:
        return _State(
            streams=[
                _StreamState(
                    reporter=one.reporter,
                    agreement=one.agreement,
                    salt=one.salt,
                    id=one.id,
                    next_seq=one.next_seq,
                    last_event=one.last_event.hex(),
                    last_leaf=one.last_leaf,
                )
                for one in self.streams.values()
            ],
            last_block=self.last_block,
            last_block_hash=self.last_block_hash.hex(),
            last_accepted_ms=self.last_accepted_ms,
        )

    def _restore(self, log: EventLog) -> None:
        """Take the last seal; where it is not of this log, begin anew."""
        self.streams, self.size = {}, 0
        sealed = self.keys.load()
        if sealed is not None and 0 < sealed.size <= log.size():
            try:
                state = msgspec.json.decode(sealed.state, type=_State)
            except msgspec.MsgspecError:
                state = None
            if state is not None:
                self.streams = {
                    (one.reporter, one.agreement): Stream(
                        one.reporter,
                        one.agreement,
                        one.salt,
                        one.id,
                        one.next_seq,
                        bytes.fromhex(one.last_event),
                        one.last_leaf,
                    )
                    for one in state.streams
                }
                last = leaf_hash(log.leaf(sealed.size - 1)).hex()
                if sealed.mark == self._mark() and any(one.last_leaf == last for one in self.streams.values()):
                    self.last_block = state.last_block
                    self.last_block_hash = bytes.fromhex(state.last_block_hash)
                    self.last_accepted_ms = state.last_accepted_ms
                    self.size = sealed.size
                    return
        self.keys.clear()
        self.streams = {}


def claim_digest(event: EventV1) -> bytes:
    """Return the digest of what is claimed: the event without the reporter's own numbering."""
    claimed = {name: value for name, value in msgspec.to_builtins(event).items() if name not in _CLAIM_KEYS}
    return sha256(canonical.encode_checked(claimed)).digest()


def pairing_keys(events: Sequence[EventV1]) -> list[int]:
    """Return the keys under which one reporter's events are told: by correlation, else by what is claimed."""
    if not events:
        return []
    start = pairing_start(events[0].reporter)
    provider = Side.PROVIDER
    return [
        (
            int.from_bytes(
                sha256(start + (event.correlation.encode() if event.correlation else claim_digest(event))).digest()[
                    :_NUMBER
                ],
                "big",
            )
            | 1
        )
        - (event.side is provider)
        for event in events
    ]


def pairing_start(reporter: str) -> bytes:
    """Return what stands before a correlation where a reporter's pairing keys are hashed."""
    return canonical.encode_checked(["pairing", reporter])


def other_side(key: int) -> int:
    """Return the key of the same exchange told from its other side."""
    return key ^ 1


def batch_key(signer: bytes, nonce: int) -> int:
    """Return the key of a batch."""
    return _number(canonical.encode_checked(["batch", signer.hex(), str(nonce)]))


def senders_key(signer: bytes, key: str) -> int:
    """Return the key of a batch's own name."""
    return _number(canonical.encode_checked(["sender", signer.hex(), key]))


def _number(told: bytes) -> int:
    return int.from_bytes(sha256(told).digest()[:_NUMBER], "big")
