"""The deployed AgreementLedger beside the Python fold: the same acts are taken, each refusal is the one predicted."""

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

from ledger.domain.agreement_state import AgreementState, apply_agreement, fold_agreement
from ledger.domain.codes import AgreementStatus as Status
from ledger.domain.codes import PostRole
from ledger.domain.errors import RefusedError
from ledger.domain.records import (
    CancelProposal,
    Dispose,
    Propose,
    Resume,
    Sign,
    Suspend,
    Terminate,
    Terms,
    WithdrawEntry,
)
from ledger.domain.typed_data import struct_hash
from ledger.service.call_data import call_data, tuple_type
from tests.contracts.agreements import Party, grant, make_party, publish, terms
from tests.contracts.heads import History

if TYPE_CHECKING:
    from ledger.domain.record import Record
    from tests.contracts.deployed import DeployedLedger, Post

HEADS = PostRole.PROVIDER_OFFICE_HEAD | PostRole.REQUESTER_OFFICE_HEAD
OPEN = (Status.ACTIVE, Status.SUSPENDED)
VIEW = "(uint8,bool,uint32,uint32,uint40)"
PAST, NEVER = 1_000, 0
REASON = b"\x0b" * 32


@dataclass(frozen=True, slots=True)
class Actor:
    """A post with what it may do."""

    post: Post
    roles: PostRole


