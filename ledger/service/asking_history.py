"""What happened in a case, as far as it was known at a time?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.case_state import fold_case
from ledger.domain.errors import NotFoundError
from ledger.service.answers import as_of, frame, known, known_by
from ledger.service.case_views import CASES, entry_json, reference_of, resolve_case
from ledger.service.requests import Request
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.service.services import Services


class AskHistory(Request, frozen=True, kw_only=True):
    """Arguments of ``ask history``."""

    case: str
    at: str = ""
    known_at: str = ""


def ask_history(services: Services, request: AskHistory) -> dict[str, Any]:
    """Return a case's steps, who took them, and what a pending appeal leaves open.

    Raises:
        NotFoundError: There was no such case by then.
    """
    case = resolve_case(services, request.case)
    at = as_of(services, request.at)
    known_at = min(known_by(services, request.known_at), at) if request.at else known_by(services, request.known_at)
    history = known(services.state.history(CASES, case), known_at)
    state = fold_case(history)
    if state is None:
        raise NotFoundError("case", request.case)
    whom = services.directory.text(state.respondent) if state.respondent else "a sealed respondent"
    gaps = []
    if state.appeal is not None and state.appeal.name == "APPEAL_FILED":
        gaps.append("an appeal is pending")
    if state.is_sealed:
        gaps.append("sealed: the respondent was not opened on chain")
    last = state.entries[-1]
    named = reference_of(services, case) or case.hex()
    return {
        "answer": f"Case {named} against {whom}: {state.step.name} since {iso(last.at)}",
        "case": case.hex(),
        "step": state.step.name,
        "appeal": state.appeal.name if state.appeal else "",
        "respondent": services.directory.text(state.respondent) if state.respondent else "",
        "steps": [entry_json(services, entry) for entry in state.entries],
        **frame(services, {"ask": "history", "case": case.hex()}, at=at, known_at=known_at, sources=history, gaps=gaps),
    }
