"""Agencies as the public sees them: who is on the ledger, with posts, catalogue entries and agreements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.codes import Grade, PostRole, SharingAttribute
from ledger.domain.errors import NotFoundError
from ledger.domain.scalars import ZERO32
from ledger.service import registry_views
from ledger.service.pages.agreements import AgreementLine, agreements_of
from ledger.service.pages.listing import Listing, check_cursor
from ledger.service.pages.names import Name, agency_name, code_text, dataset_name, post_name
from ledger.service.requests import Request

if TYPE_CHECKING:
    from ledger.domain.key_state import AgencyState, PostState
    from ledger.service.registry_views import EntryView
    from ledger.service.services import Services


_MANY = 1_000
"""More posts or entries than a page shows of one agency."""


class AgenciesPage(Request, frozen=True, kw_only=True):
    """Arguments of `agencies_page`."""

    after: str = ""
    limit: int = 50


class AgencyPage(Request, frozen=True, kw_only=True):
    """Arguments of `agency_page`: an id in hex, or the beginning of one."""

    agency: str


@dataclass(frozen=True, slots=True)
class AgencyLine:
    """An agency in a list."""

    name: Name
    state: str
    posts: int
    datasets: int
    admitted_at: int


@dataclass(frozen=True, slots=True)
class PostLine:
    """A post: what it may do, and by how many keys it speaks now."""

    name: Name
    roles: tuple[str, ...]
    state: str
    keys: int
    registered_at: int


@dataclass(frozen=True, slots=True)
class EntryLine:
    """The newest version of a catalogue entry."""

    name: Name
    version: int
    attribute: str
    grade: str
    review_required: bool
    law: str
    withdrawn: bool
    published_at: int


@dataclass(frozen=True, slots=True)
class AgencyView:
    """One agency with what it holds."""

    line: AgencyLine
    capacities: tuple[str, ...]
    successor: Name | None
    posts: tuple[PostLine, ...]
    entries: tuple[EntryLine, ...]
    agreements: Listing[AgreementLine]


def agencies_page(services: Services, request: AgenciesPage) -> Listing[AgencyLine]:
    """List the agencies in the order of their admission.

    Raises:
        InvalidInputError: A cursor that is none.
    """
    page = services.index.agencies(check_cursor(request.after), request.limit)
    lines = (_line(services, row.agency) for row in page.rows)
    total = len(services.state.ids("agency"))
    return Listing(tuple(line for line in lines if line is not None), total, page.next)


def agency_page(services: Services, request: AgencyPage) -> AgencyView:
    """Show an agency.

    Raises:
        NotFoundError: It is not admitted.
        ConflictError: The beginning fits several.
    """
    agency = services.directory.resolve(request.agency, services.state.ids("agency"), "agency")
    line, state = _line(services, agency), registry_views.find_agency(services, agency)
    if line is None or state is None:
        raise NotFoundError("agency", request.agency)
    successor = state.succession.successor if state.succession else ZERO32
    return AgencyView(
        line=line,
        capacities=_roles(state.capacities_at(services.now_s())),
        successor=agency_name(services, successor) if successor != ZERO32 else None,
        posts=_posts(services, agency),
        entries=_entries(services, agency),
        agreements=agreements_of(services, agency),
    )


def _line(services: Services, agency: bytes) -> AgencyLine | None:
    state = registry_views.find_agency(services, agency)
    if state is None:
        return None
    return AgencyLine(
        name=agency_name(services, agency),
        state=_agency_state(state, services.now_s()),
        posts=len(services.index.posts(agency, "", _MANY).rows),
        datasets=len({row.dataset for row in services.index.entries(agency, "", _MANY).rows}),
        admitted_at=state.admitted_at,
    )


def _agency_state(state: AgencyState, now: int) -> str:
    if state.succession is not None and state.succession.effective_at <= now:
        return "SUCCEEDED"
    return "LIVE" if state.is_live_at(now) else "SUSPENDED"


def _posts(services: Services, agency: bytes) -> tuple[PostLine, ...]:
    rows = services.index.posts(agency, "", _MANY).rows
    states = (registry_views.find_post(services, row.post) for row in rows)
    return tuple(_post(services, state) for state in states if state is not None)


def _post(services: Services, state: PostState) -> PostLine:
    now = services.now_s()
    return PostLine(
        name=post_name(services, state.post),
        roles=_roles(PostRole(state.roles[-1].value)),
        state="LIVE" if state.is_live_at(now) else "RETIRED",
        keys=len(state.keys_at(now)),
        registered_at=state.registered_at,
    )


def _entries(services: Services, agency: bytes) -> tuple[EntryLine, ...]:
    datasets = dict.fromkeys(row.dataset for row in services.index.entries(agency, "", _MANY).rows)
    versions = (registry_views.entries_of(services, dataset) for dataset in datasets)
    return tuple(_entry(services, known[-1]) for known in versions if known)


def _entry(services: Services, entry: EntryView) -> EntryLine:
    return EntryLine(
        name=dataset_name(services, entry.dataset),
        version=entry.version,
        attribute=SharingAttribute(entry.attribute).name,
        grade=Grade(entry.grade).name,
        review_required=entry.review_required,
        law=code_text(services, entry.law),
        withdrawn=entry.is_withdrawn,
        published_at=entry.published_at,
    )


def _roles(mask: PostRole) -> tuple[str, ...]:
    return tuple(role.name or "" for role in PostRole(mask))
