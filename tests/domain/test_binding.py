"""The verdict: one row for each mismatch and flag, and how claims, windows and times are read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import events
from ledger.domain.agreement_state import AgreementState, fold_agreement
from ledger.domain.binding import Binding, Bound, bind
from ledger.domain.codes import Duty, Flag, Mismatch, Verdict
from ledger.domain.event_v1 import EventV1
from ledger.domain.identifiers import agency_id, code_id, dataset_id
from ledger.domain.records import Grant, Terms
from ledger.domain.responsibility_state import ResponsibilityState, fold_responsibility
from tests.domain.factories import DATASET, PROVIDER, REQUESTER, Ledger, event, hash32

M = Mismatch
AGREEMENT, POST, REASON, REVIEW = hash32(1), hash32(2), hash32(3), hash32(4)
BLOCK = Bound(77, hash32(78))
THIRD = "xroad:SAMPLE/GOV/10000003"
OTHER_DATASET = f"{PROVIDER}#VEHICLES/inspectionStatus"
DUTIES = (Duty.DELIVER, Duty.USE_WITHIN_SCOPE, Duty.PROTECT, Duty.DISPOSE)
# The ledger's blocks stand at 1,010 s and on; the agreement is active from 1,040 s; the window is [500, 5,000).


def grant(**changes: Any) -> Grant:
    values = {
        "dataset": dataset_id(DATASET),
        "dataset_version": 1,
        "recipient": agency_id(REQUESTER),
        "purpose": code_id("dpv:EnforceSecurity"),
        "delivery": 1,
        "valid_from": 500,
        "valid_to": 5_000,
        **changes,
    }
    return Grant(**values)


def terms(version: int = 1, grants: tuple[Grant, ...] = (), review_until: int = 9_000) -> Terms:
    parties = (agency_id(PROVIDER), agency_id(REQUESTER))
    review = REVIEW if review_until else bytes(32)
    return Terms(AGREEMENT, version, parties[0], parties, hash32(9), review, review_until, grants or (grant(),))


def put_in_force(ledger: Ledger, made: Terms) -> None:
    ledger.add(events.AgreementProposed(AGREEMENT, made.version, POST, hash32(50), made))
    for party in made.parties:
        ledger.add(events.AgreementSigned(AGREEMENT, made.version, POST, party, b"\1" * 20))
    ledger.add(events.AgreementActivated(AGREEMENT, made.version))


def agreement(*after: Any, made: Terms | None = None) -> AgreementState:
    ledger = Ledger()
    put_in_force(ledger, made or terms())
    for one in after:
        if isinstance(one, Terms):
            put_in_force(ledger, one)
        else:
            ledger.add(one)
    state = fold_agreement(ledger.recorded)
    assert state is not None
    return state


def responsibility(start: int = 0, *, accept: bool = True, at: int = 1_010) -> ResponsibilityState:
    ledger = Ledger(at - 10)
    for duty in DUTIES:
        identifier, assignee = hash32(200 + duty), hash32(300 + duty)
        made = (AGREEMENT, duty, POST, 2, assignee, 1, 0, start, 100_000, REASON, bytes(32))
        ledger.add(events.ResponsibilityAssigned(identifier, *made))
        if accept:
            ledger.add(events.ResponsibilityAccepted(identifier, AGREEMENT, duty, assignee), at=ledger.time)
    return fold_responsibility(ledger.recorded)


RESPONSIBLE = responsibility()


def bound(
    made: EventV1, state: AgreementState | None, responsible: ResponsibilityState = RESPONSIBLE, **options: Any
) -> Binding:
    return bind(made, state, responsible, BLOCK, **options)


def claim(at: int = 2_000, **stated: Any) -> EventV1:
    return event(agreement=AGREEMENT.hex(), occurred_at_ms=at * 1_000, **stated)


def test_within_scope_carries_the_whole_triple() -> None:
    assert bound(claim(), agreement()) == Binding(
        verdict=Verdict.WITHIN_SCOPE,
        mismatches=(),
        flags=(),
        agreement=AGREEMENT,
        version=1,
        grant=0,
        duty=Duty.DELIVER,
        responsible_post=hash32(303),
        block=77,
        block_hash=hash32(78),
    )


SUSPENSION = events.AgreementSuspended(AGREEMENT, POST, REASON, by_authority=False)  # at 1,050 s
END = events.AgreementTerminated(AGREEMENT, POST, REASON)
RESUME = events.AgreementResumed(AGREEMENT, POST)

ROWS: list[tuple[str, EventV1, AgreementState | None, list[Mismatch]]] = [
    ("none named", event(occurred_at_ms=2_000_000), None, [M.NO_AGREEMENT]),
    ("suspended", claim(), agreement(SUSPENSION), [M.SUSPENDED]),
    ("at the second of the suspension", claim(1_050), agreement(SUSPENSION), [M.SUSPENDED]),
    ("before the suspension", claim(1_049), agreement(SUSPENSION), []),
    ("after it was resumed", claim(1_060), agreement(SUSPENSION, RESUME), []),
    ("terminated", claim(), agreement(END), [M.TERMINATED]),
    ("before the end", claim(1_049), agreement(END), []),
    ("version 1 stated", claim(version=1), agreement(), []),
    ("version 2 of one", claim(version=2), agreement(), [M.WRONG_VERSION]),
    ("superseded version", claim(version=1), agreement(terms(2)), [M.WRONG_VERSION]),
    ("superseded version, before", claim(1_079, version=1), agreement(terms(2)), []),
    ("another provider", claim(provider=THIRD), agreement(), [M.PROVIDER_MISMATCH]),
    ("no provider stated", claim(provider=""), agreement(), [M.PROVIDER_MISMATCH]),
    ("requester no party", claim(requester=THIRD), agreement(), [M.REQUESTER_NOT_PARTY]),
    ("provider as requester", claim(requester=PROVIDER), agreement(), [M.REQUESTER_NOT_PARTY]),
    ("no requester stated", claim(requester=""), agreement(), [M.REQUESTER_NOT_PARTY]),
    ("another dataset", claim(dataset=OTHER_DATASET), agreement(), [M.DATASET_NOT_GRANTED]),
    ("no dataset stated", claim(dataset=""), agreement(), [M.DATASET_NOT_GRANTED]),
    ("grant beyond the list", claim(grant=1), agreement(), [M.DATASET_NOT_GRANTED]),
    ("another recipient", claim(recipient=THIRD), agreement(), [M.RECIPIENT_NOT_GRANTED]),
    ("no recipient stated is the requester", claim(recipient=""), agreement(), []),
    ("another purpose", claim(purpose="dpv:PublicHealth"), agreement(), [M.PURPOSE_NOT_GRANTED]),
    ("no purpose stated", claim(purpose=""), agreement(), [M.PURPOSE_NOT_GRANTED]),
    ("another delivery", claim(delivery="BATCH"), agreement(), [M.DELIVERY_NOT_GRANTED]),
    ("no delivery stated", claim(delivery=""), agreement(), [M.DELIVERY_NOT_GRANTED]),
    ("before the window", claim(499), agreement(), [M.OUTSIDE_WINDOW]),
    ("last second", claim(4_999), agreement(), []),
    ("after the window", claim(5_000), agreement(), [M.OUTSIDE_WINDOW]),
    ("open window", claim(8_999), agreement(made=terms(grants=(grant(valid_to=0),))), []),
    ("review expired", claim(3_000), agreement(made=terms(review_until=3_000)), [M.REVIEW_EXPIRED]),
    ("review in its last second", claim(2_999), agreement(made=terms(review_until=3_000)), []),
    (
        "several at once",
        claim(6_000, requester=THIRD, purpose="dpv:X", recipient=REQUESTER),
        agreement(END),
        [M.TERMINATED, M.REQUESTER_NOT_PARTY, M.PURPOSE_NOT_GRANTED, M.OUTSIDE_WINDOW],
    ),
    ("storage leaves purpose open", claim(kind="STORAGE", purpose="", delivery=""), agreement(), []),
    ("storage out of scope", claim(kind="STORAGE", purpose="dpv:X"), agreement(), [M.PURPOSE_NOT_GRANTED]),
    ("access", claim(kind="ACCESS", side="CONSUMER"), agreement(), []),
    ("destruction after the end", claim(6_000, kind="DESTRUCTION"), agreement(END), []),
    ("destruction of others' data", claim(6_000, kind="DESTRUCTION", dataset=""), agreement(), [M.DATASET_NOT_GRANTED]),
]


@pytest.mark.parametrize(("name", "made", "state", "wanted"), ROWS, ids=[row[0] for row in ROWS])
def test_mismatches(name: str, made: EventV1, state: AgreementState | None, wanted: list[Mismatch]) -> None:
    result = bound(made, state)
    assert list(result.mismatches) == wanted
    assert result.verdict is (Verdict.MISMATCH if wanted else Verdict.WITHIN_SCOPE)


def test_never_activated_is_not_in_force() -> None:
    ledger = Ledger()
    ledger.add(events.AgreementProposed(AGREEMENT, 1, POST, hash32(50), terms()))
    result = bound(claim(), fold_agreement(ledger.recorded))
    assert result.mismatches == (M.NOT_IN_FORCE,)
    assert (result.version, result.grant, result.responsible_post) == (0, -1, hash32(303))


@pytest.mark.parametrize("responsible", [ResponsibilityState(), responsibility(accept=False), responsibility(2_001)])
def test_a_duty_that_nobody_accepted_by_then_is_a_mismatch(responsible: ResponsibilityState) -> None:
    result = bound(claim(2_000), agreement(), responsible)
    assert result.mismatches == (M.NO_RESPONSIBLE_POST,)
    assert result.responsible_post == b""


def test_every_mismatch_has_a_row() -> None:
    rows = {code for _, _, _, wanted in ROWS for code in wanted}
    assert rows | {M.NOT_IN_FORCE, M.NO_RESPONSIBLE_POST} == set(Mismatch)


@pytest.mark.parametrize(
    ("kind", "duty"),
    [
        ("DELIVERY", Duty.DELIVER),
        ("ACCESS", Duty.USE_WITHIN_SCOPE),
        ("STORAGE", Duty.PROTECT),
        ("DESTRUCTION", Duty.DISPOSE),
    ],
)
def test_each_kind_has_its_duty(kind: str, duty: Duty) -> None:
    result = bound(claim(kind=kind), agreement())
    assert (result.duty, result.responsible_post) == (duty, hash32(300 + duty))


def test_flags_do_not_spoil_the_scope() -> None:
    late = bound(claim(600), agreement())
    assert (late.verdict, late.flags) == (Verdict.WITHIN_SCOPE, (Flag.RECORDED_LATER,))
    accepted_late = bound(claim(2_000), agreement(), responsibility(at=3_000))
    assert (accepted_late.verdict, accepted_late.flags) == (Verdict.WITHIN_SCOPE, (Flag.RECORDED_LATER,))
    shown = bound(claim(), agreement(made=terms(review_until=0)), demonstration=True)
    assert (shown.verdict, shown.flags) == (Verdict.WITHIN_SCOPE, (Flag.NO_SECURITY_REVIEW, Flag.DEMONSTRATION))
    assert bound(event(), None, demonstration=True).flags == ()


def test_a_later_version_may_reach_back_when_it_is_claimed() -> None:
    wider = terms(2, (grant(), grant(dataset=dataset_id(OTHER_DATASET))))
    state = agreement(wider)  # version 2 is active from 1,080 s
    result = bound(claim(1_060, version=2, dataset=OTHER_DATASET), state)
    assert (result.version, result.grant, result.mismatches) == (2, 1, ())
    assert result.flags == (Flag.RECORDED_LATER,)
    unclaimed = bound(claim(1_060, dataset=OTHER_DATASET), state)
    assert (unclaimed.version, unclaimed.mismatches) == (1, (M.DATASET_NOT_GRANTED,))


def test_the_grant_that_fits_best_is_measured_by_and_a_stated_one_alone() -> None:
    grants = (grant(purpose=hash32(90), delivery=3), grant(delivery=2), grant(), grant())
    state = agreement(made=terms(grants=grants))
    assert bound(claim(), state).grant == 2
    assert bound(claim(purpose="dpv:X"), state).grant == 1 + 1
    stated = bound(claim(grant=1), state)
    assert (stated.grant, stated.mismatches) == (1, (M.DELIVERY_NOT_GRANTED,))
    assert bound(claim(grant=3), state).grant == 3


choices = {
    "version": st.sampled_from([0, 1, 2, 3]),
    "grant": st.sampled_from([-1, 0, 1, 2]),
    "provider": st.sampled_from([PROVIDER, THIRD, ""]),
    "requester": st.sampled_from([REQUESTER, PROVIDER, THIRD, ""]),
    "recipient": st.sampled_from([REQUESTER, THIRD, ""]),
    "dataset": st.sampled_from([DATASET, OTHER_DATASET, ""]),
    "purpose": st.sampled_from(["dpv:EnforceSecurity", "dpv:X", ""]),
    "delivery": st.sampled_from(["INTERFACE", "BATCH", ""]),
    "kind": st.sampled_from(["DELIVERY", "ACCESS", "STORAGE", "DESTRUCTION"]),
}
STATES = [agreement(), agreement(SUSPENSION), agreement(END), agreement(terms(2, (grant(), grant(delivery=2))))]


@given(st.integers(0, 7_000), st.fixed_dictionaries(choices), st.sampled_from(STATES))
def test_within_scope_means_that_a_grant_in_force_covers_it(
    at: int, stated: dict[str, Any], state: AgreementState
) -> None:
    made = claim(at, **stated)
    result = bound(made, state)
    assert result == bound(made, state)
    assert list(result.mismatches) == [code for code in Mismatch if code in result.mismatches]
    assert (result.verdict is Verdict.WITHIN_SCOPE) == (not result.mismatches)
    if result.mismatches or made.kind == "DESTRUCTION":
        return
    version = state.version(result.version)
    assert version is not None
    used = version.terms.grants[result.grant]
    assert used.dataset == dataset_id(made.dataset)
    assert used.valid_from <= at < used.valid_to
    assert made.version in {0, result.version}
    assert made.grant in {-1, result.grant}
    assert state.status_at(at).name in {"NONE", "PROPOSED", "ACTIVE"}
