"""The agreement's fold: every status at every time, equal to a plain model; what the contract refuses is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ledger.domain import events
from ledger.domain.agreement_state import agreement_at, apply_agreement, fold_agreement
from ledger.domain.codes import AgreementStatus as Status
from ledger.domain.errors import IntegrityError
from ledger.domain.history import known_by_block
from ledger.domain.records import Terms
from tests.domain.factories import Ledger, hash32

A, P, R, POST = hash32(1), hash32(2), hash32(3), hash32(4)
REASON = hash32(9)


def terms(version: int = 1, parties: tuple[bytes, ...] = (P, R)) -> Terms:
    return Terms(A, version, P, parties, hash32(7), bytes(32), 0, ())


def proposed(version: int = 1) -> events.AgreementProposed:
    return events.AgreementProposed(A, version, POST, hash32(100 + version), terms(version))


def signed(party: bytes, version: int = 1) -> events.AgreementSigned:
    return events.AgreementSigned(A, version, POST, party, b"\5" * 20)


def in_force(ledger: Ledger) -> None:
    for event in (proposed(), signed(P), signed(R), events.AgreementActivated(A, 1)):
        ledger.add(event)


def test_no_events_are_no_agreement() -> None:
    assert fold_agreement([]) is None


def test_the_whole_life() -> None:
    ledger = Ledger()
    in_force(ledger)
    ledger.add(events.AgreementSuspended(A, POST, REASON, by_authority=True))
    suspended = fold_agreement(ledger.recorded)
    assert suspended is not None
    assert (suspended.status, suspended.suspended_by_authority) == (Status.SUSPENDED, True)
    ledger.add(events.AgreementResumed(A, POST))
    ledger.add(events.AgreementTerminated(A, POST, REASON))
    ledger.add(events.DisposalCertified(A, POST, R, hash32(8)))
    ledger.add(events.AgreementDisposed(A))
    state = fold_agreement(ledger.recorded)
    assert state is not None
    wanted = [
        (1_009, Status.NONE),
        (1_010, Status.PROPOSED),
        (1_039, Status.PROPOSED),
        (1_040, Status.ACTIVE),
        (1_050, Status.SUSPENDED),
        (1_060, Status.ACTIVE),
        (1_070, Status.TERMINATED),
        (1_089, Status.TERMINATED),
        (1_090, Status.DISPOSED),
        (2**64, Status.DISPOSED),
    ]
    assert [(time, state.status_at(time)) for time, _ in wanted] == wanted
    assert state.disposals[0].party == R
    assert not state.suspended_by_authority


def test_an_amendment_counts_from_its_activation_and_old_terms_stay() -> None:
    ledger = Ledger()
    in_force(ledger)
    ledger.add(proposed(2))
    state = fold_agreement(ledger.recorded)
    assert state is not None
    assert state.pending_version is not None
    assert state.pending_version.missing == (P, R)
    for event in (signed(R, 2), signed(P, 2), events.AgreementActivated(A, 2)):
        ledger.add(event)
    state = fold_agreement(ledger.recorded)
    assert state is not None
    versions = [(time, state.version_at(time)) for time in (0, 1_040, 1_079, 1_080)]
    assert [(time, version and version.version) for time, version in versions] == [
        *((0, 1), (1_040, 1), (1_079, 1), (1_080, 2)),
    ]
    assert state.pending_version is None
    assert state.active_version is not None
    assert state.active_version.terms.version == 2


def test_what_was_known_earlier_is_the_fold_of_what_was_recorded() -> None:
    ledger = Ledger()
    in_force(ledger)
    ledger.add(events.AgreementSuspended(A, POST, REASON, by_authority=False))
    later = agreement_at(ledger.recorded, known_at=1_050)
    earlier = agreement_at(ledger.recorded, known_at=1_049)
    assert later is not None
    assert earlier is not None
    assert later.status_at(1_050) is Status.SUSPENDED
    assert earlier.status_at(1_050) is Status.ACTIVE
    assert agreement_at(ledger.recorded, known_at=1_009) is None
    assert fold_agreement(known_by_block(ledger.recorded, 4)) == earlier


def test_a_cancelled_amendment_may_be_proposed_anew_and_a_cancelled_first_version_ends_it() -> None:
    ledger = Ledger()
    in_force(ledger)
    for event in (proposed(2), events.ProposalCancelled(A, 2, POST, REASON), proposed(2)):
        ledger.add(event)
    state = fold_agreement(ledger.recorded)
    assert state is not None
    assert state.status is Status.ACTIVE
    assert state.pending_version is not None
    other = Ledger()
    other.add(proposed())
    other.add(events.ProposalCancelled(A, 1, POST, REASON))
    cancelled = fold_agreement(other.recorded)
    assert cancelled is not None
    assert cancelled.status is Status.CANCELLED


IMPOSSIBLE: list[tuple[str, list[Any]]] = [
    ("starts with", [signed(P)]),
    ("first version", [proposed(2)]),
    ("amendment follows", [proposed(), proposed()]),
    ("terms of another", [events.AgreementProposed(A, 1, POST, REASON, terms(2))]),
    ("another agreement", [proposed(), events.AgreementActivated(hash32(77), 1)]),
    ("party signs once", [proposed(), signed(P), signed(P)]),
    ("party signs once", [proposed(), signed(hash32(66))]),
    ("no such version", [proposed(), signed(P, 2)]),
    ("every party", [proposed(), signed(P), events.AgreementActivated(A, 1)]),
    ("while PROPOSED", [proposed(), events.AgreementSuspended(A, POST, REASON, by_authority=False)]),
    ("while PROPOSED", [proposed(), events.AgreementTerminated(A, POST, REASON)]),
    ("while PROPOSED", [proposed(), events.AgreementResumed(A, POST)]),
    ("while PROPOSED", [proposed(), events.DisposalCertified(A, POST, R, REASON)]),
    ("not an agreement's", [proposed(), events.ResponsibilityAccepted(A, A, 1, POST)]),
]


@pytest.mark.parametrize(("reason", "sequence"), IMPOSSIBLE, ids=[f"{i}-{r}" for i, (r, _) in enumerate(IMPOSSIBLE)])
def test_what_the_contract_never_emits_is_an_integrity_error(reason: str, sequence: list[Any]) -> None:
    ledger = Ledger()
    for event in sequence:
        ledger.add(event)
    with pytest.raises(IntegrityError) as caught:
        fold_agreement(ledger.recorded)
    assert reason in caught.value.explain() or "another agreement" in caught.value.explain()


def test_a_reordered_or_repeated_history_is_an_integrity_error() -> None:
    ledger = Ledger()
    in_force(ledger)
    first, second, third, last = ledger.recorded
    for bad in ([first, third, second, last], [first, first, second], [first, second, second]):
        with pytest.raises(IntegrityError, match="order"):
            fold_agreement(bad)


class AgreementMachine(RuleBasedStateMachine):
    """Random histories against a plain model that only counts."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.status = Status.NONE
        self.active = 0
        self.pending = 0
        self.signers: set[bytes] = set()
        self.trail: list[tuple[int, Status]] = []

    def add(self, event: events.Event) -> None:
        self.ledger.add(event)
        self.trail.append((self.ledger.time, self.status))

    @precondition(lambda self: self.status in {Status.NONE, Status.ACTIVE, Status.SUSPENDED} and not self.pending)
    @rule()
    def propose(self) -> None:
        self.pending, self.signers = self.active + 1, set()
        if self.status is Status.NONE:
            self.status = Status.PROPOSED
        self.add(proposed(self.pending))

    @precondition(lambda self: self.pending)
    @rule(party=st.sampled_from([P, R]))
    def sign(self, party: bytes) -> None:
        if party not in self.signers:
            self.signers.add(party)
            self.add(signed(party, self.pending))

    @precondition(lambda self: self.pending and len(self.signers) == 2)
    @rule()
    def activate(self) -> None:
        if self.status is Status.PROPOSED:
            self.status = Status.ACTIVE
        self.active, self.pending = self.pending, 0
        self.add(events.AgreementActivated(A, self.active))

    @precondition(lambda self: self.pending)
    @rule()
    def cancel(self) -> None:
        if self.status is Status.PROPOSED:
            self.status = Status.CANCELLED
        number, self.pending = self.pending, 0
        self.add(events.ProposalCancelled(A, number, POST, REASON))

    @precondition(lambda self: self.status in {Status.ACTIVE, Status.SUSPENDED})
    @rule()
    def suspend_or_resume(self) -> None:
        if self.status is Status.ACTIVE:
            self.status = Status.SUSPENDED
            self.add(events.AgreementSuspended(A, POST, REASON, by_authority=False))
        else:
            self.status = Status.ACTIVE
            self.add(events.AgreementResumed(A, POST))

    @rule(seconds=st.integers(1, 100))
    def wait(self, seconds: int) -> None:
        self.ledger.time += seconds

    @invariant()
    def the_fold_equals_the_model(self) -> None:
        state = fold_agreement(self.ledger.recorded)
        if state is None:
            assert self.status is Status.NONE
            return
        assert state.status is self.status
        assert (state.pending_version.version if state.pending_version else 0) == self.pending
        assert (state.active_version.version if state.active_version else 0) == self.active
        assert [(time, state.status_at(time)) for time, _ in self.trail] == self.trail
        stepped = None
        for recorded in self.ledger.recorded:
            stepped = apply_agreement(stepped, recorded)
        assert stepped == state


TestAgreementMachine = AgreementMachine.TestCase
TestAgreementMachine.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_another_agreements_proposal_under_the_same_head_plays_no_part() -> None:
    ledger = Ledger()
    ledger.add(proposed())
    other = Terms(hash32(99), 1, P, (P, R), hash32(7), bytes(32), 0, ())
    ledger.add(events.AgreementProposed(hash32(99), 1, POST, hash32(98), other))
    state = fold_agreement(ledger.recorded)
    assert state is not None
    assert [version.terms for version in state.versions] == [terms()]
