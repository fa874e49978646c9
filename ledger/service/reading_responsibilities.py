"""Responsibilities as anyone may read them, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.identifiers import parse_post
from ledger.service.paging import Paged, page_of, read_at
from ledger.service.responsibilities import assignment_json, find_assignment, resolve_object

if TYPE_CHECKING:
    from ledger.service.services import Services


class PageResponsibilities(Paged, frozen=True, kw_only=True):
    """Which assignments: all, about one object, of one post."""

    object: str = ""
    post: str = ""


def page_responsibilities(services: Services, request: PageResponsibilities) -> dict[str, object]:
    """List assignments in the order of their proposal. Raises as ``page_of`` and ``resolve_object``."""
    about = resolve_object(services, request.object)[1] if request.object else None
    post = parse_post(request.post).id if request.post else None

    def view(assignment: bytes) -> dict[str, object] | None:
        found = find_assignment(services, assignment)
        if found is None or about not in {None, found.object} or post not in {None, found.assignee}:
            return None
        return assignment_json(services, found)

    return {**page_of(services.state.ids("assignment"), request, view), "read_at": read_at(services)}
