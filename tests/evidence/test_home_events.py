"""Evidence of many events out of a real home: what may be withheld, and what a stream is claimed to hold."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.errors import InvalidInputError, NotFoundError, VerificationError
from ledger.domain.event_groups import GROUPS
from ledger.evidence import verify
from ledger.evidence.events_file import print_events
from ledger.service.evidence_batches import held_events, make_events_file
from tests.api.world import POSTS, World, make_world
from tests.evidence.altering import statuses
from tests.evidence.stranger_batch import verifier

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORTER = POSTS["reporter-p"][0]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A home with six events of one stream, two of another's among them, under two checkpoints."""
    made = make_world(tmp_path_factory.mktemp("events") / "home")
    try:
        made.append("reporter-p", {}, {"purpose": "dpv:Marketing"}, {})
        made.append("reporter-r", {"side": "CONSUMER"}, {"side": "CONSUMER"})
        made.do("anchor")
        made.append("reporter-p", {}, {}, {})
        made.do("anchor")
        yield made
    finally:
        made.services.close()


@pytest.fixture(scope="module")
def root(world: World) -> bytes:
    content: str = world.do("trust-root.export")["content"]
    return content.encode()


def stream(world: World, **asked: Any) -> dict[str, Any]:
    made: dict[str, Any] = world.do("evidence.stream", reporter=REPORTER, agreement=world.agreement, **asked)
    return made


@pytest.mark.parametrize(
    ("shown", "steps", "not_shown"),
    [
        ([], "PPPPPPPPP", ""),
        (["exchange", "detail", "binding"], "PPPPPPPPP", ""),
        (["exchange"], "PPPPPPNNN", " (not shown: steps 6, 7, 8)"),
        (["binding"], "PPPPPPPNN", " (not shown: steps 7, 8)"),
        (["exchange", "binding"], "PPPPPPPNP", " (not shown: steps 7)"),
    ],
)
def test_groups_may_be_withheld_of_many_events_and_of_a_stream(
    world: World, root: bytes, shown: list[str], steps: str, not_shown: str
) -> None:
    for made in (world.do("evidence.events", entries="0..7", disclose=shown), stream(world, disclose=shown)):
        evidence = made["content"].encode()
        assert statuses(evidence, root) == steps
        assert made["assurance"] == "OPERATOR_ONLY" + not_shown
        assert (made["proved_at_block"] > 0) == (steps[6] == "P")
        verifier(evidence, root).run()
    told = verify(evidence, root).steps[1].reason
    assert f"disclosed: {', '.join(name for name in GROUPS if not shown or name in shown)}; " in told
    assert told.endswith(f"all events from number 0 to 5 of {REPORTER}")
    assert ("corr-" in evidence.decode()) == (not shown or "detail" in shown)


def test_a_group_that_an_event_does_not_have_is_refused(world: World) -> None:
    for ask in (
        lambda: stream(world, disclose=["everything"]),
        lambda: world.do("evidence.events", entries="0..1", disclose=["exchange", "text"]),
    ):
        with pytest.raises(InvalidInputError, match="binding, detail, exchange"):
            ask()


@pytest.mark.parametrize("shown", [[], ["exchange"]])
def test_a_part_of_a_stream_is_claimed_as_that_part(world: World, root: bytes, shown: list[str]) -> None:
    made = stream(world, first=2, last=4, disclose=shown)
    assert json.loads(made["content"])["subject"] == {
        "agreement": world.agreement, "first": "2", "last": "4", "reporter": REPORTER
    }  # fmt: skip
    assert made["events"] == 3
    assert "all events from number 2 to 4" in verify(made["content"].encode(), root).steps[1].reason


def test_a_stream_beyond_its_end_is_not_claimed(world: World) -> None:
    with pytest.raises(NotFoundError, match=f"{REPORTER} 4 to 6"):
        stream(world, first=4, last=6, disclose=["exchange"])
    with pytest.raises(NotFoundError):
        stream(world, first=6)


@pytest.mark.parametrize("shown", [("exchange",), GROUPS])
@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ([0, 1, 5, 6, 7], f"missing: number 2 of {REPORTER}, since entry 5 is number 3"),
        ([0, 1, 2, 5, 6], f"missing: number 5 of {REPORTER}, at the end"),
        ([2, 5, 6, 7], f"missing: numbers 0 to 1 of {REPORTER}, since entry 2 is number 2"),
    ],
)
def test_a_file_that_leaves_some_of_a_stream_out_is_told(
    world: World, root: bytes, kept: list[int], told: str, shown: tuple[str, ...]
) -> None:
    subject = {"agreement": world.agreement, "first": "0", "last": "5", "reporter": REPORTER}
    made = make_events_file(world.services, held_events(world.services, kept), "stream", subject, shown)
    failed = verify(print_events(made), root).failed
    assert failed is not None
    assert (failed.number, failed.reason) == (1, told)


def test_our_own_verifier_stands_before_every_file(world: World) -> None:
    """An index that lacks an event would make a stream with a gap: it does not leave the house."""
    with closing(sqlite3.connect(world.services.home.index)) as index, index:
        index.execute("DELETE FROM facts WHERE leaf_index = 5")
    for shown in ([], ["exchange"]):
        with pytest.raises(VerificationError, match="missing: number 3 of"):
            stream(world, disclose=shown)
