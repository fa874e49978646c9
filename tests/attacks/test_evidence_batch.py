"""Attacks on evidence of many events: what an operator or a holder would alter, and the step that says so."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.commitment import Group
from ledger.domain.scalars import ZERO32
from ledger.evidence.entry_steps import open_groups
from ledger.log.tree import leaf_hash
from scripts.evidence_vectors.names import GATEWAY, WANTING
from scripts.evidence_vectors.world import World
from tests.evidence.altering import altered, failure
from tests.evidence.stranger_batch import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.evidence.conftest import Made

DIFFERENT = (1, "entry 0: the groups do not give the entry's commitment")
SHOWN = [["exchange"], ["binding"], ["detail"], ["binding", "detail"], ["binding", "exchange"], ["detail", "exchange"]]


def entries(change: Callable[[list[Any]], object]) -> Callable[[Any], None]:
    """Return a change of the entries of a file with one checkpoint."""

    def apply(value: Any) -> None:
        change(value["checkpoints"][0]["entries"])

    return apply


def refused(evidence: bytes, root: bytes) -> tuple[int, str]:
    """Return which step refuses and why; the stranger refuses, too."""
    found = failure(evidence, root)
    assert found[0] == 8 or not holds(evidence, root)
    return found


def subject(first: int, last: int, reporter: str = GATEWAY) -> dict[str, str]:
    return {"agreement": "", "first": str(first), "last": str(last), "reporter": reporter}


@pytest.fixture(params=SHOWN, ids="+".join)
def some(made: Made, request: pytest.FixtureRequest) -> bytes:
    """The three events of a ledger, some groups of each withheld."""
    return made.world.events_evidence([0, 1, 2], None, request.param)


# Withheld groups.


def test_an_altered_hash_of_a_withheld_group_is_refused(made: Made, some: bytes) -> None:
    def change(held: list[Any]) -> None:
        groups = held[0]["groups"]
        place = next(at for at, group in enumerate(groups) if isinstance(group, str))
        groups[place] = sha256(groups[place].encode()).hexdigest()

    assert refused(altered(some, entries(change)), made.root) == DIFFERENT


def test_a_disclosed_group_under_another_salt_is_refused(made: Made, some: bytes) -> None:
    def change(held: list[Any]) -> None:
        mine, other = (next(g for g in held[at]["groups"] if not isinstance(g, str)) for at in (0, 1))
        mine[0] = other[0]

    assert refused(altered(some, entries(change)), made.root) == DIFFERENT


@pytest.mark.parametrize("place", range(3))
def test_a_group_of_another_event_is_refused_disclosed_or_withheld(made: Made, some: bytes, place: int) -> None:
    def change(held: list[Any]) -> None:
        held[0]["groups"][place] = held[1]["groups"][place]

    assert refused(altered(some, entries(change)), made.root) == DIFFERENT


def test_a_withheld_group_opened_with_another_value_or_salt_is_refused(made: Made) -> None:
    """A holder who has only the hashes makes up what was withheld of all events."""
    whole = json.loads(made.world.events_evidence([0, 1, 2]))["checkpoints"][0]["entries"]
    evidence = made.world.events_evidence([0, 1, 2], None, ["binding", "exchange"])
    for salt, value in (
        (whole[0]["groups"][1][0], {**whole[0]["groups"][1][2], "size": 1}),
        ("A" * 43 + "=", whole[0]["groups"][1][2]),
    ):

        def change(held: list[Any], salt: str = salt, value: Any = value) -> None:
            for at, entry in enumerate(held):
                entry.update(batch=0, place=at)
                entry["groups"][1] = [salt, "detail", value]

        forged = altered(evidence, entries(change))
        batches = json.loads(made.world.events_evidence([0, 1, 2]))["batches"]
        forged = altered(forged, lambda file, batches=batches: file.update(batches=batches))
        assert refused(forged, made.root) == DIFFERENT


def test_a_whole_subtree_in_the_place_of_a_group_is_refused(made: Made) -> None:
    """Two hashes for three groups give the same root; the commitment of an event has three, one by one."""
    evidence = made.world.events_evidence([0], None, ["exchange"])

    def change(held: list[Any]) -> None:
        first, second, third = held[0]["groups"]
        held[0]["groups"] = [open_groups([first, second], 1).root.hex(), third]

    assert refused(altered(evidence, entries(change)), made.root)[0] == 1


def test_one_event_may_not_show_more_or_less_than_the_others(made: Made) -> None:
    """What a step said of all events would hold of some."""
    whole = json.loads(made.world.events_evidence([0, 1, 2]))["checkpoints"][0]["entries"]

    def more(held: list[Any]) -> None:
        held[1]["groups"] = whole[1]["groups"]

    def less(held: list[Any]) -> None:
        held[2]["groups"][2] = leaf_hash(Group(*held[2]["groups"][2]).leaf()).hex()

    evidence = made.world.events_evidence([0, 1, 2], None, ["binding", "exchange"])
    assert refused(altered(evidence, entries(more)), made.root) == (
        0, "entry 1 does not disclose the groups that the first one does"
    )  # fmt: skip
    assert refused(altered(evidence, entries(less)), made.root) == (
        0, "entry 2 does not disclose the groups that the first one does"
    )  # fmt: skip


@pytest.mark.parametrize("member", ["batches", "histories", "state", "streams"])
def test_what_relies_on_a_withheld_group_may_not_be_shown(made: Made, member: str) -> None:
    """Bytes that nothing checks could say anything."""
    whole = json.loads(made.world.events_evidence([0, 1, 2]))
    evidence = made.world.events_evidence([0, 1, 2], None, ["exchange"])
    forged = altered(evidence, lambda file: file.update({member: whole[member]}))
    assert refused(forged, made.root)[0] in {0, 5, 6}


@pytest.mark.parametrize("member", ["batches", "histories", "state", "streams"])
def test_what_a_disclosed_group_needs_may_not_be_hidden(made: Made, member: str) -> None:
    empty = json.loads(made.world.events_evidence([0, 1, 2], None, ["exchange"]))
    evidence = made.world.events_evidence([0, 1, 2])
    forged = altered(evidence, lambda file: file.update({member: empty[member]}))
    assert refused(forged, made.root)[0] in {0, 5, 6}


def test_hiding_each_events_place_in_its_batch_while_all_is_shown_is_refused(made: Made) -> None:
    """The reporter's signature is not there to be left out by who does not like it."""

    def change(held: list[Any]) -> None:
        for entry in held:
            entry.update(batch=None, place=None)

    forged = altered(made.world.events_evidence([0, 1, 2]), entries(change))
    forged = altered(forged, lambda file: file.update(batches=[]))
    assert refused(forged, made.root)[0] == 0


