"""The service itself: whether it lives and is ready, what it holds, what it allows, and the chain's gateway."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.answers import JSON, done, public
from api.deps import ReadServices, ServicesDep, body_of
from api.schemas import answers
from ledger.domain.errors import UnavailableError
from ledger.service.limits import RPC_BODY_BYTES_MAX, limits
from ledger.service.reading_overview import overview, readiness
from ledger.service.requests import Nothing

router = APIRouter(tags=["service"])


@router.get("/health", summary="Is the process alive?", responses=answers("Record", "It is.", example={"alive": True}))
def health() -> Response:
    """Answer at all; nothing is asked of chain, log or index."""
    return done({"alive": True}, 200)


@router.get("/ready", summary="Can it serve?", responses=answers("Record", "Every check holds."))
def ready(services: ServicesDep) -> Response:
    """Check that the chain answers, the stores agree and the index follows; 503 names what does not."""
    found = readiness(services)
    if not found["ready"]:
        failed = [f"{check['what']}: {check['reason']}" for check in found["checks"] if not check["ok"]]
        raise UnavailableError("service", "; ".join(failed))
    return done(found, 200)


@router.get("/v1/status", summary="The ledger in numbers", responses=answers("Record", "Totals and coverage."))
def status(request: Request, services: ReadServices) -> Response:
    """Give the public totals with their denominators, the deployment's addresses and the log's key."""
    return public(request, overview(services, Nothing()))


@router.get("/v1/limits", summary="The limits of requests", responses=answers("Record", "Limits with units."))
def show_limits(request: Request, services: ServicesDep) -> Response:
    """Give the sizes, counts and times that requests are held to."""
    return public(request, limits(services, Nothing()))


@router.get("/v1/openapi.json", summary="This interface", responses=answers("Record", "The OpenAPI document."))
def openapi(request: Request) -> Response:
    """Give the OpenAPI document that is also committed as docs/reference/openapi.json."""
    return public(request, request.app.openapi())


@router.post(
    "/rpc",
    summary="The chain's JSON-RPC gateway",
    responses=answers("Record", "A JSON-RPC 2.0 answer or batch of answers."),
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "A JSON-RPC 2.0 call or a batch of at most 100.",
            "content": {
                "application/json": {
                    "schema": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]},
                    "example": {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []},
                }
            },
        }
    },
)
def rpc(
    request: Request, services: ServicesDep, body: Annotated[bytes, Depends(body_of(RPC_BODY_BYTES_MAX))]
) -> Response:
    """Answer reads of an allow-list, and take transactions that a registered key signed for our contracts."""
    if services.rpc is None:
        raise HTTPException(404, "the engine of this home has its own JSON-RPC endpoint")
    with request.app.state.rpc_places.one():
        answer = services.rpc(body)
    return Response(status_code=204) if answer is None else Response(answer, media_type=JSON)
