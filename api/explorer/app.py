"""The explorer as a part of the HTTP application: its routes, its refusals and its headers.

The pages are an application of their own, mounted last, so that their errors are pages and the interface's
stay problem documents. They take every path that is not the interface's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Match, Mount, Route
from starlette.staticfiles import StaticFiles

from api.explorer.pages import Explorer
from api.explorer.rendering import STATIC
from api.faults import Faults
from ledger.domain.errors import ConflictError, InvalidInputError, LedgerError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ledger.service.services import Services

INTERFACE: Final = ("/v1", "/health", "/ready", "/metrics", "/rpc", "/log/checkpoint", "/log/tile")
"""Paths that are never pages, whether or not a route of the interface takes them."""

_POLICY_HEADER: Final = b"content-security-policy"
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_STATUS: Final[tuple[tuple[type[LedgerError], int], ...]] = (
    (NotFoundError, 404),
    (ConflictError, 404),
    (InvalidInputError, 422),
    (UnavailableError, 503),
)
_PAGES: Final = frozenset({404, 405, 422, 503, 500})
_KEPT: Final = b"public, max-age=31536000, immutable"


def install(app: FastAPI, services: Services) -> None:
    """Mount the pages below every route that ``app`` has already."""
    app.router.routes.append(_Pages("", app=_application(Explorer(services))))


class _Pages(Mount):
    """A mount that leaves the interface's paths alone, so that their refusals stay its own."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = scope.get("path", "")
        if any(path == prefix or path.startswith(prefix + "/") for prefix in INTERFACE):
            return Match.NONE, {}
        return super().matches(scope)


def _application(explorer: Explorer) -> Starlette:
    def refused(request: Request, error: Exception) -> Response:
        return explorer.problem(request, _status_of(error))

    def failed(request: Request, error: Exception) -> Response:
        structlog.get_logger("explorer").error("page_failed", path=request.url.path, exc_info=error)
        return explorer.problem(request, 500)

    return Starlette(
        routes=[
            Route("/", explorer.overview),
            Route("/overview/counters", explorer.counters),
            Route("/agencies", explorer.agencies),
            Route("/agencies/{agency}", explorer.agency),
            Route("/sharing", explorer.sharing),
            Route("/agreements", explorer.agreements),
            Route("/agreements/{agreement}", explorer.agreement),
            Route("/responsibility", explorer.responsibility),
            Route("/notices", explorer.notices),
            Route("/notices/{case}", explorer.notice),
            Route("/log", explorer.log),
            Route("/log/entry", explorer.find_entry),
            Route("/log/{index}", explorer.entry),
            Route("/ask", explorer.ask),
            Route("/ask/right", explorer.ask_right),
            Route("/ask/responsible", explorer.ask_responsible),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(_Headers),
            Middleware(GZipMiddleware, minimum_size=1_000),
            Middleware(Faults, answer=failed),
        ],
        exception_handlers={HTTPException: refused, LedgerError: refused},
    )


def _status_of(error: Exception) -> int:
    if isinstance(error, HTTPException):
        return error.status_code if error.status_code in _PAGES else 404
    found = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
    if found == 500:
        structlog.get_logger("explorer").error("page_failed", exc_info=error)
    return found


class _Headers:
    """Adds the pages' own content policy, which allows less than the interface's, and says what may be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_kept = scope["path"].startswith("/static/") and b"v=" in scope["query_string"]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = _KEPT if is_kept and message["status"] in {200, 304} else b"no-cache"
                own = [(name, value) for name, value in message["headers"] if name.lower() != b"cache-control"]
                message["headers"] = [
                    *own,
                    (_POLICY_HEADER, _POLICY),
                    (b"cache-control", kept),
                    (b"vary", b"Accept-Language"),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers)
