"""Records signed elsewhere: what a wallet must sign, and where to bring it.

No route here or anywhere uses a key of this home for a post: what is not signed by the post is not done.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.answers import done, public
from api.deps import IdempotencyKey, RequestBody, ServicesDep
from api.schemas import answers, takes
from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError
from ledger.service.requests import Nothing, made_of
from ledger.service.signed_requests import SendSigned, send_signed
from ledger.service.typed_data_views import BuildTypedData, build_typed_data, list_types

router = APIRouter(prefix="/v1", tags=["writes"])


@router.get("/typed-data", summary="What can be signed", responses=answers("Page", "Record types and domains."))
def types(request: Request, services: ServicesDep) -> Response:
    """List the signed records with their fields, EIP-712 type strings and domains."""
    return public(request, list_types(services, Nothing()))


@router.post(
    "/typed-data",
    summary="Build what a wallet signs",
    responses=answers("Record", "The request for `eth_signTypedData_v4`, and the digest."),
    openapi_extra=takes("BuildTypedData", "A record's type and fields; nonce and deadline may be left out."),
)
def build(services: ServicesDep, body: RequestBody) -> Response:
    """Give the typed data of a record in this deployment's domain. Nothing is kept."""
    return done(build_typed_data(services, made_of(BuildTypedData, canonical.decode(body))), 200)


@router.post(
    "/requests",
    summary="Bring a signed record to the chain",
    status_code=201,
    responses=answers("Relayed", "The record is in a final block.", status=201),
    openapi_extra=takes("SendSigned", "The record as a wallet signed it, and the documents that it commits to."),
)
def send(services: ServicesDep, body: RequestBody, key: IdempotencyKey) -> Response:
    """Check a record's signature and right, keep its documents, and relay it.

    A refusal leaves nothing behind. The same request again, by its nonce or its `Idempotency-Key`, gets its first
    answer, even after its deadline; other content under either is a conflict that names both digests.
    """
    request = made_of(SendSigned, canonical.decode(body))
    if key and request.idempotency_key not in {"", key}:
        raise InvalidInputError("idempotency_key", request.idempotency_key, "the header's, or none")
    if key and not request.idempotency_key:
        request = SendSigned(
            type=request.type,
            message=request.message,
            signer=request.signer,
            signature=request.signature,
            possession=request.possession,
            opening=request.opening,
            documents=request.documents,
            idempotency_key=key,
        )
    return done(send_signed(services, request), 201)
