"""States of entries: of one, of a range, as a stream of server-sent events; and the metrics of the service."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from api.answers import public
from api.deps import ReadServices, ServicesDep
from api.headers import NO_STORE
from api.schemas import answers, answers_file
from ledger.service.event_states import (
    RANGE_MAX,
    ShowState,
    ShowStates,
    public_state,
    range_states,
    sizes_json,
)
from ledger.service.metrics import MEDIA_TYPE, render

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from api.places import Places
    from ledger.service.frontiers import Frontiers, Sizes

router = APIRouter(tags=["events"])

HEARTBEAT_S: Final = 15.0
"""A comment this often keeps a proxy from closing a quiet stream."""

_LEAST_S: Final = 0.05
"""Between two events of one stream: what happens in between is in the second."""

_INDEX_MAX: Final = 2**53 - 1


@router.get("/v1/events/state", summary="The states of a range", responses=answers("Record", "Runs of entries."))
def range_of_states(
    request: Request,
    services: ReadServices,
    first: Annotated[int, Query(ge=0, le=_INDEX_MAX, description="The first entry's index.")] = 0,
    count: Annotated[int, Query(ge=1, le=RANGE_MAX, description="How many entries.")] = RANGE_MAX,
) -> Response:
    """Tell how far the entries of a range have come, as runs of entries that came equally far with the same anchor."""
    return public(request, range_states(services, ShowStates(first=first, count=count)))


@router.get("/v1/events/states", summary="States as they change", include_in_schema=False)
async def stream_of_states(
    request: Request,
    services: ServicesDep,
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", max_length=200)] = "",
) -> Response:
    """Send the four frontiers as server-sent events whenever one moves (docs/api.md); each stands for all before it."""
    if request.scope.get("is_head"):
        return Response(headers=NO_STORE, media_type="text/event-stream")
    stream = _events(services.frontiers, last_event_id)
    return _Stream(stream, request.app.state.stream_places)


@router.get("/v1/events/{event}/state", summary="The state of an entry", responses=answers("Record", "It, with times."))
def one_state(
    request: Request,
    services: ReadServices,
    event: Annotated[str, Path(max_length=200, description="An index in the log.")],
) -> Response:
    """Tell how far an entry has come: accepted, included, anchored or final, and when."""
    return public(request, public_state(services, ShowState(event=event)))


@router.get(
    "/metrics", summary="Metrics", tags=["service"], responses=answers_file("text/plain", "Prometheus's text format.")
)
def metrics(request: Request, services: ServicesDep) -> Response:
    """Give sizes, latencies, queues, failures and lags to a monitoring system on this machine."""
    if not (services.settings.metrics_from_anywhere or _is_local(request)):
        raise HTTPException(403, "metrics are read on the machine itself; QUANZE_METRICS_FROM_ANYWHERE opens them")
    return Response(render(services), headers=NO_STORE, media_type=MEDIA_TYPE)


class _Stream(StreamingResponse):
    """A stream that holds a place while it lasts."""

    def __init__(self, content: AsyncIterator[bytes], places: Places) -> None:
        super().__init__(
            content, headers={**NO_STORE, "X-Accel-Buffering": "no", "Access-Control-Allow-Origin": "*"},
            media_type="text/event-stream",
        )  # fmt: skip
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client goes or the service stops.

        Raises:
            UnavailableError: Every place is taken; nothing was sent.
        """
        with self._places.one():
            await super().__call__(scope, receive, send)


async def _events(frontiers: Frontiers, seen: str) -> AsyncIterator[bytes]:
    """Yield an event for every change since ``seen``, the newest where several came; a client holds no memory here."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # The server has stopped.
            loop.call_soon_threadsafe(changed.set)

    end = frontiers.listen(tell)
    try:
        yield b"retry: 1000\n\n"
        while not frontiers.is_closed:
            changed.clear()
            sizes = frontiers.sizes
            if (name := _event_id(sizes)) != seen:
                seen = name
                yield f"id: {name}\nevent: frontiers\ndata: {json.dumps(sizes_json(sizes))}\n\n".encode()
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT_S)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            await asyncio.sleep(_LEAST_S)
    finally:
        end()


def _event_id(sizes: Sizes) -> str:
    """Return what a client names when it comes back: the four sizes, which say what it has been told."""
    return "-".join(str(reached.size) for reached in (sizes.accepted, sizes.included, sizes.anchored, sizes.final))


def _is_local(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
