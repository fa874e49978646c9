"""The responsibility fold: who answered when, as known when; vacancies are seen."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import events
from ledger.domain.codes import EndCause
from ledger.domain.errors import IntegrityError
from ledger.domain.responsibility_state import (
    Gap,
    ResponsibilityState,
    apply_responsibility,
    fold_responsibility,
    responsibility_at,
)
from ledger.domain.scalars import OPEN_END
from tests.domain.factories import Ledger, hash32

OBJECT, BY, BASIS = hash32(1), hash32(2), hash32(3)
DUTY, LEAD, SUPPORT = 3, 1, 2


def assigned(number: int, start: int, end: int = OPEN_END, *, role: int = LEAD, assignee: int = 50) -> Any:
    return events.ResponsibilityAssigned(
        hash32(number), OBJECT, DUTY, BY, 2, hash32(assignee), role, 0, start, end, BASIS, bytes(32)
    )


def accepted(number: int, assignee: int = 50) -> Any:
    return events.ResponsibilityAccepted(hash32(number), OBJECT, DUTY, hash32(assignee))


def ended(number: int, at: int, cause: EndCause = EndCause.VACATED) -> Any:
    return events.ResponsibilityEnded(hash32(number), OBJECT, DUTY, BY, at, cause, BASIS)


def fold(*made: Any) -> ResponsibilityState:
    ledger = Ledger()
    for event in made:
        ledger.add(event)
    return fold_responsibility(ledger.recorded)


def lead(state: ResponsibilityState, time: int) -> bytes | None:
    found = state.lead_at(DUTY, OBJECT, time)
    return found.assignment if found else None


def test_an_assignment_counts_only_once_accepted() -> None:
    assert lead(fold(assigned(10, 0)), 5_000) is None
    assert lead(fold(assigned(10, 0), accepted(10)), 5_000) == hash32(10)


def test_an_accepted_assignment_may_reach_back_and_the_interval_is_half_open() -> None:
    state = fold(assigned(10, 100, 200), accepted(10))
    assert [lead(state, time) for time in (99, 100, 199, 200)] == [None, hash32(10), hash32(10), None]
    assert state.assignments[0].accepted_at == 1_020


def test_a_hand_over_leaves_a_vacancy_until_the_successor_accepts() -> None:
    made = [assigned(10, 0), accepted(10), ended(10, 2_000, EndCause.HANDED_OVER), assigned(11, 2_000, assignee=51)]
    state = fold(*made)
    assert [lead(state, time) for time in (1_999, 2_000)] == [hash32(10), None]
    assert state.lead_gaps(DUTY, OBJECT, start=0, end=3_000) == (Gap(2_000, 3_000),)
    state = fold(*made, accepted(11, 51))
    assert [lead(state, time) for time in (1_999, 2_000)] == [hash32(10), hash32(11)]
    assert state.lead_gaps(DUTY, OBJECT, start=0, end=3_000) == ()


def test_what_was_known_then_is_not_what_is_known_now() -> None:
    ledger = Ledger()
    for event in (assigned(10, 0), accepted(10), ended(10, 500)):
        ledger.add(event)
    assert lead(responsibility_at(ledger.recorded, known_at=1_029), 700) == hash32(10)
    assert lead(responsibility_at(ledger.recorded, known_at=1_030), 700) is None
    assert lead(responsibility_at(ledger.recorded, known_at=1_019), 700) is None


def test_holders_are_listed_with_the_lead_first_and_other_objects_stay_out() -> None:
    state = fold(assigned(12, 0, role=SUPPORT), assigned(10, 0), accepted(12), accepted(10))
    held = state.holders_at(DUTY, OBJECT, 10)
    assert [known.assignment for known in held] == [hash32(10), hash32(12)]
    assert state.holders_at(DUTY, hash32(99), 10) == ()
    assert state.holders_at(DUTY + 1, OBJECT, 10) == ()
    assert state.assignment(hash32(12)) == held[1]
    assert state.assignment(hash32(99)) is None


@pytest.mark.parametrize(
    "made",
    [
        [accepted(10)],
        [ended(10, 5)],
        [assigned(10, 0), assigned(10, 0)],
        [assigned(10, 0), accepted(10, 99)],
        [assigned(10, 0), accepted(10), accepted(10)],
        [assigned(10, 0), ended(10, 5), accepted(10)],
        [assigned(10, 0), ended(10, 5), ended(10, 6)],
        [events.AgreementDisposed(OBJECT)],
    ],
)
def test_what_the_contract_never_emits_is_an_integrity_error(made: list[Any]) -> None:
    with pytest.raises(IntegrityError):
        fold(*made)


intervals = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 60), st.booleans(), st.none() | st.integers(0, 60)), max_size=6
)


@given(intervals)
def test_the_fold_equals_a_plain_model_at_every_time(drawn: list[tuple[int, int, bool, int | None]]) -> None:
    ledger = Ledger()
    counted: list[tuple[int, int]] = []
    for number, (start, length, is_accepted, end) in enumerate(drawn):
        ledger.add(assigned(number + 10, start, start + length))
        if is_accepted:
            ledger.add(accepted(number + 10))
        if end is not None:
            ledger.add(ended(number + 10, end))
        if is_accepted:
            counted.append((start, min(start + length, end if end is not None else OPEN_END)))
    state = fold_responsibility(ledger.recorded)
    times = range(-1, 125)
    held = [any(first <= time < last for first, last in counted) for time in times]
    assert [state.lead_at(DUTY, OBJECT, time) is not None for time in times] == held
    gaps = state.lead_gaps(DUTY, OBJECT, start=-1, end=124)
    assert [not any(gap.start <= time < gap.end for gap in gaps) for time in times[:-1]] == held[:-1]
    stepped = ResponsibilityState()
    for recorded in ledger.recorded:
        stepped = apply_responsibility(stepped, recorded)
    assert stepped == state
