"""Agreements and what they grant."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import public
from api.deps import After, Limit, ReadServices
from api.schemas import answers
from ledger.service.agreements import ShowAgreement
from ledger.service.paging import PAGE_LIMIT
from ledger.service.reading_agreements import (
    PageAgreements,
    PageGrants,
    ShowVersion,
    page_agreements,
    page_grants,
    public_agreement,
    public_signatures,
    public_version,
)

router = APIRouter(prefix="/v1", tags=["agreements"])

Agreement = Annotated[
    str, Path(max_length=200, description="Its reference, its id, or 8 digits or more of the id's beginning.")
]
Agency = Annotated[str, Query(max_length=300, description="An agency's id.")]


@router.get("/agreements", summary="List agreements", responses=answers("Page", "Agreements by proposal."))
def list_agreements(
    request: Request,
    services: ReadServices,
    party: Agency = "",
    status: Annotated[
        str, Query(max_length=20, description="PROPOSED, ACTIVE, SUSPENDED, TERMINATED, DISPOSED or CANCELLED.")
    ] = "",
    after: After = "",
    limit: Limit = PAGE_LIMIT,
) -> Response:
    """List agreements, of one party or in one status if asked."""
    asked = PageAgreements(party=party, status=status, after=after, limit=limit)
    return public(request, page_agreements(services, asked))


@router.get("/agreements/{agreement}", summary="Show an agreement", responses=answers("Record", "The agreement."))
def show_agreement(request: Request, services: ReadServices, agreement: Agreement) -> Response:
    """Show an agreement with its versions, parties, grants, signatures, statuses and chain events."""
    return public(request, public_agreement(services, ShowAgreement(agreement=agreement)))


@router.get(
    "/agreements/{agreement}/versions/{version}",
    summary="Show one version of an agreement",
    responses=answers("Record", "The version."),
)
def show_version(
    request: Request,
    services: ReadServices,
    agreement: Agreement,
    version: Annotated[int, Path(ge=1, le=2**32 - 1)],
) -> Response:
    """Show what one version says and who signed it."""
    return public(request, public_version(services, ShowVersion(agreement=agreement, version=version)))


@router.get(
    "/agreements/{agreement}/signatures",
    summary="List an agreement's signatures",
    responses=answers("Record", "The signatures."),
)
def list_signatures(request: Request, services: ReadServices, agreement: Agreement) -> Response:
    """List who signed which version, with which key, in which block."""
    return public(request, public_signatures(services, ShowAgreement(agreement=agreement)))


@router.get("/grants", summary="What is shared between two agencies", responses=answers("Page", "By agreement."))
def list_grants(
    request: Request,
    services: ReadServices,
    provider: Agency = "",
    recipient: Agency = "",
    dataset: Annotated[str, Query(max_length=500, description="A dataset's id, `AGENCY#CODE`.")] = "",
    in_force: Annotated[bool, Query(description="Leave out what is not in force now.")] = False,
    after: After = "",
    limit: Limit = PAGE_LIMIT,
) -> Response:
    """List what is granted by whom to whom: which dataset, why, on what basis, until when."""
    asked = PageGrants(
        provider=provider, recipient=recipient, dataset=dataset, in_force=in_force, after=after, limit=limit
    )
    return public(request, page_grants(services, asked))
