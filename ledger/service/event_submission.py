"""Batches of events that were signed elsewhere: the machine-to-machine way in, for exchange platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import event_from_object
from ledger.service.event_appending import append_signed_batch
from ledger.service.event_batches import SignedBatch
from ledger.service.requests import Request
from ledger.service.signed_requests import parse_hex

if TYPE_CHECKING:
    from ledger.service.services import Services


class AppendSigned(Request, frozen=True, kw_only=True):
    """A signed batch as JSON: every event with every key of EventV1."""

    reporter: str
    agreement: str
    events: list[dict[str, Any]]
    nonce: str
    deadline: int
    signer: str
    signature: str


def append_signed(services: Services, request: AppendSigned) -> dict[str, Any]:
    """Append a signed batch and return one receipt an event. Raises as ``append_signed_batch``."""
    return {"items": append_signed_batch(services, parse_batch(request))}


def in_event(place: int, error: InvalidInputError) -> InvalidInputError:
    """Return an error about an event as one about the batch that it came in."""
    field = error.field.removeprefix("$").removeprefix(".") if error.field != "event" else ""
    return InvalidInputError(f"events[{place}]" + (f".{field}" if field else ""), error.value, error.allowed)


def parse_nonce(text: str) -> int:
    """Return a nonce from decimal text.

    Raises:
        InvalidInputError: Other text, or more than 256 bits.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > 78 or int(text) >= 2**256:
        raise InvalidInputError("nonce", text, "decimal text of at most 256 bits")
    return int(text)


def parse_batch(request: AppendSigned) -> SignedBatch:
    """Return the batch in a request.

    Raises:
        InvalidInputError: Names the event and the field.
    """
    events = []
    for place, stated in enumerate(request.events):
        try:
            events.append(event_from_object(stated))
        except InvalidInputError as error:
            raise in_event(place, error) from error
    return SignedBatch(
        reporter=request.reporter,
        agreement=request.agreement,
        events=tuple(events),
        nonce=parse_nonce(request.nonce),
        deadline=request.deadline,
        signer=parse_hex(request.signer, "signer", 20),
        signature=parse_hex(request.signature, "signature", 65),
    )
