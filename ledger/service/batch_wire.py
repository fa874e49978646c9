"""The bytes of a signed batch, in three spellings (docs/spec/batch-v1.md).

* one JSON object, for people and small clients;
* NDJSON: the head, then an event a line, for exchange platforms;
* CBOR: a map whose ``events`` are byte strings of canonical JSON, or maps.

What is signed is the same in all three: the canonical JSON of each event.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final, NoReturn

import cbor2
import msgspec

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError
from ledger.domain.shape import misshapen
from ledger.service.batch_events import BatchHead, check_count, in_event, read_events, signed_batch
from ledger.service.body_bounds import check_cbor_values, check_json_values
from ledger.service.event_batches import MAX_BATCH_EVENTS
from ledger.service.event_submission import AppendSigned, parse_batch
from ledger.service.requests import made_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.service.event_batches import SignedBatch

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
CBOR: Final = "application/cbor"

_HEAD_MAX: Final = 4_096
_CBOR_DEPTH: Final = 8
_PEEKED_BYTES: Final = 1 << 20
_BUILT_IN_TAGS: Final = (
    0, 1, 2, 3, 4, 5, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799,
)  # fmt: skip
"""Tags that the library would make something of: dates, patterns, references. A batch has no use for any."""


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch whose events are not parsed yet."""

    reporter: str
    agreement: str
    events: list[msgspec.Raw]
    nonce: str
    deadline: int
    signer: str
    signature: str


class _Who(msgspec.Struct, frozen=True):
    reporter: str


_DECODER: Final = msgspec.json.Decoder(_Envelope)
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def parse_batch_bytes(body: bytes, *, media_type: str = JSON, idempotency_key: str = "") -> SignedBatch:
    """Return the batch in a request's body.

    Raises:
        InvalidInputError: Not of the type, ambiguous, or a field that is missing, unknown or not allowed; it is named.
    """
    return _PARSERS[media_type](body, idempotency_key)


def stated_reporter(body: bytes, media_type: str) -> str:
    """Return who a body says it is from, for its place in a queue; empty where that takes long to find."""
    try:
        if media_type == NDJSON:
            return msgspec.json.decode(body[: max(0, body.find(b"\n", 0, _HEAD_MAX))], type=_Who).reporter
        if media_type == JSON and len(body) <= _PEEKED_BYTES:
            return msgspec.json.decode(body, type=_Who).reporter
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""  # The parser will say what is wrong.
    return ""


def _parse_json(body: bytes, key: str) -> SignedBatch:
    check_json_values(body)
    try:
        envelope = _DECODER.decode(body)
        is_canonical = _ENCODER.encode(envelope) == body
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        is_canonical = False
    if not is_canonical:
        return parse_batch(made_of(AppendSigned, canonical.decode(body)), idempotency_key=key)
    read = read_events([bytes(raw) for raw in envelope.events])
    head = BatchHead(
        reporter=envelope.reporter,
        agreement=envelope.agreement,
        nonce=envelope.nonce,
        deadline=envelope.deadline,
        signer=envelope.signer,
        signature=envelope.signature,
        count=len(read.lines),
    )
    return signed_batch(head, read, idempotency_key=key)


def _parse_ndjson(body: bytes, key: str) -> SignedBatch:
    head, text = split_head(body)
    if (count := text.count(b"\n")) > MAX_BATCH_EVENTS:
        check_count(count)
    return signed_batch(head, read_events(split_lines(text)), idempotency_key=key)


def split_head(body: bytes) -> tuple[BatchHead, bytes]:
    """Return the head of an NDJSON body, and the events' lines.

    Raises:
        InvalidInputError: The first line is none, or a field of it is missing, unknown or of another type.
    """
    end = body.find(b"\n", 0, _HEAD_MAX)
    if end < 0:
        raise InvalidInputError("head", body[:80], f"a first line of less than {_HEAD_MAX} bytes, then an event a line")
    return _head(canonical.decode(body[:end])), body[end + 1 :]


def split_lines(text: bytes) -> list[bytes]:
    """Return the lines of a text, the last of which may have an end or none."""
    lines = text.split(b"\n")
    if not lines[-1]:
        del lines[-1]
    return lines


def _parse_cbor(body: bytes, key: str) -> SignedBatch:
    check_cbor_values(body)
    stated = _decode_cbor(body)
    if not isinstance(stated, dict):
        raise InvalidInputError("body", type(stated).__name__, "a CBOR map")
    events = stated.pop("events", None)
    if not isinstance(events, list):
        raise InvalidInputError("events", type(events).__name__, "an array of byte strings or maps")
    check_count(len(events))
    head = _head({"count": len(events), **stated})
    lines = [_line(place, event) for place, event in enumerate(events)]
    return signed_batch(head, read_events(lines), idempotency_key=key)


def _line(place: int, event: object) -> bytes:
    if isinstance(event, bytes):
        return event
    try:
        return canonical.encode(event)
    except InvalidInputError as error:
        raise in_event(place, error) from error  # No canonical bytes, so nothing that a signature could be over.


def _head(stated: Any) -> BatchHead:
    try:
        return msgspec.convert(stated, BatchHead)
    except msgspec.ValidationError as error:
        raise misshapen(error, stated, BatchHead, "head") from error


def _decode_cbor(body: bytes) -> Any:
    stream = io.BytesIO(body)
    try:
        value = cbor2.CBORDecoder(
            stream,
            tag_hook=_refuse_tag,
            semantic_decoders=_NO_TAGS,
            max_depth=_CBOR_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        ).decode()
    except (cbor2.CBORDecodeError, ValueError, TypeError, RecursionError, OverflowError) as error:
        raise InvalidInputError("body", body[:40], f"CBOR: {error}") from error
    if stream.tell() != len(body):
        raise InvalidInputError("body", len(body) - stream.tell(), "nothing after the map")
    return value


def _refuse_tag(*_given: object) -> NoReturn:
    raise ValueError("tags are not allowed")


_NO_TAGS: Final = dict.fromkeys(_BUILT_IN_TAGS, _refuse_tag)
_PARSERS: Final[Mapping[str, Callable[[bytes, str], SignedBatch]]] = {
    JSON: _parse_json,
    NDJSON: _parse_ndjson,
    CBOR: _parse_cbor,
}
MEDIA_TYPES: Final = tuple(_PARSERS)
