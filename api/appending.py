"""POST /v1/events from the first byte of its body to the answer, and the short way to it.

An exchange platform sends hundreds of batches a second, and a framework's routing, dependencies and layers cost more
than the batch's own way through HTTP (ADR 123). So the usual request is answered by `append_directly`, in front of
the framework; any other finds the declared route in ``api.routes.events``. Both call `append_body`, and what fails in
either is told by ``api.errors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request

from api import errors
from api.answers import encoded
from api.deps import checked_idempotency_key
from api.faults import Faults
from api.headers import NO_STORE, SECURITY_HEADERS
from ledger.service.ahead_appending import append_ahead
from ledger.service.batch_wire import JSON, MEDIA_TYPES, NDJSON, parse_batch_bytes, stated_reporter
from ledger.service.event_appending import append_batch
from ledger.service.event_submission import shown
from ledger.service.limits import BATCH_BODY_BYTES_MAX

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from api.arrivals import Arrivals
    from ledger.service.services import Services

PATH: Final = "/v1/events"
_LARGE_BODY: Final = 16_384
"""Below this a batch is read sooner than it is handed to another process."""
_HEADERS: Final = [
    (name.lower().encode(), value.encode())
    for name, value in {**NO_STORE, "Content-Type": JSON, **SECURITY_HEADERS}.items()
]


class Answer(NamedTuple):
    """The answer to a batch: 201 or 207, and the receipts as JSON."""

    status: int
    body: bytes


async def append_body(request: Request, services: Services, key: str, *, atomic: bool) -> Answer:
    """Take in a request's batch, and answer once its events are on disk.

    Args:
        request: The request, whose body has not been read.
        services: The home's.
        key: Its ``Idempotency-Key``, checked; empty for none.
        atomic: Whether the whole batch is refused where one event is.

    Raises:
        HTTPException: As ``receive_body``; 415 for a type that no batch has.
        LedgerError: As ``append_batch``; ``BusyError`` where there is no room.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower() or JSON
    if media_type not in MEDIA_TYPES:
        raise HTTPException(415, f"a batch is one of {', '.join(MEDIA_TYPES)}")
    arrivals: Arrivals = request.app.state.arrivals
    with arrivals.place(request.client.host if request.client is not None else "") as place:
        body = await place.receive(request, BATCH_BODY_BYTES_MAX)
        return await place.work(
            stated_reporter(body, media_type), lambda: _append(services, body, media_type, key, atomic=atomic)
        )


def _append(services: Services, body: bytes, media_type: str, key: str, *, atomic: bool) -> Answer:
    if media_type == NDJSON and len(body) > _LARGE_BODY and services.reader is not None:
        read = services.reader.read(body)
        if read is not None and (answer := append_ahead(services, read, idempotency_key=key)) is not None:
            return Answer(201, answer)
    batch = parse_batch_bytes(body, media_type=media_type, idempotency_key=key)
    appended = append_batch(services, batch, atomic=atomic)
    return Answer(207 if appended.rejected else 201, encoded(shown(appended)))


def is_usual(scope: Scope) -> bool:
    """Say whether a request is a batch without a query, which needs nothing of the framework."""
    return (
        scope["type"] == "http"
        and scope["method"] == "POST"
        and scope["path"] == PATH
        and not scope["query_string"]
        and not scope.get("root_path")
    )


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    services: Any = request.app.state.services
    key = checked_idempotency_key(request.headers.get("idempotency-key", ""))
    status, body = await append_body(request, services, key, atomic=False)
    headers = [(b"content-length", b"%d" % len(body)), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


append_directly: Final[ASGIApp] = Faults(_answer, answer=errors.answer)
"""Answers a usual request as the declared route would, in front of the framework."""
