"""The HTTP application over one home's services.

    app = create_app(services)      # for uvicorn; `quanze up` does this

``api_without_services`` is the same interface with nothing behind it, for the OpenAPI document alone.
Must stay true: no route signs with a key of the home; no route shows a sealed case or, outside a demonstration,
an event to somebody who is not one of its parties.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from api import __version__, errors
from api.appending import append_directly, is_usual
from api.arrivals import Arrivals
from api.deps import refuse_unknown_query
from api.explorer import app as explorer
from api.faults import Faults
from api.headers import HeadAsGet, SecurityHeaders
from api.places import Places
from api.routes import accountability, agreements, events, evidence, log, registry, requests, service, states
from api.schemas import components
from ledger.service.limits import EVIDENCE_AT_ONCE_MAX, RPC_AT_ONCE_MAX, STREAMS_AT_ONCE_MAX

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from ledger.service.services import Services

_ROUTERS: Final = (
    service.router,
    registry.router,
    agreements.router,
    accountability.router,
    states.router,  # Before the events': its paths are more exact.
    events.router,
    evidence.router,
    log.router,
    requests.router,
)
_TITLE: Final = "Quanze"
_DESCRIPTION: Final = (
    "An audit ledger for data sharing between agencies. Public records are read without an account. Writes are "
    "authorised by the signature in them. Every failure is an RFC 9457 problem document."
)
_PROBLEM: Final = {
    "description": "A problem document (RFC 9457).",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def create_app(services: Services) -> FastAPI:
    """Return the application that serves a home: the interface, and the explorer's pages below it."""
    app = api_without_services()
    app.state.services = services
    explorer.install(app, services)
    return app


def api_without_services() -> FastAPI:
    """Return every route of the API, with no home to serve."""
    app = _Application(
        title=_TITLE,
        version=__version__,
        description=_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(refuse_unknown_query)],
        responses={"default": _PROBLEM},
    )
    for router in _ROUTERS:
        app.include_router(router)
    app.state.routes = [route for router in _ROUTERS for route in router.routes]
    app.state.arrivals = Arrivals()
    app.state.evidence_places = Places("evidence", EVIDENCE_AT_ONCE_MAX)
    app.state.stream_places = Places("the stream of states", STREAMS_AT_ONCE_MAX)
    app.state.rpc_places = Places("the gateway", RPC_AT_ONCE_MAX)
    errors.install(app)
    app.add_middleware(Faults, answer=errors.on_fault)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(HeadAsGet)
    return app


class _Application(FastAPI):
    """FastAPI with our schemas in its OpenAPI document, and a way past it for batches."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if is_usual(scope):
            scope["app"] = self
            await append_directly(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document, made once."""
        if self.openapi_schema is None:
            document = get_openapi(
                title=self.title, version=self.version, description=self.description, routes=self.routes
            )
            document["components"] = {"schemas": components()}
            for path in document["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
            self.openapi_schema = document
        return self.openapi_schema
