"""A case as its events tell it: the main track, the appeal beside it, and who took part in what capacity.

``NEXT`` is the transition table of the CaseLedger contract. A case is sealed until its respondent is opened
with the notice: until then nothing here says whom it is about.

    LEAD → FILED → FACTS_TOLD → DECIDED → NOTICE_ISSUED → RECTIFYING → EVIDENCE_FILED → VERIFIED → CLOSED
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain import events
from ledger.domain.codes import CaseStep
from ledger.domain.errors import IntegrityError
from ledger.domain.history import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.domain.event_log import Event, Recorded

S = CaseStep

FIRST: Final = frozenset({S.LEAD, S.FILED})
"""The steps that may create a case."""

NEXT: Final[dict[CaseStep, frozenset[CaseStep]]] = {
    S.LEAD: frozenset({S.FILED, S.NO_ACTION}),
    S.FILED: frozenset({S.FACTS_TOLD, S.WITHDRAWN}),
    S.FACTS_TOLD: frozenset({S.FACTS_TOLD, S.DECIDED, S.WITHDRAWN}),
    S.DECIDED: frozenset({S.NOTICE_ISSUED, S.RECTIFYING, S.CLOSED, S.WITHDRAWN}),
    S.NOTICE_ISSUED: frozenset({S.RECTIFYING, S.CLOSED, S.WITHDRAWN}),
    S.RECTIFYING: frozenset({S.EVIDENCE_FILED, S.NOTICE_ISSUED, S.WITHDRAWN}),
    S.EVIDENCE_FILED: frozenset({S.VERIFIED, S.REWORK}),
    S.REWORK: frozenset({S.EVIDENCE_FILED, S.WITHDRAWN}),
    S.VERIFIED: frozenset({S.CLOSED, S.NOTICE_ISSUED}),
    S.CLOSED: frozenset({S.REOPENED}),
    S.REOPENED: frozenset({S.FACTS_TOLD, S.RECTIFYING, S.WITHDRAWN}),
    S.NO_ACTION: frozenset(),
    S.WITHDRAWN: frozenset(),
}
"""The main track: from a step to the steps that may follow it."""

APPEAL_OUTCOMES: Final = frozenset({S.APPEAL_UPHELD, S.APPEAL_VARIED, S.APPEAL_REVOKED})
APPEAL: Final = APPEAL_OUTCOMES | {S.APPEAL_FILED}
"""The side track: it opens once there is a decision, and never stops the main track."""


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """One step that was taken."""

    step: CaseStep
    post: bytes
    commitment: bytes
    aux: bytes
    at: int
    block: int


@dataclass(frozen=True, slots=True)
class CaseState:
    """A case after some of its events."""

    case_id: bytes
    entries: tuple[CaseEntry, ...]
    step: CaseStep
    respondent: bytes = b""
    filing: bytes = b""
    opened_at: int | None = None

    @property
    def is_sealed(self) -> bool:
        """Say whether the respondent was never opened."""
        return self.opened_at is None

    @property
    def appeal(self) -> CaseStep | None:
        """The appeal's last step: filed and not decided, its outcome, or None."""
        return next((entry.step for entry in reversed(self.entries) if entry.step in APPEAL), None)

    @property
    def is_decided(self) -> bool:
        """Say whether there is a decision, which an appeal may be filed against."""
        return any(entry.step is S.DECIDED for entry in self.entries)

    def posts(self, *steps: CaseStep) -> frozenset[bytes]:
        """Return the posts that signed any of the steps."""
        return frozenset(entry.post for entry in self.entries if entry.step in steps)

    @property
    def investigators(self) -> frozenset[bytes]:
        """The posts that filed the case or told the facts."""
        return self.posts(S.FILED, S.FACTS_TOLD)

    @property
    def deciders(self) -> frozenset[bytes]:
        """The posts that decided."""
        return self.posts(S.DECIDED)

    @property
    def rectifiers(self) -> frozenset[bytes]:
        """The posts that filed evidence of a rectification."""
        return self.posts(S.EVIDENCE_FILED)

    def allowed(self) -> frozenset[CaseStep]:
        """Return the steps that may come next, on either track, whoever signs them."""
        if self.appeal is S.APPEAL_FILED:
            return NEXT[self.step] | APPEAL_OUTCOMES
        return NEXT[self.step] | ({S.APPEAL_FILED} if self.is_decided else frozenset())

    def lack_of_independence(self, post: bytes) -> str:
        """Return in what capacity ``post`` took part, so that it may not review; empty if it may."""
        if post in self.investigators:
            return "investigator"
        if post in self.deciders:
            return "decider"
        if post in self.rectifiers:
            return "rectifier"
        return "appellant" if post in self.posts(S.APPEAL_FILED) else ""


def fold_case(history: Iterable[Recorded[Event]]) -> CaseState | None:
    """Return the case after all events of its head, in chain order; None without events.

    Raises:
        IntegrityError: an event of another case, out of order, or one that the contract refuses.
    """
    state: CaseState | None = None
    for recorded in in_order(history, "case"):
        state = apply_case(state, recorded)
    return state


def case_at(history: Iterable[Recorded[Event]], *, known_at: int) -> CaseState | None:
    """Return the case as it was known at a time."""
    return fold_case(recorded for recorded in history if recorded.timestamp <= known_at)


def apply_case(state: CaseState | None, recorded: Recorded[Event]) -> CaseState:
    """Return the case after one more event.

    Raises:
        IntegrityError: the event is another case's, or the contract could not have emitted it now.
    """
    event = recorded.event
    if isinstance(event, events.CaseOpened):
        if state is None or event.case_id != state.case_id or not state.is_sealed:
            raise _refusal(recorded, "a case's respondent is opened once, after its filing")
        if event.filing not in {entry.commitment for entry in state.entries if entry.step is S.FILED}:
            raise _refusal(recorded, "the opening is of no filing of this case")
        return dataclasses.replace(
            state, respondent=event.respondent, filing=event.filing, opened_at=recorded.timestamp
        )
    if not isinstance(event, events.CaseAdvanced):
        raise _refusal(recorded, "not a case's event")
    step = _step(event.step, recorded)
    entry = CaseEntry(step, event.post, event.commitment, event.aux, recorded.timestamp, recorded.block)
    if state is None:
        if step not in FIRST:
            raise _refusal(recorded, "a case starts with a lead or a filing")
        return CaseState(event.case_id, (entry,), step)
    if event.case_id != state.case_id:
        raise _refusal(recorded, "an event of another case")
    if step not in state.allowed():
        raise _refusal(recorded, f"{step.name} does not follow {state.step.name}")
    return dataclasses.replace(state, entries=(*state.entries, entry), step=state.step if step in APPEAL else step)


def _step(code: int, recorded: Recorded[Event]) -> CaseStep:
    try:
        return CaseStep(code)
    except ValueError as error:
        raise _refusal(recorded, f"step {code} has no meaning") from error


def _refusal(recorded: Recorded[Event], reason: str) -> IntegrityError:
    return IntegrityError(
        "case", reason, event=type(recorded.event).__name__, block=recorded.block, log_index=recorded.log_index
    )
