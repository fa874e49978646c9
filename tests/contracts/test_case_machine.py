"""The deployed CaseLedger beside the Python fold: the same steps are taken, and each refusal is the one predicted."""

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

from ledger.domain.case_state import APPEAL_OUTCOMES, CaseState, apply_case, fold_case
from ledger.domain.codes import CaseStep as S
from ledger.domain.codes import PostRole
from ledger.domain.commitment import Commitment, commit
from ledger.domain.errors import RefusedError
from ledger.domain.identifiers import parse_agency
from ledger.domain.records import Advance
from ledger.log.tree import leaf_hash
from ledger.service.call_data import call_data
from tests.contracts.deployed import EVERY_CAPACITY, FAR, DeployedLedger, Post, fresh_nonce
from tests.contracts.heads import History

if TYPE_CHECKING:
    from collections.abc import Sequence

OPENING_TYPE = "(bytes32,bytes,uint64,uint64,bytes32[])"
AUTHORITY, RESPONDENT, OTHER = (
    parse_agency(f"name:gov/CN/{name}") for name in ("Data bureau", 'The "other" \\ office', "Superior")
)
NOBODY = parse_agency("name:gov/CN/Never admitted")
HEADS = PostRole.PROVIDER_OFFICE_HEAD | PostRole.REQUESTER_OFFICE_HEAD | PostRole.DEPT_HEAD
DECIDING = PostRole.SHARING_AUTHORITY | PostRole.SUPERIOR
INVESTIGATING = DECIDING | PostRole.INSPECTOR
REVIEWS = {S.VERIFIED, S.REWORK, *APPEAL_OUTCOMES}
RESPONSES = {S.EVIDENCE_FILED, S.APPEAL_FILED}
OPENS = {S.NOTICE_ISSUED, S.CLOSED, S.WITHDRAWN}
ROLES = {
    (AUTHORITY, "inspector"): PostRole.INSPECTOR,
    (AUTHORITY, "chief"): PostRole.SHARING_AUTHORITY,
    (AUTHORITY, "reviewer"): PostRole.REVIEWER,
    (AUTHORITY, "everything"): EVERY_CAPACITY | PostRole.DEPT_HEAD,
    (RESPONDENT, "head"): PostRole.PROVIDER_OFFICE_HEAD,
    (RESPONDENT, "clerk"): PostRole.REPORTER,
    (RESPONDENT, "judge"): EVERY_CAPACITY,
    (OTHER, "superior"): PostRole.SUPERIOR,
    (OTHER, "reviewer"): PostRole.REVIEWER,
    (OTHER, "inspector"): PostRole.INSPECTOR,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """A post with what it may do."""

    post: Post
    roles: PostRole


def signers(step: S) -> PostRole:
    if step in RESPONSES:
        return INVESTIGATING | HEADS
    if step in {S.LEAD, S.FILED, S.FACTS_TOLD, S.REOPENED}:
        return INVESTIGATING
    return DECIDING


class CaseMachine(RuleBasedStateMachine):
    ledger: ClassVar[DeployedLedger]
    actors: ClassVar[Sequence[Actor]]
    seen: ClassVar[Counter[str]]

    @initialize(respondent=st.sampled_from([RESPONDENT, RESPONDENT, AUTHORITY, NOBODY]))
    def begin(self, respondent: object) -> None:
        self.case = secrets.token_bytes(32)
        self.respondent = respondent
        self.filings: dict[bytes, Commitment] = {}
        self.history = History(self.ledger, "CaseLedger", self.case)
        self.state: CaseState | None = None
        self.authority = b""
        self.review_due = False
        self.taken = 0

    @rule(choice=st.integers(0, 2**32), who=st.integers(0, 2**32))
    def take_a_step_that_is_allowed(self, choice: int, who: int) -> None:
        allowed = sorted(self.state.allowed() if self.state else {S.LEAD, S.FILED})
        if not allowed:
            return
        if len(allowed) > 2 and choice % 8:  # Most cases go on.
            allowed = [step for step in allowed if step not in {S.WITHDRAWN, S.NO_ACTION}]
        step = allowed[choice // 8 % len(allowed)]
        fitting = [actor for actor in self.actors if not self.refusal(actor, step, opening=step in OPENS)]
        if fitting:
            self.take(fitting[who % len(fitting)], step, opening=step in OPENS)

    @rule(step=st.sampled_from(list(S)), who=st.integers(0, 2**32), opening=st.booleans())
    def try_anything(self, step: S, who: int, opening: bool) -> None:
        self.take(self.actors[who % len(self.actors)], step, opening=opening)

    @rule(choice=st.integers(0, 2**32), who=st.integers(0, 2**32))
    def try_a_step_that_is_allowed_as_anyone(self, choice: int, who: int) -> None:
        allowed = sorted(self.state.allowed() if self.state else {S.LEAD, S.FILED})
        if allowed:
            step = allowed[choice % len(allowed)]
            opening = step in OPENS and (choice // 32) % 4 > 0
            self.take(self.actors[who % len(self.actors)], step, opening=opening)

    @invariant()
    def contract_fold_and_model_agree(self) -> None:
        state = self.state
        answer = self.ledger.call("CaseLedger", call_data("caseOf", [("bytes32", self.case)]))
        step, appeal, authority, respondent, _ = decode(["uint8", "uint8", "bytes32", "bytes32", "bytes32"], answer)
        if state is None:
            assert (step, appeal, authority, respondent) == (0, 0, bytes(32), bytes(32))
            return
        assert (step, appeal) == (state.step, state.appeal or 0)
        assert authority == self.authority
        assert respondent == (state.respondent or bytes(32))

    def teardown(self) -> None:
        if self.taken:
            self.history.check_head()
            assert fold_case(self.history.events) == self.state

    def take(self, actor: Actor, step: S, *, opening: bool) -> None:
        expected = self.refusal(actor, step, opening=opening)
        commitment = self._commitment(step)
        aux = self._respondent_leaf(commitment) if step is S.FILED else bytes(32)
        record = {"case_id": self.case, "step": step, "commitment": commitment, "aux": aux}
        found = self._try(actor, Advance(post=actor.post.id, nonce=fresh_nonce(), deadline=FAR, **record), opening)
        assert found == expected, (step, actor, opening, self.state)
        self.seen[found or step.name] += 1
        if found:
            return
        self.taken += 1
        known = len(self.history.events)
        for recorded in self.history.read()[known:]:
            self.state = apply_case(self.state, recorded)
        if self.taken == 1:
            self.authority = actor.post.agency
        self.review_due = (self.review_due or step is S.RECTIFYING) and step is not S.VERIFIED

    def _try(self, actor: Actor, advance: Advance, opening: bool) -> str:
        """Have the step taken; return the name of the error if it is refused."""
        function, extra = ("openNoticeBySig", [(OPENING_TYPE, self._opening())]) if opening else ("", [])
        try:
            self.ledger.relay(advance, actor.post.key, function=function, extra=extra)
        except RefusedError as refused:
            return refused.error
        return ""

    def refusal(self, actor: Actor, step: S, *, opening: bool) -> str:
        """Return the error that the contract owes for this step, empty if it must take it."""
        state, agency = self.state, actor.post.agency
        if step not in REVIEWS and not actor.roles & signers(step):
            return "MissingRole"
        allowed = state.allowed() if state else {S.LEAD, S.FILED}
        if step not in allowed:
            return "CaseStepNotAllowed"
        sealed = state is None or state.is_sealed
        if not opening and step in OPENS and sealed:
            return "CaseSealed"
        if opening and step not in OPENS:
            return "CaseStepOpensNothing"
        respondent = b"" if sealed else self.respondent.id
        if state is not None:
            if agency == respondent and step not in RESPONSES:
                return "OwnCase"
            if agency not in {respondent, self.authority} and (
                not respondent or not (step in REVIEWS or actor.roles & PostRole.SUPERIOR)
            ):
                return "CaseOfAnotherAuthority"
            if step in RESPONSES and not actor.roles & (HEADS if agency == respondent else INVESTIGATING):
                return "MissingRole"
            if opening and self.respondent.id == self.authority:
                return "OwnCase"
        if step in REVIEWS:
            appealed = {entry.post for entry in state.entries if entry.step is S.APPEAL_FILED}
            if state.lack_of_independence(actor.post.id) or actor.post.id in appealed:
                return "ReviewerNotIndependent"
            if not actor.roles & PostRole.REVIEWER:
                return "MissingRole"
        return "CaseReviewMissing" if step is S.CLOSED and self.review_due else ""

    def _commitment(self, step: S) -> bytes:
        if step is not S.FILED:
            return secrets.token_bytes(32)
        values = {"respondent": str(self.respondent), "facts": "f", "violations": ["decree809:R6"], "reference": "r"}
        made = commit(values, {name: secrets.token_bytes(32) for name in values})
        self.filings[made.root] = made
        return made.root

    def _respondent_leaf(self, filing: bytes) -> bytes:
        (opening,) = self.filings[filing].disclose(["respondent"])
        return leaf_hash(opening.leaf)

    def _opening(self) -> tuple[object, ...]:
        filed = [entry.commitment for entry in self.state.entries if entry.step is S.FILED] if self.state else []
        if not filed:
            return bytes(32), b"", 0, 0, ()
        (opening,) = self.filings[filed[0]].disclose(["respondent"])
        return filed[0], opening.leaf, opening.index, opening.size, opening.path


@pytest.fixture(scope="module")
def actors(ledger: DeployedLedger) -> list[Actor]:
    for agency in (AUTHORITY, RESPONDENT, OTHER):
        ledger.agency(agency.id, EVERY_CAPACITY)
    return [Actor(ledger.post(agency.id, name, roles), roles) for (agency, name), roles in ROLES.items()]


@pytest.fixture
def machine(ledger: DeployedLedger, actors: list[Actor]) -> type[CaseMachine]:
    return type("Machine", (CaseMachine,), {"ledger": ledger, "actors": actors, "seen": Counter()})


def test_the_contract_takes_what_the_fold_takes_and_refuses_by_name(machine: type[CaseMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=30, stateful_step_count=30))


def test_long_lives_of_cases_reach_every_step_and_every_refusal(machine: type[CaseMachine]) -> None:
    chance = random.Random(6962)
    for _ in range(50):
        case = machine()
        case.begin(chance.choice([RESPONDENT, RESPONDENT, NOBODY, AUTHORITY]))
        for _ in range(30):
            if chance.random() < 0.7:
                case.take_a_step_that_is_allowed(chance.getrandbits(32), chance.getrandbits(32))
            elif chance.random() < 0.7:
                case.try_a_step_that_is_allowed_as_anyone(chance.getrandbits(32), chance.getrandbits(32))
            else:
                case.try_anything(chance.choice(list(S)), chance.getrandbits(32), chance.random() < 0.5)
            case.contract_fold_and_model_agree()
        case.teardown()
    steps = {step.name for step in S}
    assert steps <= set(machine.seen)
    assert set(machine.seen) - steps >= {
        "CaseOfAnotherAuthority",
        "CaseSealed",
        "CaseStepNotAllowed",
        "CaseStepOpensNothing",
        "MissingRole",
        "OwnCase",
        "ReviewerNotIndependent",
    }
