"""Agencies, posts, keys and the catalogue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import public
from api.deps import After, Limit, ReadServices
from api.schemas import answers
from ledger.service.agencies import ShowAgency
from ledger.service.catalogue import ShowEntry
from ledger.service.paging import PAGE_LIMIT
from ledger.service.posts import ShowPost
from ledger.service.reading_registry import (
    PageAgencies,
    PageEntries,
    PageKeys,
    PagePosts,
    page_agencies,
    page_entries,
    page_keys,
    page_posts,
    public_agency,
    public_entry,
    public_post,
)

router = APIRouter(prefix="/v1", tags=["registry"])

Agency = Annotated[str, Query(max_length=300, description="An agency's id, as `uscc:119900000000A00135`.")]


@router.get("/agencies", summary="List agencies", responses=answers("Page", "Agencies in the order of admission."))
def list_agencies(request: Request, services: ReadServices, after: After = "", limit: Limit = PAGE_LIMIT) -> Response:
    """List agencies with their names, root keys and standing."""
    return public(request, page_agencies(services, PageAgencies(after=after, limit=limit)))


@router.get("/agencies/{agency:path}", summary="Show an agency", responses=answers("Record", "The agency."))
def show_agency(
    request: Request,
    services: ReadServices,
    agency: Annotated[str, Path(max_length=300, examples=["uscc:119900000000A00135"])],
) -> Response:
    """Show an agency with its posts and the chain events that say so."""
    return public(request, public_agency(services, ShowAgency(agency=agency)))


@router.get("/posts", summary="List posts", responses=answers("Page", "Posts in the order of registration."))
def list_posts(
    request: Request, services: ReadServices, agency: Agency = "", after: After = "", limit: Limit = PAGE_LIMIT
) -> Response:
    """List posts, of one agency if asked."""
    return public(request, page_posts(services, PagePosts(agency=agency, after=after, limit=limit)))


@router.get("/posts/{post:path}", summary="Show a post", responses=answers("Record", "The post."))
def show_post(
    request: Request,
    services: ReadServices,
    post: Annotated[str, Path(max_length=400, examples=["office-head@uscc:119900000000A00135"])],
) -> Response:
    """Show a post with the keys ever bound to it and the chain events that say so."""
    return public(request, public_post(services, ShowPost(post=post)))


@router.get("/keys", summary="List the keys of posts", responses=answers("Page", "Keys, post by post."))
def list_keys(
    request: Request,
    services: ReadServices,
    post: Annotated[str, Query(max_length=400, description="A post's id, `CODE@AGENCY`.")] = "",
    after: After = "",
    limit: Limit = PAGE_LIMIT,
) -> Response:
    """List the public addresses that spoke for posts, and when: which key spoke for post P at time T."""
    return public(request, page_keys(services, PageKeys(post=post, after=after, limit=limit)))


@router.get("/catalogue", summary="List datasets", responses=answers("Page", "The newest version of each entry."))
def list_entries(
    request: Request, services: ReadServices, agency: Agency = "", after: After = "", limit: Limit = PAGE_LIMIT
) -> Response:
    """List the catalogue, of one agency if asked; entries that are not shared are the negative list."""
    return public(request, page_entries(services, PageEntries(agency=agency, after=after, limit=limit)))


@router.get("/catalogue/{dataset:path}", summary="Show a dataset", responses=answers("Record", "The dataset."))
def show_entry(
    request: Request,
    services: ReadServices,
    dataset: Annotated[str, Path(max_length=500, examples=["uscc:119900000000A00135#population/basic"])],
) -> Response:
    """Show every version of a dataset's entry; the `#` of its id is `%23` in the path."""
    return public(request, public_entry(services, ShowEntry(dataset=dataset)))
