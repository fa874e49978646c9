"""The bytes of a signed batch: one JSON object, each event in it as its reporter signed it.

The usual batch is canonical JSON and is parsed once, event by event. Any other spelling is allowed and takes
the slow way, which says where a text is ambiguous.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import parse_event
from ledger.service.event_batches import MAX_BATCH_EVENTS, SignedBatch
from ledger.service.event_submission import AppendSigned, in_event, parse_batch, parse_nonce
from ledger.service.requests import made_of
from ledger.service.signed_requests import parse_hex

if TYPE_CHECKING:
    from ledger.domain.event_v1 import EventV1


class _Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A batch whose events are not parsed yet."""

    reporter: str
    agreement: str
    events: list[msgspec.Raw]
    nonce: str
    deadline: int
    signer: str
    signature: str


_DECODER: Final = msgspec.json.Decoder(_Envelope)
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def parse_batch_bytes(body: bytes, *, idempotency_key: str = "") -> SignedBatch:
    """Return the batch in a request's body.

    Raises:
        InvalidInputError: Not JSON, ambiguous, or a field that is missing, unknown or not allowed; it is named.
    """
    try:
        envelope = _DECODER.decode(body)
        is_canonical = _ENCODER.encode(envelope) == body
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        is_canonical = False
    if not is_canonical:
        batch = parse_batch(made_of(AppendSigned, canonical.decode(body)))
        return dataclasses.replace(batch, idempotency_key=idempotency_key)
    return SignedBatch(
        reporter=envelope.reporter,
        agreement=envelope.agreement,
        events=_events(envelope.events),
        nonce=parse_nonce(envelope.nonce),
        deadline=envelope.deadline,
        signer=parse_hex(envelope.signer, "signer", 20),
        signature=parse_hex(envelope.signature, "signature", 65),
        idempotency_key=idempotency_key,
    )


def _events(stated: list[msgspec.Raw]) -> tuple[EventV1, ...]:
    if not 0 < len(stated) <= MAX_BATCH_EVENTS:
        raise InvalidInputError("events", len(stated), f"1 to {MAX_BATCH_EVENTS}")
    events: list[EventV1] = []
    for place, raw in enumerate(stated):
        try:
            events.append(parse_event(bytes(raw)))
        except InvalidInputError as error:
            raise in_event(place, error) from error
    return tuple(events)
