"""Answers that evidence can prove: recomputed from complete histories, by the same rules as the ledger's.

A question is its fields as text (`ask`, what it is about, `at` and `known_at` as instants in UTC). A negative answer is
recomputed from the same histories, an empty one being proved by its empty slot.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ledger.domain import canonical
from ledger.domain.agreement_state import agreement_at
from ledger.domain.case_state import case_at
from ledger.domain.codes import Duty
from ledger.domain.errors import VerificationError
from ledger.domain.history import known_at as known
from ledger.domain.identifiers import agency_id, dataset_id, duty_key, recipient_key
from ledger.domain.legal_time import window_end, window_start
from ledger.domain.responsibility_state import responsibility_at
from ledger.domain.rights import reasons_against
from ledger.domain.scalars import hex32
from ledger.evidence.histories import AGREEMENTS, CASES, RESPONSIBILITIES, proposed_agreements, rights_base

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ledger.domain.event_log import Event, Recorded
    from ledger.evidence.histories import HeadKey

STEP: Final = 8
FIELDS: Final = {
    "right": ("agency", "ask", "at", "dataset", "known_at"),
    "responsible": ("ask", "at", "duty", "known_at", "object"),
    "history": ("ask", "at", "case", "known_at"),
}
"""Question → its fields; ``object`` and ``case`` are ids in hex."""

Read = "Callable[[str, bytes], Sequence[Recorded[Event]]]"


def check_question(question: Mapping[str, str]) -> str:
    """Return what is asked.

    Raises:
        VerificationError: No such question, or other fields than it has.
    """
    asked = question.get("ask", "")
    if asked not in FIELDS or tuple(sorted(question)) != FIELDS[asked]:
        raise VerificationError(0, f"the question {asked!r} is not one that evidence answers, or has other fields")
    return asked


def answer_base(question: Mapping[str, str], read: Callable[[str, bytes], Sequence[Recorded[Event]]]) -> list[HeadKey]:
    """Return the histories that the answer follows from. Raises as the parsers of ids do."""
    match check_question(question):
        case "right":
            return rights_base(agency_id(question["agency"]), dataset_id(question["dataset"]), read)
        case "responsible":
            about = hex32(question["object"], "object")
            return [(RESPONSIBILITIES, duty_key(_duty(question["duty"]), about))]
        case _:
            return [(CASES, hex32(question["case"], "case"))]


def answer_to(
    question: Mapping[str, str], read: Callable[[str, bytes], Sequence[Recorded[Event]]], *, proved_at: int
) -> dict[str, str]:
    """Return the answer that the histories give.

    ``question`` in it is the SHA-256 of the question's canonical bytes, which ties the two together.

    Args:
        question: The question.
        read: Gives the histories.
        proved_at: Time of the block up to which they are complete. What is asked about must have been recorded by
            then: of what is recorded later the histories know nothing, and two files could answer differently.

    Raises:
        VerificationError: No such question, or it asks what was known later than the histories tell.
        LedgerError: A bad id or time, or histories that no contract would have made.
    """
    asked = check_question(question)
    at = window_start(question["at"], field="at")
    recorded_by = window_end(question["known_at"], field="known_at")
    if recorded_by > proved_at:
        raise VerificationError(
            STEP, f"the question asks what was recorded by {recorded_by}, and the histories end at {proved_at}"
        )
    tied = {"question": sha256(canonical.encode(dict(question))).hexdigest()}
    if asked == "right":
        return tied | _right(question, at, recorded_by, read)
    if asked == "responsible":
        duty, about = _duty(question["duty"]), hex32(question["object"], "object")
        state = responsibility_at(read(RESPONSIBILITIES, duty_key(duty, about)), known_at=recorded_by)
        lead = state.lead_at(duty, about, at)
        holders = state.holders_at(duty, about, at)
        return tied | {
            "lead": lead.assignee.hex() if lead is not None else "",
            "holders": " ".join(held.assignee.hex() for held in holders),
        }
    case = case_at(read(CASES, hex32(question["case"], "case")), known_at=min(at, recorded_by))
    if case is None:
        return tied | {"step": "", "appeal": "", "respondent": ""}
    return tied | {
        "step": case.step.name,
        "appeal": case.appeal.name if case.appeal else "",
        "respondent": case.respondent.hex(),
    }


def _right(
    question: Mapping[str, str],
    at: int,
    recorded_by: int,
    read: Callable[[str, bytes], Sequence[Recorded[Event]]],
) -> dict[str, str]:
    recipient, dataset = agency_id(question["agency"]), dataset_id(question["dataset"])
    pair = known(read(AGREEMENTS, recipient_key(recipient, dataset)), recorded_by)
    held: list[str] = []
    without: list[str] = []
    for agreement in proposed_agreements(pair):
        state = agreement_at(read(AGREEMENTS, agreement), known_at=recorded_by)
        if state is None:
            continue
        reasons = reasons_against(state, recipient=recipient, dataset=dataset, time=at)
        (without if reasons else held).append(agreement.hex())
    return {"held": "yes" if held else "no", "by": " ".join(held), "without_effect": " ".join(without)}


def _duty(name: str) -> Duty:
    if name not in Duty.__members__:
        raise VerificationError(0, f"{name!r} is no duty")
    return Duty[name]
