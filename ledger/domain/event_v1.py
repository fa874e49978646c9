"""EventV1: one fact as its reporter signs it (docs/spec/entry-v1.md §1).

Every key is always present; ``""`` (or 0 for ``version``, -1 for ``grant`` and ``size``) means that the
reporter does not state it. Claims are never guessed here: what a source does not say stays not stated.
The digest is SHA-256(0x00 ‖ JCS(event)), so that a batch's root is an RFC 6962 tree whose leaves are events.

    event = parse_event(line)
    digest(event)
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

import msgspec
from msgspec import Meta

from ledger.domain import canonical
from ledger.domain.codes import EventKind, Side
from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import agency_id, code_id, dataset_id, post_id
from ledger.domain.shape import misshapen
from ledger.domain.text import check_name
from ledger.log.tree import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ledger.domain.canonical import Json

NO_HASH: Final = "0" * 64
MAX_SOURCE_KEYS: Final = 64
MAX_SOURCE_TEXT: Final = 2_000

Hex32 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
OptionalHex32 = Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", max_length=64)]
Count = Annotated[int, Meta(ge=0, le=canonical.MAX_INTEGER)]


class EventV1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A usage event. The fields are the format: never renamed, reordered or added to; the next one is EventV2."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: EventKind
    side: Side
    occurred_at_ms: Count
    provider: str
    requester: str
    agreement: OptionalHex32
    version: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    grant: Annotated[int, Meta(ge=-1, le=65_535)]
    dataset: str
    purpose: str
    delivery: Literal["", "INTERFACE", "BATCH", "FILE", "COMPUTE_TO_DATA", "VERIFY_ONLY"]
    recipient: str
    outcome: Literal["", "SUCCEEDED", "FAILED"]
    size: Annotated[int, Meta(ge=-1, le=canonical.MAX_INTEGER)]
    correlation: Annotated[str, Meta(max_length=200)]
    reporter: str
    reporter_seq: Count
    prev_hash: Hex32
    source: Annotated[dict[str, str | int], Meta(max_length=MAX_SOURCE_KEYS)]

    def placed(self, reporter_seq: int, prev_hash: str) -> Self:
        """Return the event at a place in its reporter's stream, as the reporter does before it signs."""
        return msgspec.structs.replace(self, reporter_seq=reporter_seq, prev_hash=prev_hash)


KEYS: Final = EventV1.__struct_fields__

claims_of: Final[Callable[[EventV1], tuple[object, ...]]] = attrgetter(
    "kind",
    "side",
    "provider",
    "requester",
    "agreement",
    "version",
    "grant",
    "dataset",
    "purpose",
    "delivery",
    "recipient",
    "outcome",
    "reporter",
)
"""Returns what an event claims beside its time and its own fields: all that its binding depends on but the time."""

_DECODER: Final = msgspec.json.Decoder(EventV1)
_OPTIONAL: Final[dict[str, Json]] = {
    "provider": "",
    "requester": "",
    "agreement": "",
    "version": 0,
    "grant": -1,
    "dataset": "",
    "purpose": "",
    "delivery": "",
    "recipient": "",
    "outcome": "",
    "size": -1,
    "correlation": "",
    "reporter_seq": 0,
    "prev_hash": NO_HASH,
    "source": {},
}


def parse_event(data: bytes) -> EventV1:
    """Parse an event with every key present, in any white space and key order.

    Raises:
        InvalidInputError: not JSON, ambiguous, a key missing or unknown, or a value that is not allowed.
    """
    try:
        event = _DECODER.decode(data)
        canonical_bytes = canonical.encode_checked(event)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return event_from_object(canonical.decode(data))
    if canonical_bytes != data:  # Only then can the text hold a duplicate key or another ambiguity.
        return event_from_object(canonical.decode(data))
    check_event(event)
    return event


def read_line(line: bytes) -> EventV1:
    """Return the event in a line that was checked before. Raises msgspec.MsgspecError where it holds none."""
    return _DECODER.decode(line)


def event_from_object(value: Json) -> EventV1:
    """Build an event from a parsed JSON object with every key present.

    Raises:
        InvalidInputError: as `parse_event`.
    """
    canonical.check(value)
    try:
        event = msgspec.convert(value, EventV1)
    except msgspec.ValidationError as error:
        raise misshapen(error, value, EventV1, "event") from error
    check_event(event)
    return event


