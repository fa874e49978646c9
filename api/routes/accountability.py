"""Responsibilities, notices, and the inspector's questions."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import private, public
from api.deps import After, At, KnownAt, Limit, Reader, ReadServices
from api.schemas import answers
from ledger.service.asking_history import AskHistory
from ledger.service.asking_proof import AskProof
from ledger.service.asking_responsible import AskResponsible, ask_responsible
from ledger.service.asking_right import AskRight, ask_right
from ledger.service.case_views import ShowCase
from ledger.service.paging import PAGE_LIMIT
from ledger.service.reading_events import party_proof, public_proof
from ledger.service.reading_notices import PageNotices, page_notices, public_history, public_notice
from ledger.service.reading_responsibilities import PageResponsibilities, page_responsibilities

router = APIRouter(prefix="/v1", tags=["accountability"])

Duty = Annotated[str, Query(max_length=40, description="A duty, as DELIVER, USE_WITHIN_SCOPE, PROTECT or DISPOSE.")]
About = Annotated[str, Query(max_length=500, description="An agreement, a dataset (`AGENCY#CODE`) or `platform`.")]


@router.get("/responsibilities", summary="List assignments of duties", responses=answers("Page", "Assignments."))
def list_responsibilities(
    request: Request,
    services: ReadServices,
    object: About = "",  # noqa: A002 - the query parameter's name.
    post: Annotated[str, Query(max_length=400, description="A post's id, `CODE@AGENCY`.")] = "",
    after: After = "",
    limit: Limit = PAGE_LIMIT,
) -> Response:
    """List who was assigned which duty, and whether the post accepted it."""
    asked = PageResponsibilities(object=object, post=post, after=after, limit=limit)
    return public(request, page_responsibilities(services, asked))


@router.get("/responsibilities/who", summary="Who answers for a duty", responses=answers("Answer", "The answer."))
def who(
    request: Request,
    services: ReadServices,
    duty: Duty,
    object: About,  # noqa: A002 - the query parameter's name.
    at: At = "",
    known_at: KnownAt = "",
) -> Response:
    """Say who answered for a duty at a time, the LEAD first; a vacancy is an answer too."""
    asked = AskResponsible(duty=duty, object=object, at=at, known_at=known_at)
    return public(request, ask_responsible(services, asked))


@router.get("/notices", summary="List notices", responses=answers("Page", "Opened cases in the order of filing."))
def list_notices(request: Request, services: ReadServices, after: After = "", limit: Limit = PAGE_LIMIT) -> Response:
    """List the cases whose respondent the chain has opened. A sealed case never appears, in any number either."""
    return public(request, page_notices(services, PageNotices(after=after, limit=limit)))


@router.get("/notices/{case}", summary="Show a notice", responses=answers("Record", "The opened case."))
def show_notice(request: Request, services: ReadServices, case: Annotated[str, Path(max_length=70)]) -> Response:
    """Show an opened case with its steps; what is not public of a step is shown as its commitment."""
    return public(request, public_notice(services, ShowCase(case=case)))


@router.get("/ask/right", summary="By what right did an agency hold a dataset?", responses=answers("Answer", "It."))
def right(
    request: Request,
    services: ReadServices,
    agency: Annotated[str, Query(max_length=300)],
    dataset: Annotated[str, Query(max_length=500)],
    at: At = "",
    known_at: KnownAt = "",
) -> Response:
    """Say by what right an agency held a dataset at a time. "None existed" is an answer with its own sources."""
    return public(request, ask_right(services, AskRight(agency=agency, dataset=dataset, at=at, known_at=known_at)))


@router.get("/ask/responsible", summary="Who answered for a duty?", responses=answers("Answer", "The answer."))
def responsible(
    request: Request,
    services: ReadServices,
    duty: Duty,
    object: About,  # noqa: A002 - the query parameter's name.
    at: At = "",
    known_at: KnownAt = "",
) -> Response:
    """Say who answered for a duty over an object at a time, by whose word, and where there were gaps."""
    asked = AskResponsible(duty=duty, object=object, at=at, known_at=known_at)
    return public(request, ask_responsible(services, asked))


@router.get("/ask/history", summary="What happened in a case?", responses=answers("Answer", "The answer."))
def history(
    request: Request,
    services: ReadServices,
    case: Annotated[str, Query(max_length=70, description="An opened case's id.")],
    at: At = "",
    known_at: KnownAt = "",
) -> Response:
    """Say what happened in an opened case, as far as it was known at a time."""
    return public(request, public_history(services, AskHistory(case=case, at=at, known_at=known_at)))


@router.get("/ask/prove", summary="What proves an event?", responses=answers("Answer", "The answer."))
def prove(
    request: Request,
    services: ReadServices,
    reader: Reader,
    event: Annotated[str, Query(max_length=200, description="An index in the log; for its parties also its id.")],
    at: At = "",
    known_at: KnownAt = "",
) -> Response:
    """Prove an entry of the log; a signed read by one of its parties is also told what it says and its verdict."""
    asked = AskProof(event=event, at=at, known_at=known_at)
    if reader is not None:
        return private(party_proof(services, asked, reader))
    return public(request, public_proof(services, asked))
