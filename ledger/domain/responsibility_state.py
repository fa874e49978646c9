"""Who answered for a duty: assignments as their events tell them.

An assignment counts for [valid_from, end) once its assignee accepted it. It may reach back to before it was
accepted; whoever asks sees that in ``accepted_at``. A fold takes the events of one (duty, object) pair, of one
assignment, or of many: each assignment carries its own duty and object.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain import events
from ledger.domain.codes import EndCause, ResponsibilityRole
from ledger.domain.errors import IntegrityError
from ledger.domain.history import in_order
from ledger.domain.scalars import OPEN_END

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.domain.event_log import Event, Recorded


@dataclass(frozen=True, slots=True)
class Assignment:
    """One post's answer for one duty about one object. Times are Unix seconds."""

    assignment: bytes
    object: bytes
    duty: int
    object_kind: int
    by_post: bytes
    assignee: bytes
    role: int
    share_bps: int
    valid_from: int
    valid_to: int
    basis: bytes
    predecessor: bytes
    assigned_at: int
    accepted_at: int | None = None
    accepted_block: int | None = None
    ended_at: int | None = None
    end_recorded_at: int | None = None
    end_cause: EndCause | None = None
    end_reason: bytes = b""

    @property
    def end(self) -> int:
        """Where the interval ends: at what the assignment says, or earlier if it was ended."""
        to = self.valid_to or OPEN_END
        return to if self.ended_at is None else min(to, self.ended_at)

    def counts_at(self, time: int) -> bool:
        """Say whether the assignee answered for the duty at ``time``."""
        return self.accepted_at is not None and self.valid_from <= time < self.end


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody was LEAD."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ResponsibilityState:
    """Assignments in the order in which they were made."""

    assignments: tuple[Assignment, ...] = ()

    def assignment(self, assignment: bytes) -> Assignment | None:
        """Return one assignment by its id."""
        return next((known for known in self.assignments if known.assignment == assignment), None)

    def holders_at(self, duty: int, obj: bytes, time: int) -> tuple[Assignment, ...]:
        """Return the assignments that counted at ``time``, the LEAD first."""
        held = [
            known for known in self.assignments if known.duty == duty and known.object == obj and known.counts_at(time)
        ]
        return tuple(sorted(held, key=lambda known: (known.role, known.assigned_at)))

    def lead_at(self, duty: int, obj: bytes, time: int) -> Assignment | None:
        """Return the assignment that was LEAD at ``time``; None is a vacancy."""
        for known in self.assignments:
            if (
                known.role == ResponsibilityRole.LEAD
                and known.duty == duty
                and known.object == obj
                and known.counts_at(time)
            ):
                return known
        return None

    def lead_gaps(self, duty: int, obj: bytes, *, start: int, end: int) -> tuple[Gap, ...]:
        """Return the vacancies of LEAD within [start, end)."""
        held = sorted(
            (known.valid_from, known.end)
            for known in self.assignments
            if known.role == ResponsibilityRole.LEAD
            and known.duty == duty
            and known.object == obj
            and known.accepted_at is not None
            and known.valid_from < known.end
        )
        gaps: list[Gap] = []
        covered = start
        for first, last in held:
            if first > covered:
                gaps.append(Gap(covered, min(first, end)))
            covered = max(covered, last)
            if covered >= end:
                break
        if covered < end:
            gaps.append(Gap(covered, end))
        return tuple(gap for gap in gaps if gap.start < gap.end)


def fold_responsibility(history: Iterable[Recorded[Event]]) -> ResponsibilityState:
    """Return the assignments after ``history``, in chain order.

    Raises:
        IntegrityError: events out of order, or one that the contract refuses.
    """
    known: dict[bytes, Assignment] = {}
    for recorded in in_order(history, "responsibility"):
        changed = _apply(known, recorded)
        known[changed.assignment] = changed
    return ResponsibilityState(tuple(known.values()))


def apply_responsibility(state: ResponsibilityState, recorded: Recorded[Event]) -> ResponsibilityState:
    """Return the assignments after one more event.

    Raises:
        IntegrityError: the contract could not have emitted the event now.
    """
    known = {assignment.assignment: assignment for assignment in state.assignments}
    changed = _apply(known, recorded)
    known[changed.assignment] = changed
    return ResponsibilityState(tuple(known.values()))


def responsibility_at(history: Iterable[Recorded[Event]], *, known_at: int) -> ResponsibilityState:
    """Return the assignments as they were known at a time."""
    return fold_responsibility(recorded for recorded in history if recorded.timestamp <= known_at)


def _apply(known: dict[bytes, Assignment], recorded: Recorded[Event]) -> Assignment:
    match recorded.event:
        case events.ResponsibilityAssigned() as event:
            if event.assignment in known:
                raise _refusal(recorded, "an assignment's id is used once")
            return Assignment(
                assignment=event.assignment,
                object=event.object,
                duty=event.duty,
                object_kind=event.object_kind,
                by_post=event.by_post,
                assignee=event.assignee,
                role=event.role,
                share_bps=event.share_bps,
                valid_from=event.valid_from,
                valid_to=event.valid_to,
                basis=event.basis,
                predecessor=event.predecessor,
                assigned_at=recorded.timestamp,
            )
        case events.ResponsibilityAccepted() as event:
            assignment = _known(known, event.assignment, recorded)
            if assignment.accepted_at is not None or assignment.end_cause is not None:
                raise _refusal(recorded, "only an open proposal is accepted")
            if assignment.assignee != event.post:
                raise _refusal(recorded, "only the assignee accepts")
            return dataclasses.replace(assignment, accepted_at=recorded.timestamp, accepted_block=recorded.block)
        case events.ResponsibilityEnded() as event:
            assignment = _known(known, event.assignment, recorded)
            if assignment.end_cause is not None:
                raise _refusal(recorded, "an assignment ends once")
            return dataclasses.replace(
                assignment,
                ended_at=event.at,
                end_recorded_at=recorded.timestamp,
                end_cause=EndCause(event.cause),
                end_reason=event.reason,
            )
        case _:
            raise _refusal(recorded, "not a responsibility's event")


def _known(known: dict[bytes, Assignment], assignment: bytes, recorded: Recorded[Event]) -> Assignment:
    if assignment not in known:
        raise _refusal(recorded, "an assignment starts with its proposal")
    return known[assignment]


def _refusal(recorded: Recorded[Event], reason: str) -> IntegrityError:
    return IntegrityError(
        "responsibility",
        reason,
        event=type(recorded.event).__name__,
        block=recorded.block,
        log_index=recorded.log_index,
    )
