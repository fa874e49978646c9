"""Batches of events that were signed elsewhere: the machine-to-machine way in, for exchange platforms."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError
from ledger.service.batch_events import BatchHead, in_event, read_events, signed_batch
from ledger.service.event_appending import append_batch
from ledger.service.requests import Request

if TYPE_CHECKING:
    from ledger.service.event_batches import Appended, SignedBatch
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
    """Append a signed batch; returns a receipt for each event accepted and why each other is not.

    Raises:
        LedgerError: As ``append_batch``; or the batch's first event is rejected, which refuses it whole.
    """
    return shown(append_batch(services, parse_batch(request), atomic=False))


def shown(appended: Appended) -> dict[str, Any]:
    """Return what became of a batch as JSON values."""
    return {"items": appended.receipts, "rejected": [dataclasses.asdict(one) for one in appended.rejected]}


def parse_batch(request: AppendSigned, *, idempotency_key: str = "") -> SignedBatch:
    """Return the batch in a request.

    Raises:
        InvalidInputError: A field of the batch is not allowed, or an event is no JSON that could be signed.
    """
    lines = []
    for place, stated in enumerate(request.events):
        try:
            lines.append(canonical.encode(stated))
        except InvalidInputError as error:
            raise in_event(place, error) from error
    head = BatchHead(
        reporter=request.reporter,
        agreement=request.agreement,
        nonce=request.nonce,
        deadline=request.deadline,
        signer=request.signer,
        signature=request.signature,
        count=len(lines),
    )
    return signed_batch(head, read_events(lines), idempotency_key=idempotency_key)
