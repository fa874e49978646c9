"""The deployed ResponsibilityLedger beside the Python fold and a plain model: the same acts, the same refusals."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pytest
from eth_abi.abi import decode
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ledger.domain.codes import Duty, EndCause, ObjectKind, PostRole, ResponsibilityRole
from ledger.domain.errors import RefusedError
from ledger.domain.events import ResponsibilityAssigned
from ledger.domain.heads import event_digest
from ledger.domain.identifiers import duty_key
from ledger.domain.keccak import keccak256_text
from ledger.domain.records import Accept, Assign, HandOver, Vacate
from ledger.domain.responsibility_state import apply_responsibility, fold_responsibility
from ledger.service.call_data import call_data
from tests.contracts.agreements import grant, make_party, propose, publish, terms
from tests.contracts.deployed import DeployedLedger, Post
from tests.contracts.heads import History

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.record import Record
    from ledger.domain.responsibility_state import Assignment

DAY = 86_400
VIEW = "(bytes32,bytes32,uint64,uint64,uint16,uint8,uint8,uint8,uint8,uint32,bytes32)"
NONE, PROPOSED, ACCEPTED, ENDED = range(4)
OFFICE_HEADS = PostRole.PROVIDER_OFFICE_HEAD | PostRole.REQUESTER_OFFICE_HEAD
HEADS = OFFICE_HEADS | PostRole.DEPT_HEAD
PLATFORM_ROLES = PostRole.SHARING_AUTHORITY | PostRole.SUPERIOR | PostRole.PLATFORM_OPERATOR
PLATFORM = keccak256_text("platform")


@dataclass(frozen=True, slots=True)
class Actor:
    """A post with what it may do."""

    post: Post
    roles: PostRole


@dataclass(frozen=True, slots=True)
class Subject:
    """What a duty may be about, and whose it is."""

    kind: ObjectKind
    id: bytes
    agencies: frozenset[bytes]


class ResponsibilityMachine(RuleBasedStateMachine):
    ledger: ClassVar[DeployedLedger]
    actors: ClassVar[Sequence[Actor]]
    subjects: ClassVar[Sequence[Subject]]
    seen: ClassVar[Counter[str]]

    @initialize(which=st.integers(0, 2))
    def begin(self, which: int) -> None:
        self.subject = self.subjects[which]
        self.duty = Duty(secrets.randbelow(12) + 1)
        key = duty_key(self.duty, self.subject.id)
        self.history = History(self.ledger, "ResponsibilityLedger", key)
        # The subjects outlive an example, so what earlier examples left about this duty is taken in first.
        self.history.read_from_genesis()
        self.state = fold_responsibility(self.history.events)
        self.contents: dict[bytes, bytes] = {}
        self._keep_contents(0)
        self.start = self.ledger.chain.final_block().timestamp

    @rule(
        by=st.integers(0, 2**16),
        to=st.integers(0, 2**16),
        role=st.sampled_from([1, 1, 2, 4]),
        share=st.sampled_from([0, 0, 2_500, 5_000, 10_000]),
        first=st.integers(-5, 5),
        length=st.integers(-1, 8),
    )
    def assign(self, by: int, to: int, role: int, share: int, first: int, length: int) -> None:
        actor, assignee = self._actor(by), self._actor(to)
        valid_from = self.start + first * DAY
        record = Assign(
            post=actor.post.id,
            assignment=secrets.token_bytes(32),
            duty=self.duty,
            object_kind=self.subject.kind,
            object=self.subject.id,
            assignee=assignee.post.id,
            role=role,
            share_bps=share,
            valid_from=valid_from,
            valid_to=0 if length == 8 else valid_from + length * DAY,
            basis=bytes(32),
            nonce=secrets.randbits(192) << 64,
            deadline=2**40,
        )
        expected = "ResponsibilityIntervalEmpty" if length < 1 else self._refused_assigner(actor, assignee.post.agency)
        self._act(actor, record, expected)

    @rule(choice=st.integers(0, 2**16), by=st.integers(0, 2**16), own=st.booleans())
    def accept(self, choice: int, by: int, own: bool) -> None:
        found = self._choose(choice, PROPOSED)
        if found is None:
            return
        actor = self._actor_of(found.assignee) if own or choice % 4 else self._actor(by)
        if self._status(found) != PROPOSED:
            expected = "AssignmentNotInStatus"
        elif found.assignee != actor.post.id:
            expected = "NotTheAssignee"
        else:
            expected = self._refused_acceptance(found)
        stale = choice % 16 == 15
        if stale and not expected.startswith(("Assignment", "Not")):
            expected = "AssignmentDiffers"
        content = bytes(32) if stale else self.contents[found.assignment]
        record = Accept(post=actor.post.id, assignment=found.assignment, content=content, **self._signing())
        self._act(actor, record, expected)

    @rule(choice=st.integers(0, 2**16), by=st.integers(0, 2**16), to=st.integers(0, 2**16), at=st.integers(-6, 6))
    def hand_over(self, choice: int, by: int, to: int, at: int) -> None:
        found = self._choose(choice, ACCEPTED)
        if found is None:
            return
        actor, successor, time = self._actor(by), self._actor(to), self.start + at * DAY + (DAY // 2)
        expected = ""
        if self._status(found) != ACCEPTED:
            expected = "AssignmentNotInStatus"
        elif not (expected := self._refused_assigner(actor, successor.post.agency) or self._refused_end(actor, found)):
            if at < 0:
                expected = "EndReachesBack"
            else:
                expected = "" if found.valid_from <= time < found.end else "EndOutsideInterval"
        record = HandOver(
            post=actor.post.id,
            assignment=found.assignment,
            successor_assignment=secrets.token_bytes(32),
            to_post=successor.post.id,
            at=time,
            basis=bytes(32),
            **self._signing(),
        )
        self._act(actor, record, expected)
        if not expected:
            after = self.state.assignment(record.successor_assignment)
            assert after is not None
            assert (after.predecessor, after.valid_from, after.end) == (found.assignment, time, found.end)
            assert self.state.assignment(found.assignment).end_cause is EndCause.HANDED_OVER

    @rule(choice=st.integers(0, 2**16), by=st.integers(0, 2**16), at=st.integers(-6, 6))
    def vacate(self, choice: int, by: int, at: int) -> None:
        found = self._choose(choice, ACCEPTED)
        if found is None:
            return
        actor = self._actor_of(found.assignee) if choice % 2 else self._actor(by)
        time = self.start + at * DAY + (DAY // 2)
        status = self._status(found)
        if status not in {PROPOSED, ACCEPTED}:
            expected = "AssignmentNotInStatus"
        elif actor.post.id == found.assignee:
            expected = ""
        else:
            agency = self._actor_of(found.assignee).post.agency
            expected = self._refused_assigner(actor, agency) or self._refused_end(actor, found)
        if not expected and status == ACCEPTED and at < 0:
            expected = "EndReachesBack"
        if not expected and status == ACCEPTED and not found.valid_from <= time <= found.end:
            expected = "EndOutsideInterval"
        record = Vacate(post=actor.post.id, assignment=found.assignment, at=time, reason=bytes(32), **self._signing())
        self._act(actor, record, expected)

    @invariant()
    def the_contract_holds_what_the_fold_tells(self) -> None:
        for known in self.state.assignments[-6:]:
            answer = self.ledger.call(
                "ResponsibilityLedger", call_data("assignmentOf", [("bytes32", known.assignment)])
            )
            (found,) = decode([VIEW], answer)
            assert found[-1] == self.contents[known.assignment]
            assert found[:-2] == (
                known.object,
                known.assignee,
                known.valid_from,
                known.end,
                known.share_bps,
                known.duty,
                known.object_kind,
                known.role,
                self._status(known),
            )

    @invariant()
    def there_are_never_two_leads_and_never_more_than_the_whole(self) -> None:
        counted = [known for known in self.state.assignments if self._counts(known)]
        for time in {edge for known in counted for edge in (known.valid_from, known.end - 1)}:
            held = [known for known in counted if known.valid_from <= time < known.end]
            assert sum(known.role == ResponsibilityRole.LEAD for known in held) <= 1
            assert sum(known.share_bps for known in held) <= 10_000

    def teardown(self) -> None:
        self.history.check_head()
        assert fold_responsibility(self.history.events) == self.state

    def _refused_assigner(self, actor: Actor, assignee_agency: bytes) -> str:
        is_platform = self.subject.kind is ObjectKind.PLATFORM
        if not actor.roles & (PLATFORM_ROLES if is_platform else HEADS):
            return "MissingRole"
        if is_platform:
            return ""
        if actor.post.agency not in self.subject.agencies:
            return "ResponsibilityNotOfAgency"
        if actor.roles & OFFICE_HEADS or assignee_agency == actor.post.agency:
            return ""
        return "AssigneeOfAnotherAgency"

    def _refused_end(self, actor: Actor, found: Assignment) -> str:
        """Only the agency that assigned it and the assignee's own end an assignment."""
        agencies = {self._actor_of(found.by_post).post.agency, self._actor_of(found.assignee).post.agency}
        return "" if actor.post.agency in agencies else "NotTheAssignee"

    def _refused_acceptance(self, found: Assignment) -> str:
        others = [known for known in self.state.assignments if self._counts(known)]
        overlapping = [known for known in others if known.valid_from < found.end and found.valid_from < known.end]
        if found.role == ResponsibilityRole.LEAD and any(known.role == found.role for known in overlapping):
            return "LeadExists"
        edges = {found.valid_from, *(known.valid_from for known in overlapping)}
        most = max(
            sum(known.share_bps for known in overlapping if known.valid_from <= edge < known.end)
            for edge in edges
            if found.valid_from <= edge < found.end
        )
        return "SharesExceeded" if found.share_bps and most + found.share_bps > 10_000 else ""

    @staticmethod
    def _counts(known: Assignment) -> bool:
        return known.accepted_at is not None and known.valid_from < known.end

    @staticmethod
    def _status(known: Assignment) -> int:
        if known.end_cause is not None:
            return ENDED
        return PROPOSED if known.accepted_at is None else ACCEPTED

    def _act(self, actor: Actor, record: Record, expected: str) -> None:
        try:
            self.ledger.relay(record, actor.post.key)
            found = ""
        except RefusedError as refused:
            found = refused.error
        assert found == expected, (record, self.state)
        self.seen[found or type(record).__name__] += 1
        known = len(self.history.events)
        for recorded in self.history.read()[known:]:
            self.state = apply_responsibility(self.state, recorded)
        self._keep_contents(known)

    def _keep_contents(self, first: int) -> None:
        for recorded in self.history.events[first:]:
            if isinstance(recorded.event, ResponsibilityAssigned):
                self.contents[recorded.event.assignment] = event_digest(*recorded.event.to_log())

    def _choose(self, choice: int, status: int) -> Assignment | None:
        """Return an assignment, mostly one in the status that the act needs."""
        fitting = [known for known in self.state.assignments if self._status(known) == status]
        known = fitting if fitting and choice % 8 else self.state.assignments
        return known[choice // 8 % len(known)] if known else None

    def _actor(self, choice: int) -> Actor:
        return self.actors[choice % len(self.actors)]

    def _actor_of(self, post: bytes) -> Actor:
        return next(actor for actor in self.actors if actor.post.id == post)

    @staticmethod
    def _signing() -> dict[str, int]:
        return {"nonce": secrets.randbits(192) << 64, "deadline": 2**40}


@pytest.fixture(scope="module")
def machine(ledger: DeployedLedger) -> type[ResponsibilityMachine]:
    provider = make_party(ledger, PostRole.PROVIDER_OFFICE_HEAD)
    requester = make_party(ledger, PostRole.REQUESTER_OFFICE_HEAD)
    outsider = make_party(ledger, PostRole.PROVIDER_OFFICE_HEAD)
    authority = ledger.agency(secrets.token_bytes(32), PostRole.SHARING_AUTHORITY)
    actors = [
        Actor(ledger.post(authority, "authority", PostRole.SHARING_AUTHORITY), PostRole.SHARING_AUTHORITY),
        Actor(ledger.post(provider.agency, "clerk", PostRole.REPORTER), PostRole.REPORTER),
    ]
    for party, role in ((provider, 1), (requester, 2), (outsider, 1)):
        actors += [Actor(party.head, PostRole(role)), Actor(party.dept, PostRole.DEPT_HEAD)]
    dataset, agreement = publish(ledger, provider, secrets.token_bytes(32)), secrets.token_bytes(32)
    propose(ledger, provider.head, terms((provider, requester), (grant(dataset, requester),), agreement=agreement))
    subjects = [
        Subject(ObjectKind.DATASET, dataset, frozenset({provider.agency})),
        Subject(ObjectKind.AGREEMENT, agreement, frozenset({provider.agency, requester.agency})),
        Subject(ObjectKind.PLATFORM, PLATFORM, frozenset()),
    ]
    fixed = {"ledger": ledger, "actors": actors, "subjects": subjects, "seen": Counter()}
    return type("Machine", (ResponsibilityMachine,), fixed)


def test_the_contract_takes_what_the_model_takes_and_refuses_by_name(machine: type[ResponsibilityMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=25))


def test_long_lives_of_duties_reach_every_act_and_every_refusal(machine: type[ResponsibilityMachine]) -> None:
    chance = random.Random(809)
    for life in range(18):
        duty = machine()
        duty.begin(life % 3)
        for _ in range(60):
            words = [chance.getrandbits(16) for _ in range(3)]
            match chance.randrange(7):
                case 0 | 1:
                    share = chance.choice([0, 2_500, 5_000, 10_000])
                    role = chance.choice([1, 2, 4])
                    duty.assign(words[0], words[1], role, share, chance.randint(-5, 5), chance.randint(-1, 8))
                case 2 | 3 | 4:
                    duty.accept(words[0], words[1], chance.random() < 0.9)
                case 5:
                    duty.hand_over(*words, chance.randint(-6, 6))
                case _:
                    duty.vacate(words[0], words[1], chance.randint(-6, 6))
            duty.the_contract_holds_what_the_fold_tells()
            duty.there_are_never_two_leads_and_never_more_than_the_whole()
        duty.teardown()
    assert set(machine.seen) == {
        "Assign",
        "Accept",
        "HandOver",
        "Vacate",
        "AssigneeOfAnotherAgency",
        "AssignmentDiffers",
        "AssignmentNotInStatus",
        "EndOutsideInterval",
        "EndReachesBack",
        "LeadExists",
        "MissingRole",
        "NotTheAssignee",
        "ResponsibilityIntervalEmpty",
        "ResponsibilityNotOfAgency",
        "SharesExceeded",
    }