class AgreementMachine(RuleBasedStateMachine):
    """One agreement's life; the class attributes are set for the module's deployment."""

    ledger: ClassVar[DeployedLedger]
    parties: ClassVar[tuple[Party, Party, Party]]
    actors: ClassVar[list[Actor]]
    seen: ClassVar[Counter[str]]

    @initialize()
    def begin(self) -> None:
        self.agreement = secrets.token_bytes(32)
        self.dataset = publish(self.ledger, self.parties[0], secrets.token_bytes(32))
        self.is_withdrawn = False
        self.history = History(self.ledger, "AgreementLedger", self.agreement)
        self.state: AgreementState | None = None

    @rule(by=st.integers(0, 2**16), three=st.booleans(), ends=st.booleans(), off=st.integers(0, 7))
    def propose(self, by: int, three: bool, ends: bool, off: int) -> None:
        actor, state = self._actor(by), self.state
        version = self._next_version() + (1 if off == 7 else 0)
        members = self.parties if three else self.parties[:2]
        window = PAST if ends else NEVER
        grants = tuple(grant(self.dataset, party, valid_from=1, valid_to=window) for party in members[1:])
        proposed = terms(members, grants, agreement=self.agreement, version=version)
        agencies = set(proposed.parties)
        if not actor.roles & HEADS:
            expected = "MissingRole"
        elif expected := self._refused_turn(version):
            pass
        elif actor.post.agency not in agencies:
            expected = "NotParty"
        elif self.is_withdrawn:
            expected = "EntryIsWithdrawn"
        elif state is None and not self._may_propose(actor, proposed):
            expected = "ProposerNotConcerned"
        elif state is not None and actor.post.agency not in self._active_terms().parties:
            expected = "NotParty"
        elif state is not None and not agencies >= set(self._active_terms().parties):
            expected = "PartyDropped"
        self._act(actor, Propose(post=actor.post.id, terms=proposed, **self._signing()), expected)

    @rule(by=st.integers(0, 2**16), off=st.integers(0, 15))
    def sign(self, by: int, off: int) -> None:
        actor = self._actor(by)
        pending = None if self.state is None else self.state.pending_version
        number = (pending.version if pending else self._next_version()) + (1 if off == 15 else 0)
        stated = pending.terms_hash if pending else bytes(32)
        if off == 14:
            stated = REASON
        if not actor.roles & HEADS:
            expected = "MissingRole"
        elif pending is None or pending.version != number:
            expected = "NoProposalPending"
        elif stated != pending.terms_hash:
            expected = "TermsMismatch"
        elif actor.post.agency not in pending.terms.parties:
            expected = "NotParty"
        elif actor.post.agency not in pending.missing:
            expected = "AlreadySigned"
        else:
            expected = "EntryIsWithdrawn" if len(pending.missing) == 1 and self.is_withdrawn else ""
        record = Sign(
            post=actor.post.id,
            agreement=self.agreement,
            version=number,
            terms_hash=stated,
            **self._signing(),
        )
        self._act(actor, record, expected)

    @rule(by=st.integers(0, 2**16))
    def cancel(self, by: int) -> None:
        actor = self._actor(by)
        pending = None if self.state is None else self.state.pending_version
        if not actor.roles & HEADS:
            expected = "MissingRole"
        elif pending is None:
            expected = "NoProposalPending"
        else:
            expected = "" if actor.post.agency in pending.terms.parties else "NotParty"
        number = pending.version if pending else 1
        record = CancelProposal(
            post=actor.post.id, agreement=self.agreement, version=number, reason=REASON, **self._signing()
        )
        self._act(actor, record, expected)

    @rule(by=st.integers(0, 2**16))
    def suspend(self, by: int) -> None:
        actor, state = self._actor(by), self.state
        # An authority's suspension takes the place of the provider's own.
        is_providers = state is not None and self._status() is Status.SUSPENDED and not state.suspended_by_authority
        expected = self._refused_supervision(actor, Status.SUSPENDED if is_providers else Status.ACTIVE)
        if not expected and is_providers and self._is_provider(actor):
            expected = "WrongStatus"
        record = Suspend(post=actor.post.id, agreement=self.agreement, reason=REASON, **self._signing())
        self._act(actor, record, expected)
        if not expected:
            assert self.state is not None
            assert self.state.suspended_by_authority is not self._is_provider(actor)

    @rule(by=st.integers(0, 2**16))
    def resume(self, by: int) -> None:
        actor = self._actor(by)
        expected = self._refused_supervision(actor, Status.SUSPENDED)
        if not expected and self.state is not None and self.state.suspended_by_authority:
            expected = "" if actor.roles & PostRole.SHARING_AUTHORITY else "SuspendedByAuthority"
        record = Resume(post=actor.post.id, agreement=self.agreement, reason=REASON, **self._signing())
        self._act(actor, record, expected)

    @rule(by=st.integers(0, 2**16))
    def terminate(self, by: int) -> None:
        actor = self._actor(by)
        expected = ""
        if not actor.roles & (HEADS | PostRole.SHARING_AUTHORITY):
            expected = "MissingRole"
        elif self._status() not in OPEN:
            expected = "WrongStatus"
        elif not actor.roles & PostRole.SHARING_AUTHORITY:
            expected = "" if actor.post.agency in self._active_terms().parties else "NotParty"
        record = Terminate(post=actor.post.id, agreement=self.agreement, reason=REASON, **self._signing())
        self._act(actor, record, expected)

    @rule(by=st.integers(0, 2**16))
    def dispose(self, by: int) -> None:
        actor, state = self._actor(by), self.state
        if not actor.roles & PostRole.REQUESTER_OFFICE_HEAD:
            expected = "MissingRole"
        elif self._status() not in {*OPEN, Status.TERMINATED}:
            expected = "WrongStatus"
        elif self._status() is not Status.TERMINATED and state is not None and state.pending_version is not None:
            expected = "ProposalPending"
        elif self._status() is not Status.TERMINATED and self._is_open_ended():
            expected = "DisposalTooEarly"
        elif actor.post.agency not in self._active_terms().parties:
            expected = "NotParty"
        elif actor.post.agency not in self._recipients():
            expected = "NotRecipient"
        else:
            expected = "AlreadyCertified" if actor.post.agency in self._certified() else ""
        record = Dispose(post=actor.post.id, agreement=self.agreement, certificate=REASON, **self._signing())
        self._act(actor, record, expected)

    @rule(chance=st.integers(0, 9))
    def withdraw_entry(self, chance: int) -> None:
        if chance == 0 and not self.is_withdrawn:
            self.ledger.act(self.parties[0].dept, WithdrawEntry, dataset=self.dataset, version=1, reason=REASON)
            self.is_withdrawn = True

    @invariant()
    def the_contract_holds_what_the_fold_tells(self) -> None:
        (found,) = decode(
            [VIEW], self.ledger.call("AgreementLedger", call_data("agreementOf", [("bytes32", self.agreement)]))
        )
        if self.state is None:
            assert found == (0, False, 0, 0, 0)
            return
        active, pending = self.state.active_version, self.state.pending_version
        assert found[:4] == (
            self.state.status,
            self.state.suspended_by_authority,
            active.version if active else 0,
            pending.version if pending else 0,
        )
        for known in self.state.versions[-2:]:
            if self.state.version(known.version) is known:
                answer = self.ledger.call("AgreementLedger", call_data("isVersion", [(tuple_type(Terms), known.terms)]))
                assert known.terms_hash == struct_hash(known.terms)
                assert answer == (1).to_bytes(32, "big")

    @invariant()
    def nothing_counts_without_every_signature(self) -> None:
        if self.state is not None and self.state.active_version is not None:
            assert self.state.active_version.missing == ()
        assert self._status() not in OPEN or (self.state is not None and self.state.active_version is not None)

    def teardown(self) -> None:
        self.history.check_head()
        assert fold_agreement(self.history.events) == self.state

    def _refused_turn(self, version: int) -> str:
        status, state = self._status(), self.state
        if status is Status.PROPOSED:
            return "ProposalPending"
        if state is not None:
            if status not in OPEN:
                return "WrongStatus"
            if state.pending_version is not None:
                return "ProposalPending"
            if state.disposals:
                return "DisposalUnderWay"
        return "" if version == self._next_version() else "VersionOutOfOrder"

    def _refused_supervision(self, actor: Actor, needed: Status) -> str:
        if not actor.roles & (PostRole.PROVIDER_OFFICE_HEAD | PostRole.SHARING_AUTHORITY):
            return "MissingRole"
        if self._status() is not needed:
            return "WrongStatus"
        return "" if self._is_provider(actor) or actor.roles & PostRole.SHARING_AUTHORITY else "NotProvider"

    def _may_propose(self, actor: Actor, proposed: Terms) -> bool:
        is_recipient = all(each.recipient == actor.post.agency for each in proposed.grants)
        return actor.post.agency == proposed.provider or is_recipient

    def _is_provider(self, actor: Actor) -> bool:
        is_head = bool(actor.roles & PostRole.PROVIDER_OFFICE_HEAD)
        return is_head and actor.post.agency == self.parties[0].agency

    def _status(self) -> Status:
        return Status.NONE if self.state is None else self.state.status

    def _next_version(self) -> int:
        active = None if self.state is None else self.state.active_version
        return active.version + 1 if active else 1

    def _active_terms(self) -> Terms:
        assert self.state is not None
        assert self.state.active_version is not None
        return self.state.active_version.terms

    def _recipients(self) -> set[bytes]:
        assert self.state is not None
        activated = [known.terms for known in self.state.versions if known.activated_at is not None]
        return {each.recipient for stated in activated for each in stated.grants}

    def _certified(self) -> set[bytes]:
        assert self.state is not None
        return {disposal.party for disposal in self.state.disposals}

    def _is_open_ended(self) -> bool:
        return any(each.valid_to == NEVER for each in self._active_terms().grants)

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
            self.state = apply_agreement(self.state, recorded)

    def _actor(self, choice: int) -> Actor:
        return self.actors[choice % len(self.actors)]

    @staticmethod
    def _signing() -> dict[str, int]:
        return {"nonce": secrets.randbits(192) << 64, "deadline": 2**40}


