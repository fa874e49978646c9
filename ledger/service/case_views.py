"""Cases for showing: the domain's fold, and what the vault opens of each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.case_state import fold_case
from ledger.domain.errors import NotFoundError
from ledger.service.documents import values_of
from ledger.service.requests import Request
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.case_state import CaseEntry, CaseState
    from ledger.service.services import Services

CASES = "CaseLedger"


class ListCases(Request, frozen=True, kw_only=True):
    """Arguments of ``case list``; without ``sealed`` only cases whose respondent was opened."""

    sealed: bool = False


class ShowCase(Request, frozen=True, kw_only=True):
    """Arguments of ``case show``."""

    case: str


def find_case(services: Services, case: bytes) -> CaseState | None:
    """Return a case, or None if there is none."""
    return fold_case(services.state.history(CASES, case))


def resolve_case(services: Services, text: str) -> bytes:
    """Return the id of the case that a person means.

    Raises:
        NotFoundError: None.
        ConflictError: The prefix fits several.
    """
    return services.directory.resolve(text, services.state.ids("case"), "case")


def is_open(services: Services, case: bytes) -> bool:
    """Say whether the case's respondent was opened on chain."""
    state = find_case(services, case)
    return state is not None and not state.is_sealed


def list_cases(services: Services, request: ListCases) -> dict[str, list[dict[str, object]]]:
    """List the cases that are open to the public, or those still sealed."""
    items: list[dict[str, object]] = []
    for case in services.state.ids("case"):
        state = find_case(services, case)
        if state is None or state.is_sealed is not request.sealed:
            continue
        items.append(
            {
                "case": case.hex(),
                "reference": reference_of(services, case),
                "demonstration": _is_demonstration(services, case),
                "step": state.step.name,
                "appeal": state.appeal.name if state.appeal else "",
                "respondent": services.directory.text(state.respondent) if state.respondent else "",
                "steps": len(state.entries),
                "last_at": iso(state.entries[-1].at),
            }
        )
    return {"items": items}


def show_case(services: Services, request: ShowCase) -> dict[str, object]:
    """Show a case with its steps, as far as this home's vault opens them.

    Raises:
        NotFoundError: There is none.
    """
    return case_json(services, resolve_case(services, request.case))


def case_json(services: Services, case: bytes) -> dict[str, object]:
    """Return a case as JSON values."""
    state = find_case(services, case)
    if state is None:
        raise NotFoundError("case", case)
    return {
        "case": case.hex(),
        "reference": reference_of(services, case),
        "demonstration": _is_demonstration(services, case),
        "step": state.step.name,
        "appeal": state.appeal.name if state.appeal else "",
        "sealed": state.is_sealed,
        "respondent": services.directory.text(state.respondent) if state.respondent else "",
        "opened_at": iso(state.opened_at) if state.opened_at is not None else "",
        "steps": [entry_json(services, entry) for entry in state.entries],
    }


def entry_json(services: Services, entry: CaseEntry) -> dict[str, object]:
    """Return one step as JSON values, with what the vault opens of it."""
    document = services.directory.document(entry.commitment)
    opened = {name: value for name, value in values_of(document).items() if name != "step"} if document else {}
    return {
        "step": entry.step.name,
        "post": services.directory.text(entry.post),
        "at": iso(entry.at),
        "block": entry.block,
        "commitment": entry.commitment.hex(),
        "opened": opened,
    }


def reference_of(services: Services, case: bytes) -> str:
    """Return the reference that the case's documents here bear, empty if none does."""
    for document in services.directory.documents_about(case):
        if reference := document.extra.get("reference"):
            return str(reference)
    return ""


def _is_demonstration(services: Services, case: bytes) -> bool:
    """Say whether the case was recorded with keys generated for a demonstration."""
    return services.deployment.demonstration or any(
        "demonstration" in document.groups for document in services.directory.documents_about(case)
    )
