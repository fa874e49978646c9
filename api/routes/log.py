"""The log: checkpoint, proofs and anchors, and its tlog-tiles files as a static server would give them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.answers import file, immutable, public
from api.deps import After, Limit, ReadServices, ServicesDep
from api.schemas import answers, answers_file
from ledger.log.media import NOTE_TYPE, TILE_TYPE
from ledger.service.paging import PAGE_LIMIT
from ledger.service.reading_log import (
    PageAnchors,
    ProveConsistency,
    ProveInclusion,
    ReadTile,
    ShowAnchor,
    page_anchors,
    prove_consistency,
    prove_inclusion,
    read_checkpoint,
    read_tile,
    show_anchor,
    show_checkpoint,
)

router = APIRouter(tags=["log"])

_SIZE_MAX = 2**53 - 1
Size = Annotated[int, Query(ge=-1, le=_SIZE_MAX, description="A size of the tree; the published checkpoint's if -1.")]


@router.get("/v1/log/checkpoint", summary="The newest checkpoint", responses=answers("Record", "The checkpoint."))
def checkpoint(request: Request, services: ServicesDep) -> Response:
    """Give the signed note, what it says, and the key that it verifies with."""
    return public(request, show_checkpoint(services))


@router.get("/v1/log/proofs/inclusion", summary="Prove an entry", responses=answers("Record", "The audit path."))
def inclusion(
    request: Request,
    services: ServicesDep,
    index: Annotated[int, Query(ge=0, le=_SIZE_MAX)],
    size: Size = -1,
) -> Response:
    """Give an entry's bytes and its RFC 6962 audit path; for a stated size the answer never changes."""
    proof = prove_inclusion(services, ProveInclusion(index=index, size=size))
    return public(request, proof) if size == -1 or proof["checkpoint"] else immutable(request, proof)


@router.get(
    "/v1/log/proofs/consistency", summary="Prove that nothing was rewritten", responses=answers("Record", "The path.")
)
def consistency(
    request: Request,
    services: ServicesDep,
    old: Annotated[int, Query(ge=1, le=_SIZE_MAX)],
    new: Size = -1,
) -> Response:
    """Give the RFC 6962 proof that the first `old` entries begin the first `new`."""
    proof = prove_consistency(services, ProveConsistency(old=old, new=new))
    return public(request, proof) if new == -1 or proof["checkpoint"] else immutable(request, proof)


@router.get("/v1/log/anchors", summary="List anchors", responses=answers("Page", "Anchors, the oldest first."))
def list_anchors(request: Request, services: ReadServices, after: After = "", limit: Limit = PAGE_LIMIT) -> Response:
    """List the checkpoints that the chain holds."""
    return public(request, page_anchors(services, PageAnchors(after=after, limit=limit)))


@router.get("/v1/log/anchors/{size}", summary="Show an anchor", responses=answers("Record", "The anchor."))
def anchor(request: Request, services: ReadServices, size: Annotated[int, Path(ge=1, le=_SIZE_MAX)]) -> Response:
    """Show an anchor with the signed note that its hash stands for."""
    return public(request, show_anchor(services, ShowAnchor(size=size)))


@router.get("/log/checkpoint", summary="The checkpoint's file", responses=answers_file("text/plain", "A signed note."))
def checkpoint_file(request: Request, services: ServicesDep) -> Response:
    """Give the newest checkpoint as C2SP tlog-tiles names it."""
    return file(request, read_checkpoint(services), NOTE_TYPE, is_immutable=False)


@router.get(
    "/log/tile/{path:path}",
    summary="A tile or entry bundle",
    responses=answers_file("application/octet-stream", "Its bytes."),
)
def tile(
    request: Request,
    services: ServicesDep,
    path: Annotated[str, Path(max_length=200, examples=["0/x001/234", "entries/000.p/7"])],
) -> Response:
    """Give a file of the log. A full one never changes; a partial one may be gone once the full one is there."""
    content = read_tile(services, ReadTile(path=path))
    return file(request, content, TILE_TYPE, is_immutable=True)
