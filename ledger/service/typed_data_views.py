"""What a wallet is asked to sign: the record classes, their domain, and a whole request for one message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ledger.domain.errors import NotFoundError
from ledger.domain.record import shape
from ledger.domain.records import CONTRACTS, SERVICE_ONLY, EventBatch
from ledger.domain.typed_data import NAME, VERSION, as_json, digest, type_hash, type_name, type_string
from ledger.service.event_batches import batch_deadline
from ledger.service.requests import Nothing, Request
from ledger.service.signed_requests import SENDABLE, record_of
from ledger.service.submission import deadline_of, domain_of, fresh_nonce

if TYPE_CHECKING:
    from ledger.domain.record import Record
    from ledger.service.services import Services

_BUILDABLE: Final[dict[str, type[Record]]] = {**SENDABLE, **{record.__name__: record for record in SERVICE_ONLY}}


class BuildTypedData(Request, frozen=True, kw_only=True):
    """A record's name and fields; without ``nonce`` or ``deadline`` fresh ones are put in."""

    type: str
    message: dict[str, Any]


def list_types(services: Services, _request: Nothing) -> dict[str, object]:
    """List the records that can be signed here, with the domain of each."""
    items = [
        {
            "type": name,
            "contract": CONTRACTS[record],
            "type_string": type_string(record),
            "type_hash": "0x" + type_hash(record).hex(),
            "fields": [{"name": field.solidity_name, "type": type_name(field.type)} for field in shape(record)],
            "domain": {
                "name": NAME,
                "version": VERSION,
                "chainId": services.deployment.chain_id,
                "verifyingContract": "0x" + services.deployment.address(CONTRACTS[record]).hex(),
            },
        }
        for name, record in sorted(_BUILDABLE.items())
    ]
    return {"items": items, "next": ""}


def build_typed_data(services: Services, request: BuildTypedData) -> dict[str, object]:
    """Return the ``eth_signTypedData_v4`` request for a message, and the digest that its signature is over.

    Nothing is kept of it.

    Raises:
        NotFoundError: There is no such record.
        InvalidInputError: A field missing or unknown, or a value out of range.
    """
    kind = _BUILDABLE.get(request.type)
    if kind is None:
        raise NotFoundError("record type", request.type)
    deadline = batch_deadline(services) if kind is EventBatch else deadline_of(services)
    drawn = {"nonce": str(fresh_nonce()), "deadline": str(deadline)}
    record = record_of(kind, {**drawn, **request.message}, "message")
    domain = domain_of(services.deployment, kind)
    return {"typed_data": as_json(domain, record), "digest": "0x" + digest(domain, record).hex()}