# A stream.


@pytest.mark.parametrize("shown", [["exchange"], ["binding"], ["binding", "detail", "exchange"]], ids="+".join)
def test_a_stream_given_out_as_anothers_is_refused(shown: Sequence[str]) -> None:
    world = World()
    world.report(ZERO32, count=3)
    world.anchor()
    evidence = world.events_evidence([0, 1, 2], subject(0, 2), shown)
    assert failure(evidence, world.trust_root_bytes()) == (-1, "")
    for change in ({"reporter": WANTING}, {"agreement": "ab" * 32}):
        forged = altered(evidence, lambda file, change=change: file["subject"].update(change))
        step, reason = refused(forged, world.trust_root_bytes())
        assert (step, "not of the stream that the file is about" in reason) == (1, True)


@pytest.mark.parametrize("shown", [["exchange"], ["binding"], ["binding", "detail", "exchange"]], ids="+".join)
def test_a_stream_put_together_of_two_is_refused(shown: Sequence[str]) -> None:
    world = World()
    world.report(ZERO32, count=2)
    world.report(ZERO32, count=4, post=WANTING)
    world.anchor()
    evidence = world.events_evidence([0, 1, 4, 5], subject(0, 3), shown)
    step, reason = refused(evidence, world.trust_root_bytes())
    assert (step, reason) == (1, "entry 4 is not of the stream that the file is about")


@pytest.mark.parametrize("shown", [["exchange"], ["binding"], ["binding", "detail", "exchange"]], ids="+".join)
def test_a_stream_of_an_entry_that_does_not_follow_is_refused(shown: Sequence[str]) -> None:
    """The operator takes an event out of its stream and lets the next one follow what was before it."""
    world = World()
    world.report(ZERO32, count=4)
    after = world.held_leaf(1).hash().hex()
    world.relog(3, prev=after)
    world.anchor()
    root = world.trust_root_bytes()
    gap = refused(world.events_evidence([0, 1, 3], subject(0, 3), shown), root)
    assert gap == (1, f"missing: number 2 of {GATEWAY}, since entry 3 is number 3")
    assert refused(world.events_evidence([0, 1, 2, 3], subject(0, 3), shown), root) == (
        1, "entry 3 does not follow the entry before it in its stream"
    )  # fmt: skip


def test_numbers_that_the_operator_gave_are_found_out_with_the_binding() -> None:
    """It leaves an event out, and numbers the next ones as if it had never been.

    Of the exchange alone that does not show: the page says so. The binding holds the reporter's number.
    """
    world = World()
    world.report(ZERO32, count=4)
    world.relog(3, seq=2, prev=world.held_leaf(1).hash().hex())
    world.anchor()
    root = world.trust_root_bytes()
    assert failure(world.events_evidence([0, 1, 3], subject(0, 2), ["exchange"]), root) == (-1, "")
    for shown in (["binding"], ["binding", "exchange"], ["binding", "detail", "exchange"]):
        evidence = world.events_evidence([0, 1, 3], subject(0, 2), shown)
        assert refused(evidence, root) == (1, "entry 3: the reporter's number is not the entry's")


def test_an_event_that_the_reporter_signed_after_another_is_found_out_with_all_groups() -> None:
    world = World()
    world.report(ZERO32, count=2)
    world.lose(GATEWAY, "")
    world.report(ZERO32, count=1)
    world.anchor()
    root = world.trust_root_bytes()
    assert failure(world.events_evidence([0, 1, 2], subject(0, 2), ["binding"]), root) == (-1, "")
    assert refused(world.events_evidence([0, 1, 2], subject(0, 2)), root) == (
        7, "entry 2: its event does not follow the one before"
    )  # fmt: skip


@pytest.mark.parametrize("shown", [["exchange"], ["binding", "detail", "exchange"]], ids="+".join)
def test_a_missing_middle_or_end_is_told_by_its_numbers(shown: Sequence[str]) -> None:
    world = World()
    world.report(ZERO32, count=8)
    world.anchor()
    root = world.trust_root_bytes()
    for indices, told in (
        ([0, 1, 3, 4, 5, 6, 7], f"missing: number 2 of {GATEWAY}, since entry 3 is number 3"),
        ([0, 1, 6, 7], f"missing: numbers 2 to 5 of {GATEWAY}, since entry 6 is number 6"),
        ([0, 1, 2, 3, 4, 5, 6], f"missing: number 7 of {GATEWAY}, at the end"),
        ([0, 1, 2], f"missing: numbers 3 to 7 of {GATEWAY}, at the end"),
        ([3, 4, 5, 6, 7], f"missing: numbers 0 to 2 of {GATEWAY}, since entry 3 is number 3"),
    ):
        assert refused(world.events_evidence(indices, subject(0, 7), shown), root) == (1, told)
