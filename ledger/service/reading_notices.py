"""Cases as anyone may read them: from the moment that the chain opened the respondent, and not before.

A sealed case is nowhere here: no row, no count, and no error that tells it from one that does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.case_state import fold_case
from ledger.domain.errors import ConflictError, NotFoundError
from ledger.service.answers import as_of, frame, known, known_by, source_json
from ledger.service.asking_history import AskHistory
from ledger.service.case_views import CASES, ShowCase, find_case, is_open
from ledger.service.documents import values_of
from ledger.service.paging import Paged, page_of, read_at
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.case_state import CaseEntry, CaseState
    from ledger.service.services import Services

_SHORTEST_PREFIX = 8


class PageNotices(Paged, frozen=True, kw_only=True):
    """Which notices: all."""


def page_notices(services: Services, request: PageNotices) -> dict[str, object]:
    """List the opened cases in the order of their filing. Raises as ``page_of``."""

    def view(case: bytes) -> dict[str, object] | None:
        state = find_case(services, case)
        return _row(services, state) if state is not None and not state.is_sealed else None

    return {**page_of(open_cases(services), request, view), "read_at": read_at(services)}


def public_notice(services: Services, request: ShowCase) -> dict[str, object]:
    """Show an opened case with its steps and the chain events that say so.

    Raises:
        NotFoundError: There is none, or it is sealed.
        ConflictError: The prefix fits several opened cases.
    """
    case = resolve_open_case(services, request.case)
    history = services.state.history(CASES, case)
    state = fold_case(history)
    if state is None:
        raise NotFoundError("notice", request.case)
    return {
        **_row(services, state),
        "opened_at": iso(state.opened_at) if state.opened_at is not None else "",
        "filing": state.filing.hex(),
        "steps": [public_entry_json(services, entry) for entry in state.entries],
        "sources": [source_json(services, recorded) for recorded in history],
        "read_at": read_at(services),
    }


def public_history(services: Services, request: AskHistory) -> dict[str, Any]:
    """Answer what happened in an opened case, as far as it was known at a time.

    Raises:
        NotFoundError: There is none, it is sealed, or it was not opened by then.
    """
    case = resolve_open_case(services, request.case)
    at = as_of(services, request.at)
    known_at = min(known_by(services, request.known_at), at) if request.at else known_by(services, request.known_at)
    history = known(services.state.history(CASES, case), known_at)
    state = fold_case(history)
    if state is None or state.is_sealed:
        raise NotFoundError("notice", request.case)
    gaps = ["an appeal is pending"] if state.appeal is not None and state.appeal.name == "APPEAL_FILED" else []
    gaps += ["what is not public of a step is shown as its commitment"]
    whom, last = services.directory.text(state.respondent), state.entries[-1]
    question = {"ask": "history", "case": case.hex()}
    return {
        "answer": f"Case {case.hex()} against {whom}: {state.step.name} since {iso(last.at)}",
        "case": case.hex(),
        "step": state.step.name,
        "appeal": state.appeal.name if state.appeal else "",
        "respondent": whom,
        "steps": [public_entry_json(services, entry) for entry in state.entries],
        **frame(services, question, at=at, known_at=known_at, sources=history, gaps=gaps),
    }


def open_cases(services: Services) -> list[bytes]:
    """Return the ids of the cases that the chain opened, in the order of their filing."""
    return [case for case in services.state.ids("case") if is_open(services, case)]


def resolve_open_case(services: Services, text: str) -> bytes:
    """Return the id of the opened case that a person means: its id, or 8 digits or more of its beginning.

    Raises:
        NotFoundError: No opened case.
        ConflictError: The prefix fits several opened cases.
    """
    digits = text.lower().removeprefix("0x")
    if len(digits) < _SHORTEST_PREFIX:
        raise NotFoundError("notice", text)
    found = [case for case in open_cases(services) if case.hex().startswith(digits)]
    if not found:
        raise NotFoundError("notice", text)
    if len(found) > 1:
        raise ConflictError("notice", f"{text} begins {len(found)} ids; give more digits")
    return found[0]


def public_entry_json(services: Services, entry: CaseEntry) -> dict[str, object]:
    """Return one step, and what it says only where its document is public."""
    document = services.directory.public_document(entry.commitment)
    opened = {name: value for name, value in values_of(document).items() if name != "step"} if document else {}
    return {
        "step": entry.step.name,
        "post": services.directory.text(entry.post),
        "at": iso(entry.at),
        "block": entry.block,
        "commitment": entry.commitment.hex(),
        "opened": opened,
    }


def _row(services: Services, state: CaseState) -> dict[str, object]:
    return {
        "case": state.case_id.hex(),
        "step": state.step.name,
        "appeal": state.appeal.name if state.appeal else "",
        "respondent": services.directory.text(state.respondent),
        "steps_taken": len(state.entries),
        "last_at": iso(state.entries[-1].at),
    }
