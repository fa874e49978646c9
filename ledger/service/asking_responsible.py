"""Who answered for a duty at a time? And since when, by whose word, with whom, and were there gaps?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.codes import Duty, ResponsibilityRole
from ledger.domain.identifiers import duty_key
from ledger.domain.responsibility_state import fold_responsibility
from ledger.service.answers import as_of, frame, known, known_by
from ledger.service.catalogue import named
from ledger.service.requests import Request
from ledger.service.responsibilities import LEDGER, assignment_json, resolve_object
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.responsibility_state import ResponsibilityState
    from ledger.service.services import Services


class AskResponsible(Request, frozen=True, kw_only=True):
    """Arguments of ``ask responsible`` and ``responsibility who``."""

    duty: str
    object: str
    at: str = ""
    known_at: str = ""


def ask_responsible(services: Services, request: AskResponsible) -> dict[str, Any]:
    """Return who answered for the duty, the LEAD first; a vacancy is an answer too.

    Raises:
        InvalidInputError: A bad duty or time.
        NotFoundError: There is no such object.
    """
    duty = named(Duty, request.duty, "duty")
    _, about = resolve_object(services, request.object)
    at, known_at = as_of(services, request.at), known_by(services, request.known_at)
    history = known(services.state.history(LEDGER, duty_key(duty, about)), known_at)
    state = fold_responsibility(history)
    holders = state.holders_at(duty, about, at)
    lead = state.lead_at(duty, about, at)
    question = {"ask": "responsible", "duty": duty.name, "object": request.object}
    when = iso(at)
    said = (
        f"{services.directory.text(lead.assignee)} answered for {duty.name} of {request.object} on {when}"
        if lead is not None
        else f"Nobody answered for {duty.name} of {request.object} on {when}: vacant"
    )
    return {
        "answer": said,
        "lead": services.directory.text(lead.assignee) if lead is not None else "",
        "holders": [assignment_json(services, held) for held in holders],
        "vacancies": _vacancies(state, duty, about, known_at),
        "not_counting": [assignment_json(services, other) for other in state.assignments if other not in holders],
        **frame(services, question, at=at, known_at=known_at, sources=history, gaps=_gaps(state)),
    }


def _vacancies(state: ResponsibilityState, duty: Duty, about: bytes, until: int) -> list[dict[str, str]]:
    leads = [
        held.valid_from
        for held in state.assignments
        if held.role == ResponsibilityRole.LEAD and held.accepted_at is not None
    ]
    if not leads:
        return []
    gaps = state.lead_gaps(duty, about, start=min(leads), end=max(until, min(leads)))
    return [{"from": iso(gap.start), "to": iso(gap.end)} for gap in gaps]


def _gaps(state: ResponsibilityState) -> list[str]:
    waiting = sum(1 for held in state.assignments if held.accepted_at is None and held.end_cause is None)
    return [f"{waiting} assignment(s) were proposed and never accepted: they do not count"] if waiting else []
