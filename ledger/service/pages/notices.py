"""Notices as the public sees them: cases whose respondent was opened on chain, and how each of them stands.

A sealed case is nowhere here: no page, no number and no error tells it from one that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.case_state import APPEAL_OUTCOMES
from ledger.domain.codes import CaseStep, Measure
from ledger.domain.errors import NotFoundError
from ledger.service import registry_views
from ledger.service.case_views import find_case
from ledger.service.pages.listing import Listing, check_cursor
from ledger.service.pages.names import Name, agency_name, post_name, public_values
from ledger.service.requests import Request

if TYPE_CHECKING:
    from ledger.domain.case_state import CaseEntry, CaseState
    from ledger.service.services import Services

_STANDING: Final[dict[CaseStep, str]] = {
    CaseStep.NOTICE_ISSUED: "OPEN",
    CaseStep.DECIDED: "OPEN",
    CaseStep.RECTIFYING: "RECTIFYING",
    CaseStep.EVIDENCE_FILED: "RECTIFYING",
    CaseStep.REWORK: "RECTIFYING",
    CaseStep.VERIFIED: "RECTIFYING",
    CaseStep.CLOSED: "FIXED",
    CaseStep.REOPENED: "REOPENED",
    CaseStep.FACTS_TOLD: "REOPENED",
    CaseStep.WITHDRAWN: "WITHDRAWN",
}
_PAGE_ROWS: Final = 200


class NoticesPage(Request, frozen=True, kw_only=True):
    """Arguments of `notices_page`."""

    after: str = ""
    limit: int = 50


class NoticePage(Request, frozen=True, kw_only=True):
    """Arguments of `notice_page`: an open case's id in hex, or the beginning of it."""

    case: str


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """An opened case: ``state`` is OPEN, RECTIFYING, FIXED, REOPENED, WITHDRAWN or REVOKED."""

    id: str
    respondent: Name
    authority: Name
    issued_at: int
    state: str
    appeal_pending: bool
    last_at: int


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step of an opened case: who took it and when; what it says only if it is public."""

    step: str
    post: Name
    at: int
    block: int
    commitment: str
    text: str


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One opened case with all its steps; articles and measures are those that its notice states."""

    line: NoticeLine
    violations: tuple[str, ...]
    measures: tuple[str, ...]
    steps: tuple[StepLine, ...]


@dataclass(frozen=True, slots=True)
class NoticeCounts:
    """How the opened cases stand."""

    notices: int
    fixed: int
    withdrawn: int


def notices_page(services: Services, request: NoticesPage) -> Listing[NoticeLine]:
    """List the opened cases in the order of their filing.

    Raises:
        InvalidInputError: A cursor that is none.
    """
    page = services.index.cases(sealed=False, after=check_cursor(request.after), limit=request.limit)
    states = (_opened(services, row.case_id) for row in page.rows)
    rows = tuple(_line(services, state) for state in states if state is not None)
    return Listing(rows, notice_counts(services).notices, page.next)


def notice_page(services: Services, request: NoticePage) -> NoticeView:
    """Show an opened case.

    Raises:
        NotFoundError: There is none, or it is sealed: the two look alike.
        ConflictError: The beginning fits several opened cases.
    """
    digits = request.case.lower()
    opened = [case for case in services.state.ids("case") if case.hex().startswith(digits)]
    states = [state for case in opened if (state := _opened(services, case)) is not None]
    if len(states) != 1 or len(digits) < len("00000000"):
        raise NotFoundError("notice", request.case)
    state = states[0]
    line = _line(services, state)
    hidden = line.state in {"WITHDRAWN", "REVOKED"}
    issued = [entry for entry in state.entries if entry.step is CaseStep.NOTICE_ISSUED and not hidden]
    stated = public_values(services, issued[-1].commitment) if issued else {}
    return NoticeView(
        line,
        _texts(stated.get("violations")),
        tuple(measure for measure in _texts(stated.get("measures")) if measure in set(Measure)),
        tuple(_step(services, entry, hidden=hidden) for entry in state.entries),
    )


def notice_counts(services: Services) -> NoticeCounts:
    """Count the opened cases by how they stand."""
    states = [_state(case) for case in _all_opened(services)]
    gone = sum(1 for state in states if state in {"WITHDRAWN", "REVOKED"})
    return NoticeCounts(len(states), sum(1 for state in states if state == "FIXED"), gone)


def _all_opened(services: Services) -> list[CaseState]:
    found: list[CaseState] = []
    after = ""
    while True:
        page = services.index.cases(sealed=False, after=after, limit=_PAGE_ROWS)
        found += [state for row in page.rows if (state := _opened(services, row.case_id)) is not None]
        if not page.next:
            return found
        after = page.next


def _opened(services: Services, case: bytes) -> CaseState | None:
    """Return a case if the chain opened it, whatever the index says."""
    state = find_case(services, case)
    return None if state is None or state.is_sealed else state


def _state(case: CaseState) -> str:
    if case.appeal is CaseStep.APPEAL_REVOKED:
        return "REVOKED"
    return _STANDING.get(case.step, "OPEN")


def _line(services: Services, case: CaseState) -> NoticeLine:
    issued = [entry for entry in case.entries if entry.step is CaseStep.NOTICE_ISSUED]
    acting = issued[-1] if issued else case.entries[-1]
    return NoticeLine(
        id=case.case_id.hex(),
        respondent=agency_name(services, case.respondent),
        authority=_agency_of(services, acting.post),
        issued_at=issued[0].at if issued else 0,
        state=_state(case),
        appeal_pending=case.appeal is not None and case.appeal not in APPEAL_OUTCOMES,
        last_at=case.entries[-1].at,
    )


def _agency_of(services: Services, post: bytes) -> Name:
    state = registry_views.find_post(services, post)
    return agency_name(services, state.agency) if state is not None else post_name(services, post)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list | tuple) else ()


def _step(services: Services, entry: CaseEntry, *, hidden: bool) -> StepLine:
    text = "" if hidden else str(public_values(services, entry.commitment).get("text", ""))
    return StepLine(
        step=entry.step.name,
        post=post_name(services, entry.post),
        at=entry.at,
        block=entry.block,
        commitment=entry.commitment.hex(),
        text=text,
    )
