"""Events: appending signed batches, and reading what may be read of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import JSON, private, public
from api.appending import append_body
from api.deps import After, IdempotencyKey, Limit, Reader, ReadServices, ServicesDep
from api.headers import NO_STORE
from api.schemas import BUSY, answers, takes_batch
from ledger.service.event_views import LastEvent, ShowEvent
from ledger.service.paging import PAGE_LIMIT
from ledger.service.reading_events import PageEvents, page_events, party_event, public_event, reporters_last

router = APIRouter(prefix="/v1", tags=["events"])


@router.post(
    "/events",
    summary="Append a signed batch of events",
    status_code=201,
    responses={
        **answers("Receipts", "All events are on disk.", status=201),
        **answers("Receipts", "The events before the first that is rejected are on disk.", status=207),
        **BUSY,
    },
    openapi_extra=takes_batch(),
)
async def append(
    request: Request,
    services: ServicesDep,
    key: IdempotencyKey,
    atomic: Annotated[bool, Query(description="Refuse the whole batch where one event is rejected.")] = False,
) -> Response:
    """Accept a batch's events, and answer with a receipt for each once they are on disk.

    The signature is the authority: over the RFC 6962 root of the events' digests, by a key that the registry binds to
    the reporting post. The same batch again, by its nonce or its `Idempotency-Key`, gets its first answer, even after
    its deadline; other content under either is a conflict that names both digests.

    Where an event is rejected, those before it are accepted and the answer is 207: `rejected` names each that is not,
    and why. Each event states the digest of the one before, so what follows a rejected one is rejected with it. A batch
    whose first event is rejected is refused whole, and so is any with `atomic=true`.

    The body may be encoded as gzip or zstd. 429 says that there is no room now, and with `Retry-After` when there
    should be; nothing was taken, and the same bytes may be sent again.
    """
    status, receipts = await append_body(request, services, key, atomic=atomic)
    return Response(receipts, status, NO_STORE, media_type=JSON)


@router.get("/events", summary="List entries of the log", responses=answers("Page", "Entries and the checkpoint."))
def list_events(
    request: Request,
    services: ReadServices,
    stream: Annotated[str, Query(max_length=64, pattern="^([0-9a-f]{64})?$", description="Only this stream's.")] = "",
    after: After = "",
    limit: Limit = PAGE_LIMIT,
) -> Response:
    """List the log's leaves, which say nothing of their events in clear."""
    return public(request, page_events(services, PageEvents(stream=stream, after=after, limit=limit)))


@router.get(
    "/events/last", summary="The last event that the ledger holds of a reporter", responses=answers("Record", "It.")
)
def last(
    services: ReadServices,
    reader: Reader,
    reporter: Annotated[str, Query(max_length=400, description="The reporting post, `CODE@AGENCY`.")],
    agreement: Annotated[str, Query(max_length=200, description="Empty for events that name none.")] = "",
) -> Response:
    """Tell a reporter the last sequence number (-1 for none) and digest of its stream; the read is signed by it."""
    return private(reporters_last(services, LastEvent(post=reporter, agreement=agreement), reader))


@router.get("/events/{event}", summary="Show an entry", responses=answers("Record", "The entry and its proof."))
def show_event(
    request: Request,
    services: ReadServices,
    reader: Reader,
    event: Annotated[str, Path(max_length=200, description="An index in the log; for its parties also its id.")],
) -> Response:
    """Show a leaf with its inclusion proof, checkpoint and anchor; a party's signed read also shows the event."""
    if reader is not None:
        return private(party_event(services, ShowEvent(event=event), reader))
    return public(request, public_event(services, ShowEvent(event=event)))
