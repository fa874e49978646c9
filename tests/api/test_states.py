"""States of entries over HTTP: of one, of a range, as a stream that a client takes up again; and the metrics."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ledger.service.anchoring import observe_anchors
from tests.api.world import client, make_world, sealed_traces, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.world import World

STATES = ["ACCEPTED", "INCLUDED", "ANCHORED", "FINAL"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A ledger of this module's own, whose log nobody else grows."""
    made = make_world(tmp_path_factory.mktemp("states") / "home")
    yield made
    made.services.close()


@pytest.fixture(scope="module")
def address(world: World) -> Iterator[str]:
    with serving(world.services) as found:
        yield found
        world.services.frontiers.close()


@pytest.fixture
def api(address: str) -> Iterator[httpx.Client]:
    with client(address) as opened:
        yield opened


def published(world: World) -> None:
    world.services.log.publish_checkpoint()
    world.services.frontiers.included(world.services.log.size(), world.services.clock.now_ms())


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (id, data) of every event of a stream."""
    name = ""
    for line in lines:
        if line.startswith("id: "):
            name = line.removeprefix("id: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_an_entry_goes_from_state_to_state_and_says_when(world: World, api: httpx.Client) -> None:
    (receipt,) = world.append("reporter-p", {})
    path = f"/v1/events/{receipt['index']}/state"
    accepted = api.get(path).json()
    assert (accepted["state"], accepted["included_at"], accepted["anchor"]) == ("ACCEPTED", "", None)
    assert accepted["accepted_at"] == receipt["accepted_at"]
    published(world)
    included = api.get(path).json()
    assert included["state"] == "INCLUDED"
    assert included["included_at"] >= included["accepted_at"]
    made = world.do("anchor")
    final = api.get(path).json()
    assert final["state"] == "FINAL"
    assert final["anchor"] == {"size": made["size"], "block": made["block"], "tx": made["tx"], "at": made["at"]}
    assert final["final_at"] >= final["included_at"]
    assert {name: final[name] for name in ("index", "leaf_hash")} == {
        name: receipt[name] for name in ("index", "leaf_hash")
    }
    assert api.get(f"/v1/events/{receipt['index']}").json()["state"] == "FINAL"


def test_a_range_is_told_as_runs(world: World, api: httpx.Client) -> None:
    size = world.services.log.size()
    world.append("reporter-p", {}, {})
    anchor = world.do("anchor")
    world.append("reporter-p", {})
    published(world)
    world.append("reporter-p", {}, {})
    told = api.get("/v1/events/state", params={"first": size, "count": 100}).json()
    assert told["runs"] == [
        {"first": size, "count": 2, "state": "FINAL", "anchor_block": anchor["block"]},
        {"first": size + 2, "count": 1, "state": "INCLUDED", "anchor_block": 0},
        {"first": size + 3, "count": 2, "state": "ACCEPTED", "anchor_block": 0},
    ]
    whole = api.get("/v1/events/state").json()
    assert sum(run["count"] for run in whole["runs"]) == whole["log_size"] == size + 5
    assert api.get("/v1/events/state", params={"first": size + 5}).json()["runs"] == []
    for wrong in ({"count": 0}, {"count": 10_001}, {"first": -1}):
        assert api.get("/v1/events/state", params=wrong).status_code == 422


@pytest.mark.parametrize("event", ["99999999", "-1", "x", "0x1", "９"])
def test_an_entry_that_is_not_there_has_no_state(api: httpx.Client, event: str) -> None:
    answer = api.get(f"/v1/events/{event}/state")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_stream_tells_every_frontier_and_is_taken_up_where_it_ended(world: World, api: httpx.Client) -> None:
    with api.stream("GET", "/v1/events/states") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        told = events(stream.iter_lines())
        _, before = next(told)
        size = before["accepted"]["size"]
        assert size == world.services.log.size()
        world.append("reporter-p", {}, {})
        last, grown = next(told)
        assert (grown["accepted"]["size"], grown["final"]["size"]) == (size + 2, before["final"]["size"])
        published(world)
        assert next(told)[1]["included"]["size"] == size + 2
    # Nothing is missed by a client that was away: the newest sizes say what all between them said.
    made = world.do("anchor")
    with api.stream("GET", "/v1/events/states", headers={"Last-Event-ID": last}) as stream:
        name, caught_up = next(events(stream.iter_lines()))
        assert caught_up["final"] == {**caught_up["final"], "size": size + 2, "block": made["block"]}
        assert caught_up["anchored"]["size"] == size + 2
    # A client that missed nothing is told nothing until something moves.
    with api.stream("GET", "/v1/events/states", headers={"Last-Event-ID": name}) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        world.append("reporter-p", {})
        assert next(events(lines))[1]["accepted"]["size"] == size + 3


def test_a_stream_shows_nothing_private_and_head_ends_at_once(world: World, api: httpx.Client) -> None:
    with api.stream("GET", "/v1/events/states") as stream:
        _, told = next(events(stream.iter_lines()))
    assert set(told) == {"accepted", "included", "anchored", "final"}
    assert set(told["anchored"]) == {"size", "at", "block"}
    assert not [trace for trace in sealed_traces(world) if trace in json.dumps(told)]
    head = api.head("/v1/events/states")
    assert (head.status_code, head.content) == (200, b"")


def test_only_so_many_follow_at_once(world: World, address: str) -> None:
    with serving(world.services) as other, client(other) as opened:
        app_limit = 256
        streams = []
        try:
            with httpx.Client(base_url=other, timeout=30, limits=httpx.Limits(max_connections=None)) as many:
                for _ in range(app_limit):
                    stream = many.stream("GET", "/v1/events/states")
                    assert stream.__enter__().status_code == 200
                    streams.append(stream)
                refused = opened.get("/v1/events/states")
                assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
                streams.pop().__exit__(None, None, None)
                for _ in range(200):
                    with opened.stream("GET", "/v1/events/states") as next_one:
                        if next_one.status_code == 200:
                            break
                    threading.Event().wait(0.02)
                assert next_one.status_code == 200, "a place that is given back is taken again"
        finally:
            for stream in streams:
                stream.__exit__(None, None, None)
    assert address != other


def test_metrics_tell_sizes_latencies_and_lags(world: World, api: httpx.Client) -> None:
    world.append("reporter-p", {}, {})
    published(world)
    world.do("anchor")
    observe_anchors(world.services)
    answer = api.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    size = world.services.log.size()
    assert {state: float(found[f'quanze_log_size{{state="{state.lower()}"}}']) for state in STATES} == dict.fromkeys(
        STATES, size
    )
    for start, end in (("accepted", "included"), ("included", "anchored"), ("anchored", "final")):
        labels = f'from="{start}",to="{end}"'
        assert float(found[f"quanze_state_seconds_count{{{labels}}}"]) == size
        shares = [float(found[f'quanze_state_seconds{{quantile="{share}",{labels}}}']) for share in (0.5, 0.95, 0.99)]
        assert shares == sorted(shares)
        assert shares[0] > 0
    assert float(found["quanze_anchors_total"]) >= 1
    assert found["quanze_chain_answers"] == "1"
    assert found["quanze_outbox_pending"] == "0"
    assert {"quanze_bindable_block_age_seconds", "quanze_index_lag_blocks", "quanze_follower_lag_blocks"} <= set(found)
    helped = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# HELP")}
    typed = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")}
    assert helped == typed
