"""The case fold: only the table's steps, the appeal beside them, sealed until it is opened."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import events
from ledger.domain.case_state import APPEAL, APPEAL_OUTCOMES, FIRST, NEXT, CaseState, case_at, fold_case
from ledger.domain.codes import CaseStep as S
from ledger.domain.errors import IntegrityError
from tests.domain.factories import Ledger, hash32

CASE, FILING, RESPONDENT = hash32(1), hash32(2), hash32(3)
INSPECTOR, DECIDER, OFFICE, REVIEWER = hash32(11), hash32(12), hash32(13), hash32(14)


def step(code: int, post: bytes = INSPECTOR, commitment: bytes = FILING) -> Any:
    return events.CaseAdvanced(CASE, code, post, commitment, bytes(32))


OPENING = events.CaseOpened(CASE, RESPONDENT, FILING)
WHOLE = [
    step(S.LEAD),
    step(S.FILED),
    step(S.FACTS_TOLD),
    step(S.DECIDED, DECIDER),
    step(S.NOTICE_ISSUED),
    OPENING,
    step(S.RECTIFYING),
    step(S.EVIDENCE_FILED, OFFICE),
    step(S.REWORK, REVIEWER),
    step(S.EVIDENCE_FILED, OFFICE),
    step(S.VERIFIED, REVIEWER),
    step(S.CLOSED),
    step(S.REOPENED),
]


def fold(*made: Any) -> CaseState:
    ledger = Ledger()
    for event in made:
        ledger.add(event)
    state = fold_case(ledger.recorded)
    assert state is not None
    return state


def test_the_whole_life() -> None:
    state = fold(*WHOLE)
    assert state.step is S.REOPENED
    assert (state.respondent, state.filing, state.opened_at) == (RESPONDENT, FILING, 1_060)
    assert (state.investigators, state.deciders) == (frozenset({INSPECTOR}), frozenset({DECIDER}))
    assert state.rectifiers == frozenset({OFFICE})


def test_a_case_is_sealed_until_it_is_opened() -> None:
    sealed = fold(*WHOLE[:5])
    assert sealed.is_sealed
    assert sealed.respondent == b""
    assert not fold(*WHOLE[:6]).is_sealed


def test_what_was_known_then() -> None:
    ledger = Ledger()
    for event in WHOLE:
        ledger.add(event)
    earlier = case_at(ledger.recorded, known_at=1_030)
    assert earlier is not None
    assert earlier.step is S.FACTS_TOLD
    assert case_at(ledger.recorded, known_at=1_009) is None


def test_no_events_are_no_case() -> None:
    assert fold_case([]) is None


@pytest.mark.parametrize("outcome", sorted(APPEAL_OUTCOMES))
def test_an_appeal_runs_beside_the_main_track(outcome: S) -> None:
    state = fold(*WHOLE[:4], step(S.APPEAL_FILED, OFFICE), step(S.NOTICE_ISSUED), step(outcome, REVIEWER))
    assert (state.step, state.appeal) == (S.NOTICE_ISSUED, outcome)


def test_an_appeal_needs_a_decision_and_is_decided_once() -> None:
    for made in (
        [*WHOLE[:3], step(S.APPEAL_FILED)],
        [*WHOLE[:4], step(S.APPEAL_UPHELD)],
        [*WHOLE[:4], step(S.APPEAL_FILED), step(S.APPEAL_FILED)],
        [*WHOLE[:4], step(S.APPEAL_FILED), step(S.APPEAL_UPHELD), step(S.APPEAL_REVOKED)],
    ):
        with pytest.raises(IntegrityError, match="follow"):
            fold(*made)


def test_who_took_part_is_not_independent() -> None:
    state = fold(*WHOLE[:8])
    found = [state.lack_of_independence(post) for post in (INSPECTOR, DECIDER, OFFICE, REVIEWER)]
    assert found == ["investigator", "decider", "rectifier", ""]


MAIN = {None: FIRST, **NEXT}
PATHS: dict[S, list[S]] = {S.LEAD: [S.LEAD], S.FILED: [S.FILED]}
while len(PATHS) < len(NEXT):
    for reached, path in list(PATHS.items()):
        for after in NEXT[reached]:
            PATHS.setdefault(after, [*path, after])


@pytest.mark.parametrize("code", list(S))
@pytest.mark.parametrize("reached", list(NEXT))
def test_a_step_is_taken_if_and_only_if_the_table_has_it(reached: S, code: S) -> None:
    made = [step(one) for one in PATHS[reached]]
    allowed = code in NEXT[reached] or (code is S.APPEAL_FILED and S.DECIDED in PATHS[reached])
    if allowed:
        assert fold(*made, step(code)).entries[-1].step is code
    else:
        with pytest.raises(IntegrityError):
            fold(*made, step(code))


@pytest.mark.parametrize(
    "made",
    [
        [step(S.DECIDED)],
        [step(8)],
        [step(0)],
        [step(S.FILED), step(99)],
        [OPENING],
        [step(S.LEAD), OPENING],
        [*WHOLE[:6], OPENING],
        [step(S.FILED), events.CaseOpened(CASE, RESPONDENT, hash32(99))],
        [step(S.FILED), events.CaseOpened(hash32(99), RESPONDENT, FILING)],
        [step(S.FILED), events.CaseAdvanced(hash32(99), S.FACTS_TOLD, INSPECTOR, FILING, bytes(32))],
        [events.AgreementDisposed(CASE)],
    ],
)
def test_what_the_contract_never_emits_is_an_integrity_error(made: list[Any]) -> None:
    with pytest.raises(IntegrityError):
        fold(*made)


@given(st.lists(st.sampled_from(list(S)), max_size=30))
def test_random_walks_equal_a_plain_model(codes: list[S]) -> None:
    ledger = Ledger()
    main: S | None = None
    appealed, decided = False, False
    for code in codes:
        fits = decided and (code is S.APPEAL_FILED) != appealed if code in APPEAL else code in MAIN[main]
        if not fits:
            continue
        ledger.add(step(code))
        if code in APPEAL:
            appealed = code is S.APPEAL_FILED
        else:
            main = code
        decided = decided or code is S.DECIDED
    state = fold_case(ledger.recorded)
    assert (state.step if state else None) is main
    if state is not None:
        assert (state.appeal is S.APPEAL_FILED) == appealed
