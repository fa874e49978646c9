"""What answers rest on: known-at in every question, sources of a "no", and refusals in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import RefusedError
from ledger.service.times import iso
from tests.api.world import DATASET, POSTS, STRANGER, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("asking") / "home")
    made.append("reporter-p", {})
    made.do("anchor")
    made.append("reporter-p", {})
    yield made
    made.services.close()


def anchored_at(world: World) -> int:
    return world.services.state.anchors()[0].timestamp


def test_a_fact_is_known_from_its_first_anchor_on(world: World) -> None:
    at = anchored_at(world)
    before = world.do("ask.prove", event="0", known_at=iso(at - 1))
    assert (before["known"], "was not known by" in before["answer"]) == (False, True)
    assert world.do("ask.prove", event="0", known_at=iso(at))["known"] is True
    assert world.do("ask.prove", event="0")["known"] is True


def test_a_fact_that_no_anchor_covers_is_known_at_no_time(world: World) -> None:
    later = world.do("ask.prove", event="1", known_at="2090-01-01T00:00:00Z")
    assert (later["known"], "no anchor covers it yet" in later["answer"]) == (False, True)


def test_a_no_names_the_entry_and_the_agency_that_it_is_about(world: World) -> None:
    answer = world.do("ask.right", agency=STRANGER, dataset=DATASET)
    assert answer["held"] is False
    assert {source["event"] for source in answer["sources"]} == {"EntryPublished", "AgencyAdmitted"}


def test_a_no_about_nothing_recorded_names_the_block_that_proves_it(world: World) -> None:
    answer = world.do("ask.right", agency="ods:NEVER", dataset="ods:NEVER#X")
    (source,) = answer["sources"]
    assert (source["event"], source["log_index"]) == ("", -1)
    assert source["block"] == answer["proof"]["read_at_block"]


def test_a_refusal_is_told_in_words_and_keeps_its_values(world: World) -> None:
    with pytest.raises(RefusedError) as caught:
        world.do("agreement.suspend", agreement=world.agreement, post=POSTS["head-r"][0], reason="law:X")
    told, post = caught.value.explain(), world.services.directory.text
    assert caught.value.error == "MissingRole"
    assert f"post='{POSTS['head-r'][0]}'" in told
    assert "PROVIDER_OFFICE_HEAD | SHARING_AUTHORITY" in told
    raw = bytes.fromhex(str(caught.value.arguments["post"])[2:])
    assert post(raw) == POSTS["head-r"][0]


def test_a_refused_step_of_a_case_is_named(world: World) -> None:
    with pytest.raises(RefusedError) as caught:
        world.do("case.decide", case=world.open_case, post=POSTS["authority"][0], measures=[], text="again")
    assert "NOTICE_ISSUED" in caught.value.explain()
    assert "DECIDED" in caught.value.explain()


def test_an_import_names_the_body_that_is_not_on_the_ledger(world: World) -> None:
    record = {
        "reference": "DARS-NIC-1",
        "title": "T",
        "controllers": ["Nobody's Trust"],
        "recipients": ["Nobody's Trust"],
        "starts": "2024-01-01",
        "ends": "2026-01-01",
        "access_methods": ["Ongoing"],
        "datasets": ["D"],
        "provider": "NHS England",
    }
    result = world.do("import.nhs-dsa", records=[{"record": 1, "value": record}], post=POSTS["head-p"][0])
    (rejected,) = result["rejected"]
    assert rejected["field"] == "provider"
    assert "NHS England is not on this ledger" in rejected["reason"]
