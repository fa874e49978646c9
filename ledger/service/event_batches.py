"""A reporter's signed batch of events, and how a reporter makes one.

The signature is over the RFC 6962 root of the events' digests, so that each event can be proved alone. A
batch is one stream's: one reporter post and one agreement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import NO_HASH, check_stream, digest
from ledger.domain.identifiers import post_id
from ledger.domain.records import EventBatch
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import digest as signing_digest
from ledger.log.tree import root_of
from ledger.service.submission import domain_of, fresh_nonce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.errors import LedgerError
    from ledger.domain.event_v1 import EventV1
    from ledger.service.deployment import Deployment
    from ledger.service.ports import Signer
    from ledger.service.services import Services

MAX_BATCH_EVENTS: Final = 10_000
BATCH_TTL_S: Final = 600
"""Life of a batch that this process signs: long enough to be sent and sent again, and shorter than what is accepted."""


FOLLOWS_REJECTED: Final = "follows_rejected"
"""The code of an event that is refused only because an earlier one of its batch is."""
_NAMED: Final = frozenset({"what", "reason", "event"})


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event of a batch that is not accepted: its place from 0, an error's code, and the field that is wrong.

    ``field`` is empty where the event as a whole is wrong.
    """

    place: int
    code: str
    field: str
    value: object
    allowed: str


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch: a receipt for each event accepted, which are its first, and why each other is not.

    Every place of the batch is in exactly one of the two.
    """

    receipts: list[dict[str, Any]]
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedBatch:
    """What a reporter sends: who, about which agreement, the events, and one signature over them.

    ``idempotency_key`` is the sender's own name for the batch, if it gives one. It is not signed.

    ``lines`` are the canonical bytes of every event that the signature covers, by place; empty where the maker does not
    have them. A line that is no event stands in ``rejected``; ``events`` are then those before the first such line,
    while the signed root is still over all lines.
    """

    reporter: str
    agreement: str
    events: tuple[EventV1, ...]
    nonce: int
    deadline: int
    signer: bytes
    signature: bytes
    idempotency_key: str = ""
    lines: tuple[bytes, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    @property
    def count(self) -> int:
        """How many events the signature covers."""
        return len(self.lines) or len(self.events)


def reject(place: int, error: LedgerError) -> Rejected:
    """Return the rejection of the event at a place of its batch, for an error about that event alone."""
    if isinstance(error, InvalidInputError):
        field = error.field.removeprefix("$").removeprefix(".")
        return Rejected(place, error.code, "" if field == "event" else field, error.value, error.allowed)
    values = {name: value for name, value in error.fields.items() if name not in _NAMED}
    reason = str(error.fields.get("reason", error.explain()))
    return Rejected(place, error.code, str(error.fields.get("what", "")), values, reason)


def with_followers(rejected: Sequence[Rejected], count: int) -> tuple[Rejected, ...]:
    """Return rejections in their order, and one more for each event after the first that has none of its own.

    Each event states the digest of the one before it, so that nothing after a rejected event can stand at its place.
    """
    if not rejected:
        return ()
    by_place: dict[int, Rejected] = {}
    for one in rejected:
        by_place.setdefault(one.place, one)
    first = min(by_place)
    follows = f"an event whose stream goes on without the rejected event at place {first}"
    return tuple(
        by_place.get(place) or Rejected(place, FOLLOWS_REJECTED, "prev_hash", first, follows)
        for place in range(first, count)
    )


def batch_record(batch: SignedBatch, digests: Sequence[bytes]) -> EventBatch:
    """Return the record that the batch's signature covers, recomputed from the events' digests."""
    return record_of(
        batch.reporter,
        batch.agreement,
        count=len(digests),
        root=root_of(digests),
        nonce=batch.nonce,
        deadline=batch.deadline,
    )


def record_of(reporter: str, agreement: str, *, count: int, root: bytes, nonce: int, deadline: int) -> EventBatch:
    """Return the record that a batch's signature covers.

    Args:
        reporter: The reporting post.
        agreement: The agreement's id in hex, or empty.
        count: How many events.
        root: The RFC 6962 root of their digests.
        nonce: The batch's nonce.
        deadline: Its deadline, in Unix seconds.

    Raises:
        InvalidInputError: The reporter is no post's text id.
    """
    return EventBatch(
        post=post_id(reporter),
        agreement=bytes.fromhex(agreement) if agreement else ZERO32,
        count=count,
        root=root,
        nonce=nonce,
        deadline=deadline,
    )


def batch_deadline(services: Services) -> int:
    """Return the deadline of a batch signed now, in Unix seconds."""
    return services.now_s() + min(BATCH_TTL_S, services.settings.signature_ttl_s)


def place_events(events: Sequence[EventV1], *, next_seq: int, prev_hash: bytes) -> tuple[EventV1, ...]:
    """Return the events numbered and chained from a place in their reporter's stream."""
    placed: list[EventV1] = []
    last = prev_hash.hex() if prev_hash else NO_HASH
    for offset, event in enumerate(events):
        numbered = event.placed(next_seq + offset, last)
        placed.append(numbered)
        last = digest(numbered).hex()
    return tuple(placed)


def sign_batch(deployment: Deployment, signer: Signer, events: Sequence[EventV1], *, deadline: int) -> SignedBatch:
    """Sign placed events of one stream.

    Raises:
        InvalidInputError: None, too many, or events of several streams or out of their places.
    """
    if not 0 < len(events) <= MAX_BATCH_EVENTS:
        raise InvalidInputError("events", len(events), f"1 to {MAX_BATCH_EVENTS}")
    first = events[0]
    check_stream(events, next_seq=first.reporter_seq, prev_hash=bytes.fromhex(first.prev_hash))
    unsigned = SignedBatch(first.reporter, first.agreement, tuple(events), fresh_nonce(), deadline, signer.address, b"")
    record = batch_record(unsigned, [digest(event) for event in events])
    signature = signer.sign_digest(signing_digest(domain_of(deployment, EventBatch), record))
    return SignedBatch(
        first.reporter, first.agreement, tuple(events), unsigned.nonce, deadline, signer.address, signature
    )
