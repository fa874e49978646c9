"""The events of a batch from their bytes: all at once where they are canonical, else one by one.

The reporter signs the canonical bytes of each event, and those are what is kept. A line that is no event is rejected
by its place; its digest still counts in the signed root, over its canonical bytes where it has such, else as it came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import EventV1, encode_event, parse_event
from ledger.service.event_batches import MAX_BATCH_EVENTS, Rejected, SignedBatch, reject
from ledger.service.signed_requests import parse_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

_DECODER: Final = msgspec.json.Decoder(EventV1)
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_NONCE_DIGITS: Final = 78
_AGREEMENT: Final = re.compile(r"[0-9a-f]{64}")


class BatchHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands before a batch's events: who reports about which agreement, how many, and the signature over them."""

    reporter: str
    agreement: str
    nonce: str
    deadline: int
    signer: str
    signature: str
    count: int


@dataclass(frozen=True, slots=True)
class ReadEvents:
    """The canonical bytes by place, the events before the first that is rejected, and each line that is no event."""

    lines: tuple[bytes, ...]
    events: tuple[EventV1, ...]
    rejected: tuple[Rejected, ...]


def signed_batch(head: BatchHead, read: ReadEvents, *, idempotency_key: str) -> SignedBatch:
    """Return the batch of a head and its events.

    Raises:
        InvalidInputError: A field of the head is not allowed, or it states another number of events.
    """
    check_head(head, len(read.lines))
    return SignedBatch(
        reporter=head.reporter,
        agreement=head.agreement,
        events=read.events,
        nonce=parse_nonce(head.nonce),
        deadline=head.deadline,
        signer=parse_hex(head.signer, "signer", 20),
        signature=parse_hex(head.signature, "signature", 65),
        idempotency_key=idempotency_key,
        lines=read.lines,
        rejected=read.rejected,
    )


def check_head(head: BatchHead, count: int) -> None:
    """Check what a head states of its batch of ``count`` events.

    Raises:
        InvalidInputError: The agreement is no id, or it states another number of events.
    """
    if head.agreement and not _AGREEMENT.fullmatch(head.agreement):
        raise InvalidInputError("agreement", head.agreement, "an agreement's id of 64 hex digits, or an empty text")
    if head.count != count:
        raise InvalidInputError("count", head.count, f"{count}, the number of events sent")


def read_events(lines: Sequence[bytes]) -> ReadEvents:
    """Return what a batch's lines hold. Texts and ids inside an event are the use-case's to check.

    Raises:
        InvalidInputError: None, or more than a batch may have.
    """
    check_count(len(lines))
    events = canonical_events(lines)
    return _read_each(lines) if events is None else ReadEvents(tuple(lines), events, ())


def canonical_events(lines: Sequence[bytes]) -> tuple[EventV1, ...] | None:
    """Return the events of lines that are all canonical; None for any others. Texts and ids are not checked."""
    if not lines or max(map(len, lines)) > canonical.MAX_ENTRY_BYTES:
        return None
    text = b"\n".join(lines) + b"\n"
    try:
        events = _DECODER.decode_lines(text)
        # One comparison for all: equal bytes hold no other order, no space, no key twice.
        is_canonical = len(events) == len(lines) and _ENCODER.encode_lines(events) == text
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return tuple(events) if is_canonical else None


def check_count(count: int) -> None:
    """Check how many events a batch has.

    Raises:
        InvalidInputError: None, or too many.
    """
    if not 0 < count <= MAX_BATCH_EVENTS:
        raise InvalidInputError("events", count, f"1 to {MAX_BATCH_EVENTS}")


def in_event(place: int, error: InvalidInputError) -> InvalidInputError:
    """Return an error about an event as one about the batch that it came in."""
    return InvalidInputError(f"events[{place}]{error.field.removeprefix('$')}", error.value, error.allowed)


def parse_nonce(text: str) -> int:
    """Return a nonce from decimal text.

    Raises:
        InvalidInputError: Other text, or more than 256 bits.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > _NONCE_DIGITS or int(text) >= 2**256:
        raise InvalidInputError("nonce", text, "decimal text of at most 256 bits")
    return int(text)


def _read_each(stated: Sequence[bytes]) -> ReadEvents:
    lines: list[bytes] = []
    events: list[EventV1] = []
    rejected: list[Rejected] = []
    for place, data in enumerate(stated):
        try:
            if len(data) > canonical.MAX_ENTRY_BYTES:
                raise InvalidInputError("", f"{len(data)} bytes", f"at most {canonical.MAX_ENTRY_BYTES} bytes")
            event = parse_event(data)
        except InvalidInputError as error:
            rejected.append(reject(place, error))
            lines.append(_signed_bytes(data))
            continue
        lines.append(encode_event(event))
        if not rejected:
            events.append(event)
    return ReadEvents(tuple(lines), tuple(events), tuple(rejected))


def _signed_bytes(data: bytes) -> bytes:
    """Return the bytes that a reporter signed for what is no event: canonical, if it is JSON without ambiguity."""
    try:
        return canonical.encode_checked(canonical.decode(data))
    except InvalidInputError:
        return data
