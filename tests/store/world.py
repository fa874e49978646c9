"""A seeded stream of events that the contracts could emit, in an order in which they could.

    world = World(random.Random(7))
    world.block(5)      # the events of one block

A copy of a world goes on differently from the same past: what a reorganisation needs.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from ledger.domain import event_decoding, events
from ledger.domain.case_state import NEXT, CaseStep
from ledger.domain.keccak import keccak256
from ledger.domain.records import Grant, Terms
from ledger.domain.scalars import OPEN_END, ZERO32

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from ledger.domain.event_log import Event

CONTRACT_OF = {event: contract for contract, some in event_decoding.EVENTS.items() for event in some}


class World:
    """What was done so far, as far as the next event depends on it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.time = 1_700_000_000
        self.agencies: list[bytes] = []
        self.suspended: set[bytes] = set()
        self.posts: list[bytes] = []
        self.keys: list[tuple[bytes, bytes]] = []
        self.entries: list[tuple[bytes, int]] = []
        self.agreements: dict[bytes, dict[str, object]] = {}
        self.assignments: dict[bytes, events.ResponsibilityAssigned] = {}
        self.accepted: set[bytes] = set()
        self.ended: set[bytes] = set()
        self.cases: dict[bytes, tuple[CaseStep, bytes, bool]] = {}
        self.size = 0

    def copy(self, chance: random.Random) -> World:
        other = copy.deepcopy(self)
        other.chance = chance
        return other

    def block(self, count: int) -> list[Event]:
        """The events of one block; its time is ``self.time``."""
        self.time += self.chance.randrange(1, 30)
        made: list[Event] = []
        while len(made) < count:
            made += self.chance.choice(self._acts())()
        return made

    def some(self) -> bytes:
        return self.chance.randbytes(32)

    def _acts(self) -> list[Callable[[], list[Event]]]:
        acts: list[Callable[[], list[Event]]] = [self._admit, self._anchor]
        if self.agencies:
            acts += [self._post, self._post, self._publish, self._agency_changes, self._file]
        if self.posts:
            acts += [self._bind, self._assign, self._roles]
        if len(self.agencies) > 1 and self.entries and self.posts:
            acts += [self._propose, self._agreement, self._agreement, self._agreement]
        if self.keys:
            acts.append(self._retire_key)
        if self.assignments:
            acts += [self._assignment, self._assignment]
        if self.cases:
            acts += [self._case, self._case]
        return acts

    def _admit(self) -> list[Event]:
        self.agencies.append(self.some())
        return [events.AgencyAdmitted(self.agencies[-1], self.some(), self.chance.randbytes(20), 8, self.some())]

    def _agency_changes(self) -> list[Event]:
        agency = self.chance.choice(self.agencies)
        if agency in self.suspended:
            self.suspended.discard(agency)
            return [events.AgencyReinstated(agency)]
        match self.chance.randrange(4):
            case 0:
                self.suspended.add(agency)
                return [events.AgencySuspended(agency, self.some())]
            case 1:
                return [events.AgencyCapacitiesSet(agency, self.chance.randrange(1024))]
            case 2:
                return [events.RootReplacementAnnounced(agency, self.chance.randbytes(20), self.time + 100)]
            case _:
                return [events.AgencySucceeded(agency, self.some(), self.time)]

    def _post(self) -> list[Event]:
        self.posts.append(self.some())
        return [events.PostRegistered(self.posts[-1], self.chance.choice(self.agencies), 3, self.some())]

    def _roles(self) -> list[Event]:
        return [events.PostRolesSet(self.chance.choice(self.posts), self.chance.randrange(1024))]

    def _bind(self) -> list[Event]:
        self.keys.append((self.chance.choice(self.posts), self.chance.randbytes(20)))
        post, key = self.keys[-1]
        return [events.KeyBound(post, key, self.time, self.chance.choice([OPEN_END, OPEN_END - 1, self.time + 10]))]

    def _retire_key(self) -> list[Event]:
        post, key = self.keys.pop(self.chance.randrange(len(self.keys)))
        return [events.KeyRetired(post, key, self.time + self.chance.randrange(3), self.some())]

    def _publish(self) -> list[Event]:
        if self.entries and self.chance.random() < 0.3:
            dataset, version = self.entries.pop(self.chance.randrange(len(self.entries)))
            return [events.EntryWithdrawn(dataset, version, self.some(), self.some())]
        self.entries.append((self.some(), self.chance.choice([1, 2**32 - 1])))
        dataset, version = self.entries[-1]
        agency = self.chance.choice(self.agencies)
        return [
            events.EntryPublished(
                dataset, version, agency, self.some(), self.some(), 2, 1, True, self.some(), self.some()
            )
        ]

    def _terms(self, agreement: bytes, version: int) -> Terms:
        provider, recipient = self.chance.sample(self.agencies, 2)
        grants = tuple(
            Grant(*self.chance.choice(self.entries), recipient, self.some(), 1, self.time, OPEN_END)
            for _ in range(self.chance.randrange(1, 4))
        )
        return Terms(agreement, version, provider, (provider, recipient), self.some(), ZERO32, 2**63, grants)

    def _propose(self) -> list[Event]:
        agreement = self.some()
        terms = self._terms(agreement, 1)
        self.agreements[agreement] = {"state": "PROPOSED", "terms": terms, "signed": 0, "active": 0}
        return [events.AgreementProposed(agreement, 1, self.chance.choice(self.posts), self.some(), terms)]

    def _agreement(self) -> list[Event]:
        live = [one for one, held in self.agreements.items() if held["state"] != "OVER"]
        if not live:
            return self._propose()
        agreement = self.chance.choice(live)
        held = self.agreements[agreement]
        post, terms = self.chance.choice(self.posts), held["terms"]
        if isinstance(terms, Terms):
            if self.chance.random() < 0.1:
                held |= {"terms": None, "state": "OVER" if held["state"] == "PROPOSED" else held["state"]}
                return [events.ProposalCancelled(agreement, terms.version, post, self.some())]
            place = int(str(held["signed"]))
            signer = self.chance.randbytes(20)
            made: list[Event] = [events.AgreementSigned(agreement, terms.version, post, terms.parties[place], signer)]
            held["signed"] = place + 1
            if place + 1 == len(terms.parties):
                made.append(events.AgreementActivated(agreement, terms.version))
                state = "ACTIVE" if held["state"] == "PROPOSED" else held["state"]
                held |= {"terms": None, "signed": 0, "active": terms.version, "state": state}
            return made
        match self.chance.randrange(4):
            case 0:
                version = int(str(held["active"])) + 1
                held |= {"terms": self._terms(agreement, version), "signed": 0}
                return [events.AgreementProposed(agreement, version, post, self.some(), held["terms"])]  # type: ignore[arg-type]
            case 1:
                held["state"] = "OVER"
                return [events.AgreementTerminated(agreement, post, self.some())]
            case _:
                if held["state"] == "ACTIVE":
                    held["state"] = "SUSPENDED"
                    return [events.AgreementSuspended(agreement, post, self.some(), self.chance.random() < 0.5)]
                held["state"] = "ACTIVE"
                return [events.AgreementResumed(agreement, post)]

    def _assign(self) -> list[Event]:
        made = events.ResponsibilityAssigned(
            self.some(), self.chance.choice([*self.agreements, self.some()]), self.chance.randrange(1, 13),
            self.chance.choice(self.posts), 2, self.chance.choice(self.posts), 1, 10_000,
            self.time - 5, OPEN_END, self.some(), ZERO32,
        )  # fmt: skip
        self.assignments[made.assignment] = made
        return [made]

    def _assignment(self) -> list[Event]:
        made = self.assignments[self.chance.choice([*self.assignments])]
        if made.assignment in self.ended:
            return self._assign()
        if made.assignment not in self.accepted and self.chance.random() < 0.7:
            self.accepted.add(made.assignment)
            return [events.ResponsibilityAccepted(made.assignment, made.object, made.duty, made.assignee)]
        self.ended.add(made.assignment)
        cause = self.chance.randrange(1, 4)
        return [
            events.ResponsibilityEnded(
                made.assignment, made.object, made.duty, made.by_post, self.time + 9, cause, ZERO32
            )
        ]

    def _file(self) -> list[Event]:
        case, filing = self.some(), self.some()
        self.cases[case] = (CaseStep.FILED, filing, True)
        return [events.CaseAdvanced(case, CaseStep.FILED.value, self.some(), filing, ZERO32)]

    def _case(self) -> list[Event]:
        case = self.chance.choice([*self.cases])
        step, filing, sealed = self.cases[case]
        following = sorted(NEXT[step])
        if not following:
            return self._file()
        step = self.chance.choice(following)
        made: list[Event] = [events.CaseAdvanced(case, step.value, self.some(), self.some(), ZERO32)]
        if sealed and step in {CaseStep.NOTICE_ISSUED, CaseStep.CLOSED}:
            sealed = False
            made.append(events.CaseOpened(case, self.chance.choice(self.agencies), filing))
        self.cases[case] = (step, filing, sealed)
        return made

    def _anchor(self) -> list[Event]:
        self.size += self.chance.randrange(1, 1_000)
        return [events.CheckpointAnchored(self.size, keccak256(self.size.to_bytes(8, "big")), self.some())]