def complete_event(stated: Mapping[str, Json], *, reporter: str) -> EventV1:
    """Build an event from what is stated; every other key becomes not stated. ``placed`` then gives its place.

    Raises:
        InvalidInputError: as `parse_event`; id, kind, side and occurred_at_ms cannot be left out.
    """
    return event_from_object({**_OPTIONAL, "reporter": reporter, **stated})


def check_event(event: EventV1) -> None:
    """Check what the types alone cannot: ids, names and text.

    Raises:
        InvalidInputError: names the field.
    """
    check_claims(event)
    check_own(event)


def check_claims(event: EventV1) -> None:
    """Check what events of one kind of exchange have in common (`claims_of`): parties, agreement, dataset, purpose.

    Raises:
        InvalidInputError: names the field.
    """
    _parsed(post_id, "reporter", event.reporter)
    if event.provider:
        _parsed(agency_id, "provider", event.provider)
    if event.requester:
        _parsed(agency_id, "requester", event.requester)
    if event.recipient:
        _parsed(agency_id, "recipient", event.recipient)
    if event.dataset:
        _parsed(dataset_id, "dataset", event.dataset)
    if event.purpose:
        _parsed(code_id, "purpose", event.purpose)
    if event.agreement == NO_HASH:
        raise InvalidInputError("agreement", event.agreement, 'an agreement\'s id, or "" for not stated')


def check_own(event: EventV1) -> None:
    """Check what each event has for itself: its id, correlation and source.

    Raises:
        InvalidInputError: names the field.
    """
    check_name(event.id, "id")
    if event.correlation:
        check_name(event.correlation, "correlation")
    for key, value in event.source.items():
        _check_source(key, value)


def encode_event(event: EventV1) -> bytes:
    """Return the canonical bytes of a checked event."""
    return canonical.encode_checked(event)


def digest(event: EventV1) -> bytes:
    """Return SHA-256(0x00 ‖ JCS(event)) of a checked event: private, since unsalted; it is signed, never published."""
    return leaf_hash(canonical.encode_checked(event))


def to_object(event: EventV1) -> dict[str, Json]:
    """Return the event as a JSON object."""
    value: dict[str, Json] = msgspec.to_builtins(event)
    return value


def check_stream(events: Iterable[EventV1], *, next_seq: int, prev_hash: bytes) -> bytes:
    """Check that events of one stream follow on, and return the digest of the last.

    Args:
        events: in the reporter's order.
        next_seq: the sequence number that the first must have.
        prev_hash: the digest of the reporter's event before, 32 zero bytes if there is none.

    Raises:
        InvalidInputError: a gap, a repetition, another stream, or a ``prev_hash`` that is not the digest before.
    """
    last, stream = prev_hash, None
    for offset, event in enumerate(events):
        if event.reporter_seq != next_seq + offset:
            raise InvalidInputError("reporter_seq", event.reporter_seq, str(next_seq + offset))
        if event.prev_hash != last.hex():
            raise InvalidInputError("prev_hash", event.prev_hash, last.hex())
        if stream not in {None, (event.reporter, event.agreement)}:
            raise InvalidInputError("agreement", event.agreement, "one reporter and agreement in a stream")
        stream = (event.reporter, event.agreement)
        last = digest(event)
    return last


def _parsed(parse: Callable[[str], bytes], field: str, text: str) -> None:
    try:
        parse(text)
    except InvalidInputError as error:
        raise InvalidInputError(field, error.value, error.allowed) from error


def _check_source(key: str, value: str | int) -> None:
    _check_source_key(key)
    if isinstance(value, str):
        if len(value) > MAX_SOURCE_TEXT or not canonical.is_nfc(value):
            raise InvalidInputError(f"source.{key}", value, f"at most {MAX_SOURCE_TEXT} characters in Unicode NFC")
    elif not -canonical.MAX_INTEGER <= value <= canonical.MAX_INTEGER:
        raise InvalidInputError(f"source.{key}", value, "an integer with |n| < 2^53")


@lru_cache(maxsize=4096)
def _check_source_key(key: str) -> None:
    if not key or len(key) > 100 or not key.isascii() or not key.isprintable():
        raise InvalidInputError("source", key, "keys of 1 to 100 printable ASCII characters")