@pytest.fixture(scope="module")
def machine(ledger: DeployedLedger) -> type[AgreementMachine]:
    provider = make_party(ledger, PostRole.PROVIDER_OFFICE_HEAD)
    requesters = [make_party(ledger, PostRole.REQUESTER_OFFICE_HEAD) for _ in range(2)]
    outsider = ledger.agency(secrets.token_bytes(32))
    authority = ledger.agency(secrets.token_bytes(32), PostRole.SHARING_AUTHORITY)
    actors = [Actor(provider.head, PostRole.PROVIDER_OFFICE_HEAD), Actor(provider.dept, PostRole.DEPT_HEAD)]
    actors += [Actor(party.head, PostRole.REQUESTER_OFFICE_HEAD) for party in requesters]
    actors += [
        Actor(ledger.post(provider.agency, "both", HEADS), HEADS),
        Actor(ledger.post(outsider, "both", HEADS), HEADS),
        Actor(ledger.post(authority, "authority", PostRole.SHARING_AUTHORITY), PostRole.SHARING_AUTHORITY),
    ]
    fixed = {"ledger": ledger, "parties": (provider, *requesters), "actors": actors, "seen": Counter()}
    return type("Machine", (AgreementMachine,), fixed)


def test_the_contract_takes_what_the_model_takes_and_refuses_by_name(machine: type[AgreementMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=25))


def test_long_lives_of_agreements_reach_every_act_and_every_refusal(machine: type[AgreementMachine]) -> None:
    chance = random.Random(27)
    for _ in range(40):
        life = machine()
        life.begin()
        for _ in range(60):
            by = chance.getrandbits(16)
            match chance.choices(range(8), (3, 12, 0.5, 3, 4, 0.7, 3, 1))[0]:
                case 0:
                    life.propose(by, chance.random() < 0.7, chance.random() < 0.6, chance.randrange(8))
                case 1:
                    life.sign(by, chance.randrange(16))
                case 2:
                    life.cancel(by if life.state is not None and chance.random() < 0.5 else 1)
                case 3:
                    life.suspend(by)
                case 4:
                    life.resume(by)
                case 5:
                    life.terminate(by)
                case 6:
                    life.dispose(by)
                case _:
                    life.withdraw_entry(chance.randrange(10))
            life.the_contract_holds_what_the_fold_tells()
            life.nothing_counts_without_every_signature()
        life.teardown()
    acts = {"Propose", "Sign", "CancelProposal", "Suspend", "Resume", "Terminate", "Dispose"}
    assert set(machine.seen) == acts | {
        "AlreadyCertified",
        "AlreadySigned",
        "DisposalTooEarly",
        "DisposalUnderWay",
        "EntryIsWithdrawn",
        "MissingRole",
        "NoProposalPending",
        "NotParty",
        "NotProvider",
        "NotRecipient",
        "PartyDropped",
        "ProposalPending",
        "ProposerNotConcerned",
        "SuspendedByAuthority",
        "TermsMismatch",
        "VersionOutOfOrder",
        "WrongStatus",
    }
