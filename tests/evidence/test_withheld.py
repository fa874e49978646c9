"""Groups withheld in a file of many events: it says of each event what a file of it alone does, and shows no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import canonical
from ledger.domain.event_groups import GROUPS
from ledger.domain.scalars import ZERO32
from ledger.evidence import verify
from ledger.evidence.events_file import entries_of, parse_events
from ledger.service.evidence_files import shown_groups
from scripts.evidence_vectors.names import GATEWAY
from scripts.evidence_vectors.world import World
from tests.evidence.altering import statuses
from tests.evidence.stranger_batch import verifier

if TYPE_CHECKING:
    from collections.abc import Sequence


class Reported:
    """A stream of nine events in three batches under two checkpoints, and two events of another stream among them."""

    def __init__(self) -> None:
        self.world = World()
        self.agreement = self.world.agree()
        self.world.report(self.agreement, count=4)
        self.world.report(ZERO32, count=2)
        self.world.anchor()
        self.world.report(self.agreement, count=3)
        self.world.report(self.agreement, count=2)
        self.world.anchor()
        self.root = self.world.trust_root_bytes()
        self.stream = [0, 1, 2, 3, 6, 7, 8, 9, 10]
        self.size = 11

    def subject(self, first: int, last: int) -> dict[str, str]:
        return {"agreement": self.agreement.hex(), "first": str(first), "last": str(last), "reporter": GATEWAY}


@pytest.fixture(scope="module")
def reported() -> Reported:
    return Reported()


groups = st.sets(st.sampled_from(GROUPS), min_size=1).map(sorted)
many = settings(max_examples=60, deadline=None)


@given(groups, st.data())
@many
def test_the_steps_are_those_of_each_events_own_file(reported: Reported, shown: list[str], data: st.DataObject) -> None:
    indices = sorted(data.draw(st.sets(st.integers(0, reported.size - 1), min_size=1)))
    evidence = reported.world.events_evidence(indices, None, shown)
    verifier(evidence, reported.root).run()
    alone = [reported.world.event_evidence(index, shown) for index in indices]
    assert {statuses(one, reported.root) for one in alone} == {statuses(evidence, reported.root)}
    assert {verify(one, reported.root).assurance for one in alone} == {verify(evidence, reported.root).assurance}
    for entry, one in zip(entries_of(parse_events(evidence)), alone, strict=True):
        assert json.loads(canonical.encode_checked(entry)) == json.loads(one)["entry"]


@given(groups, st.data())
@many
def test_a_stream_is_whole_whatever_is_withheld(reported: Reported, shown: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, 8))
    last = data.draw(st.integers(first, 8))
    subject = reported.subject(first, last)
    evidence = reported.world.events_evidence(reported.stream[first : last + 1], subject, shown)
    verifier(evidence, reported.root).run()
    step = verify(evidence, reported.root).steps[1]
    assert f"all events from number {first} to {last} of {GATEWAY}" in step.reason
    assert statuses(evidence, reported.root) == statuses(
        reported.world.event_evidence(reported.stream[first], shown), reported.root
    )


@given(groups, st.data())
@many
def test_what_a_stream_lacks_is_named_whatever_is_withheld(
    reported: Reported, shown: list[str], data: st.DataObject
) -> None:
    kept = sorted(data.draw(st.sets(st.integers(0, 8), min_size=1, max_size=8)))
    missing = next(number for number in range(9) if number not in kept)
    evidence = reported.world.events_evidence(
        [reported.stream[number] for number in kept], reported.subject(0, 8), shown
    )
    failed = verify(evidence, reported.root).failed
    assert failed is not None
    assert failed.number == 1
    until = next((number for number in kept if number > missing), 9) - 1
    told = f"number {missing}" if until == missing else f"numbers {missing} to {until}"
    assert failed.reason.startswith(f"missing: {told} of {GATEWAY}, ")
    assert failed.reason.endswith("at the end") == (missing > kept[-1])


@pytest.mark.parametrize("shown", [["binding"], ["detail"], ["exchange"], ["binding", "exchange"]])
def test_nothing_of_what_is_withheld_is_in_the_file(reported: Reported, shown: list[str]) -> None:
    for claim in (None, reported.subject(0, 8)):
        text = reported.world.events_evidence(reported.stream, claim, shown).decode()
        for index in reported.stream:
            held = reported.world.held(index)
            extra: Any = held.document.extra
            assert extra["signature"] not in text
            for group in shown_groups(held.document, GROUPS):
                assert (group[0] in text) == (group[1] in shown)
                assert (canonical.encode(group[2]).decode() in text) == (group[1] in shown)
        salts: Any = reported.world.held(0).document.extra
        assert (salts["stream_salt"] in text) == ("binding" in shown or claim is not None)


def test_the_report_says_what_is_withheld(reported: Reported) -> None:
    def told(shown: Sequence[str], place: int) -> str:
        evidence = reported.world.events_evidence([0, 1], reported.subject(0, 1), shown)
        return verify(evidence, reported.root).steps[place].reason

    assert told(["exchange"], 1).startswith("2 events, of each disclosed: exchange; withheld: binding, detail; ")
    assert told(["exchange"], 6).startswith("the group `binding` is withheld")
    assert told(["binding", "exchange"], 7) == (
        "withheld: detail; the reporter signed all groups together, and that one event follows another only with them"
    )
    assert told(["binding"], 8) == "withheld: exchange; the verdict follows from both"
    assert told(GROUPS, 1).startswith("2 events, of each disclosed: binding, detail, exchange; all events from")
