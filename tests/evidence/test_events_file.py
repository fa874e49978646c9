"""Many events in one file, and a reporter's stream: each event is checked like one alone, and no gap goes unseen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain import canonical
from ledger.domain.scalars import ZERO32
from ledger.evidence import verify
from ledger.evidence.events_file import entries_of, parse_events
from scripts.evidence_vectors.names import GATEWAY
from scripts.evidence_vectors.world import World
from tests.evidence.altering import altered, failure, flipped, statuses
from tests.evidence.stranger_batch import verifier

if TYPE_CHECKING:
    from collections.abc import Callable


class Many:
    """A world with three batches of one stream under two anchors, and one of another stream between them."""

    def __init__(self) -> None:
        self.world = World()
        self.agreement = self.world.agree()
        self.world.report(self.agreement, count=4)
        self.world.report(ZERO32, count=2)
        self.world.anchor()
        self.world.report(self.agreement, count=3)
        self.world.report(self.agreement, count=5)
        self.world.anchor()
        self.root = self.world.trust_root_bytes()
        self.stream = [0, 1, 2, 3, *range(6, 14)]

    def subject(self, first: int, last: int) -> dict[str, str]:
        return {"agreement": self.agreement.hex(), "first": str(first), "last": str(last), "reporter": GATEWAY}


@pytest.fixture(scope="module")
def many() -> Many:
    return Many()


@pytest.fixture(scope="module")
def events(many: Many) -> bytes:
    return many.world.events_evidence([1, 3, 4, 7, 8, 13])


@pytest.fixture(scope="module")
def stream(many: Many) -> bytes:
    return many.world.events_evidence(many.stream[2:9], many.subject(2, 8))


def test_many_events_hold_in_one_file(many: Many, events: bytes, stream: bytes) -> None:
    for evidence in (events, stream):
        assert statuses(evidence, many.root) == "PPPPPPPPP"
        assert verify(evidence, many.root).assurance == "OPERATOR_ONLY"
    assert "numbers" not in verify(events, many.root).steps[1].reason
    assert "all events from number 2 to 8" in verify(stream, many.root).steps[1].reason


def test_each_entry_is_the_one_of_a_file_of_it_alone(many: Many, events: bytes) -> None:
    for entry in entries_of(parse_events(events)):
        alone: dict[str, Any] = json.loads(many.world.event_evidence(entry.index))["entry"]
        assert json.loads(canonical.encode_checked(entry)) == alone


def test_a_stranger_verifies_what_the_file_says_of_each_event(many: Many, events: bytes, stream: bytes) -> None:
    for evidence in (events, stream):
        assert verifier(evidence, many.root).run() is None  # It raises what it refuses, at the step that refuses it.


@pytest.mark.parametrize("kind", ["events", "stream"])
def test_no_byte_can_change(many: Many, kind: str, request: pytest.FixtureRequest) -> None:
    evidence: bytes = request.getfixturevalue(kind)
    for place in range(0, len(evidence), 97):
        assert failure(flipped(evidence, place), many.root)[0] >= 0, place


def test_an_altered_event_is_named(many: Many, events: bytes) -> None:
    def change(file: dict[str, Any]) -> None:
        file["checkpoints"][1]["entries"][0]["leaf"]["accepted_at_ms"] += 1

    step, reason = failure(altered(events, change), many.root)
    assert (step, reason[:8]) == (2, "entry 7:")


def drop(place: int) -> Callable[[dict[str, Any]], None]:
    def change(file: dict[str, Any]) -> None:
        del file["checkpoints"][0]["entries"][place]

    return change


def test_an_entry_taken_out_leaves_a_proof_that_does_not_fit(many: Many, events: bytes, stream: bytes) -> None:
    for evidence in (events, stream):
        assert failure(altered(evidence, drop(0)), many.root)[0] in {0, 1, 2}


@pytest.mark.parametrize(
    ("indices", "first", "last"),
    [
        ([0, 1, 3], 0, 2),  # one left out, the numbers those of as many
        ([0, 1, 3], 0, 3),  # one left out
        ([1, 2, 3], 0, 2),  # begins later than it says
        ([0, 1, 2], 0, 3),  # ends sooner
        ([0, 1, 2, 3], 0, 2),  # holds more
        ([0, 1, 4], 0, 2),  # one of another stream
        ([4, 5], 0, 1),  # all of another stream
    ],
)
def test_a_stream_with_a_gap_or_of_others_is_refused(many: Many, indices: list[int], first: int, last: int) -> None:
    step, reason = failure(many.world.events_evidence(indices, many.subject(first, last)), many.root)
    assert step == 1, reason


@pytest.mark.parametrize(
    "change", [("reporter", "gateway@xroad:EE/GOV/1"), ("agreement", ""), ("last", "03"), ("first", "x")]
)
def test_a_stream_of_another_subject_is_refused(many: Many, stream: bytes, change: tuple[str, str]) -> None:
    def changed(file: dict[str, Any]) -> None:
        file["subject"][change[0]] = change[1]

    assert failure(altered(stream, changed), many.root)[0] in {0, 1}


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 0, 1, 2]])
def test_reordered_and_repeated_entries_are_refused(many: Many, order: list[int]) -> None:
    def change(file: dict[str, Any]) -> None:
        entries = file["checkpoints"][0]["entries"]
        file["checkpoints"][0]["entries"] = [entries[place] for place in order]

    evidence = many.world.events_evidence([0, 1, 2], many.subject(0, 2))
    assert failure(altered(evidence, change), many.root)[0] == 0


def test_a_needless_batch_salt_or_hash_is_refused(many: Many, events: bytes) -> None:
    def batch(file: dict[str, Any]) -> None:
        file["batches"].append(file["batches"][0])

    def salt(file: dict[str, Any]) -> None:
        file["streams"]["00" * 32] = next(iter(file["streams"].values()))

    def node(file: dict[str, Any]) -> None:
        file["checkpoints"][0]["path"].append("00" * 32)

    for change in (batch, salt, node):
        assert failure(altered(events, change), many.root)[0] == 0
