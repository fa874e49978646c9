"""What the ledger holds of each reporter: stream heads, pairings and accepted batches.

All of it follows from log and vault (``load``), so it is no store of its own: a crash between vault and
log leaves documents that nothing refers to, and they are not seen here.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.domain import canonical
from ledger.domain.codes import Side
from ledger.domain.commitment import SALT_BYTES
from ledger.domain.errors import IntegrityError
from ledger.domain.event_v1 import NO_HASH, EventV1
from ledger.domain.event_v1 import digest as digest_of
from ledger.domain.identifiers import parse_post
from ledger.domain.leaf import LeafV1, parse_leaf, stream_id
from ledger.service.event_documents import event_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.service.ports import EventLog, Vault, VaultDocument

_PAGE: Final = 500
_CLAIM_KEYS: Final = frozenset({"id", "reporter_seq", "prev_hash"})


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


@dataclass(frozen=True, slots=True)
class Held:
    """An event that the ledger holds: its leaf's index and what was claimed."""

    index: int
    claim: bytes


@dataclass(slots=True)
class Intake:
    """Stream heads by (reporter, agreement), events by pairing, batches by signer and nonce."""

    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    pairings: dict[bytes, Held] = field(default_factory=dict)
    ids: dict[str, list[int]] = field(default_factory=dict)
    sides: dict[bytes, list[int]] = field(default_factory=dict)
    batches: dict[tuple[bytes, int], tuple[bytes, tuple[int, ...]]] = field(default_factory=dict)
    keys: dict[tuple[bytes, str], bytes] = field(default_factory=dict)
    """The digest that was signed, by signer and idempotency key."""
    last_block: int = 0
    last_block_hash: bytes = b""
    last_accepted_ms: int = 0
    size: int = 0

    def load(
        self, log: EventLog, vault: Vault, progress: Callable[[str, int, int], None] = lambda _what, _done, _all: None
    ) -> None:
        """Take every leaf from where this ends to the end of the log.

        Raises:
            IntegrityError: The vault lacks a leaf's document, or a leaf does not follow its stream.
        """
        total = log.size()
        while self.size < total:
            last = min(self.size + _PAGE, total)
            leaves = [parse_leaf(data) for data in log.leaves(self.size, last)]
            documents = vault.find_many([bytes.fromhex(leaf.commitment) for leaf in leaves])
            for leaf in leaves:
                document = documents.get(bytes.fromhex(leaf.commitment))
                if document is None:
                    raise IntegrityError("vault", "it lacks the document of a leaf", leaf=self.size)
                self._take(leaf, document)
            progress("log", self.size, total)

    def stream(self, reporter: str, agreement: str) -> Stream:
        """Return a stream; one that has no event yet gets a fresh salt."""
        found = self.streams.get((reporter, agreement))
        if found is None:
            salt = base64.b64encode(secrets.token_bytes(SALT_BYTES)).decode("ascii")
            found = Stream(reporter, agreement, salt, stream_id(salt, reporter=reporter, agreement=agreement))
        return found

    def held(self, event: EventV1) -> Held | None:
        """Return what the ledger holds under the event's (reporter, side, correlation)."""
        return self.pairings.get(pairing_key(event))

    def other_side(self, event: EventV1) -> Held | None:
        """Return what the same reporter said of the same exchange as its other side."""
        other = "CONSUMER" if event.side == "PROVIDER" else "PROVIDER"
        return self.pairings.get(_pairing_key(event.reporter, other, event.correlation)) if event.correlation else None

    def paired(self, event: EventV1) -> list[int]:
        """Return the leaves in which the other side of the event's exchange was reported by who speaks for it.

        That is a post of the other side's agency, or one that was entrusted with recording under the event's own
        agreement. A record that names other parties, or nobody on its side, is of another exchange: whoever may
        report anything could else make a one-sided report look answered.
        """
        other = Side.CONSUMER if event.side is Side.PROVIDER else Side.PROVIDER
        keys = [_side_key(event, other, scope) for scope in {"", event.agreement}]
        return sorted(index for key in keys for index in self.sides.get(key, []))

    def accept(self, index: int, event: EventV1, digest: bytes, leaf: LeafV1, stream: Stream) -> None:
        """Take an event that has just been appended."""
        if leaf.seq != stream.next_seq or leaf.prev != stream.last_leaf:
            raise IntegrityError("log", "a leaf does not follow its stream", leaf=index, seq=leaf.seq)
        stream.next_seq = leaf.seq + 1
        stream.last_event = digest
        stream.last_leaf = leaf.hash().hex()
        self.streams[stream.reporter, stream.agreement] = stream
        self.pairings[pairing_key(event)] = Held(index, claim_digest(event))
        self.ids.setdefault(event.id, []).append(index)
        party = event.provider if event.side is Side.PROVIDER else event.requester
        if event.correlation and party:
            is_own = str(parse_post(event.reporter).agency) == party
            # Others were let in only as entrusted under the agreement that the event names.
            self.sides.setdefault(_side_key(event, event.side, "" if is_own else event.agreement), []).append(index)
        self.last_block = leaf.block
        self.last_block_hash = bytes.fromhex(leaf.block_hash)
        self.last_accepted_ms = leaf.accepted_at_ms
        self.size = index + 1

    def accept_batch(self, signer: bytes, nonce: int, digest: bytes, indices: Sequence[int], key: str = "") -> None:
        """Remember a batch by its nonce and its sender's own key, so that a retry gets its first answer."""
        self.batches[signer, nonce] = (digest, tuple(indices))
        if key:
            self.keys[signer, key] = digest

    def _take(self, leaf: LeafV1, document: VaultDocument) -> None:
        event = event_of(document)
        extra = document.extra
        stream = self.streams.get((event.reporter, event.agreement))
        if stream is None:
            salt = str(extra["stream_salt"])
            stream = Stream(event.reporter, event.agreement, salt, leaf.stream)
        index = self.size
        self.accept(index, event, digest_of(event), leaf, stream)
        signer, nonce = bytes.fromhex(str(extra["signer"])), int(str(extra["nonce"]))
        digest, indices = self.batches.get((signer, nonce), (bytes.fromhex(str(extra["batch_digest"])), ()))
        self.accept_batch(signer, nonce, digest, (*indices, index), str(extra.get("idempotency_key", "")))


def claim_digest(event: EventV1) -> bytes:
    """Return the digest of what is claimed: the event without the reporter's own numbering."""
    claimed = {name: value for name, value in msgspec.to_builtins(event).items() if name not in _CLAIM_KEYS}
    return sha256(canonical.encode_checked(claimed)).digest()


def pairing_key(event: EventV1) -> bytes:
    """Return the key of idempotency: reporter, side, and correlation or the claim's digest."""
    return _pairing_key(event.reporter, event.side.value, event.correlation or claim_digest(event).hex())


def _side_key(event: EventV1, side: Side, scope: str) -> bytes:
    told = [side.value, event.correlation, event.provider, event.requester, scope]
    return sha256(canonical.encode_checked(told)).digest()


def _pairing_key(reporter: str, side: str, correlation: str) -> bytes:
    return sha256(canonical.encode_checked([reporter, side, correlation])).digest()
