"""Who stands where: whom a withdrawn capacity leaves, what a reporter's words may stand in for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ledger.chain.raw_transaction import sign_transaction
from ledger.domain.identifiers import agency_id, post_id
from ledger.domain.records import RetireKey
from ledger.service.call_data import call_data
from ledger.service.requests import made_of
from ledger.service.signed_requests import SendSigned, send_signed
from ledger.service.submission import send
from tests.api.world import AUTHORITY, POSTS, PROVIDER, REQUESTER, STRANGER, client, make_world, post, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.api.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A ledger of this module's own, for it takes away what other tests need."""
    made = make_world(tmp_path_factory.mktemp("standing") / "home")
    yield made
    made.services.close()


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[httpx.Client]:
    with serving(world.services) as address, client(address) as opened:
        yield opened


def add_post(world: World, monkeypatch: pytest.MonkeyPatch, key: str, name: str, *roles: str) -> None:
    world.do("key.new", name=key)
    world.do("post.add", post=name, roles=list(roles), name_en=key, key=key)
    monkeypatch.setitem(POSTS, key, (name, list(roles)))


def gaps(world: World, index: int) -> list[str]:
    """Return what is missing beside an event, leaving out how far the log is anchored."""
    return [gap for gap in world.do("ask.prove", event=str(index))["gaps"] if "exchange" in gap]


def test_digits_are_an_index_whatever_a_reporter_names_its_events(world: World, api: httpx.Client) -> None:
    """Read, proved and exported by its index, an entry is never another one whose reporter chose that id."""
    (first, shadow) = world.append("reporter-p", {}, {"id": str(world.services.log.size()), "purpose": "dpv:Shadow"})
    world.do("anchor")
    text = str(first["index"])
    for path in (f"/v1/events/{text}", f"/v1/evidence/event/{text}"):
        answer = api.get(path, headers=world.authorization("head-r", path)).json()
        assert answer.get("index", answer.get("entry", {}).get("index")) == first["index"], path
    assert world.do("event.show", event=text)["index"] == first["index"]
    assert world.do("ask.prove", event=text)["index"] == first["index"]
    assert world.do("event.show", event=str(shadow["index"]))["event"]["id"] == text
    (far,) = world.append("reporter-p", {"id": "900000001"})
    assert world.do("event.show", event="900000001")["index"] == far["index"]


def test_a_report_is_answered_by_the_other_side_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a stranger nor the reporter's own agency makes a one-sided report look two-sided."""
    missing = ["the consumer's record of this exchange is missing"]
    (told,) = world.append("reporter-p", {"correlation": "pair-1"})
    index = told["index"]
    assert gaps(world, index) == missing
    add_post(world, monkeypatch, "second-p", post("gateway-2", PROVIDER), "REPORTER")
    elsewhere = {"agreement": "", "dataset": "", "side": "CONSUMER", "correlation": "pair-1"}
    world.append("stranger", {**elsewhere, "requester": STRANGER, "recipient": ""})
    world.append("second-p", {"side": "CONSUMER", "requester": "", "correlation": "pair-1"})
    assert gaps(world, index) == missing
    world.append("reporter-r", {"side": "CONSUMER", "correlation": "pair-1"})
    assert gaps(world, index) == []


def test_what_pairs_is_the_same_after_a_start(world: World) -> None:
    """The pairings follow from log and events."""
    (told,) = world.append("reporter-p", {"correlation": "pair-2"})
    world.append("reporter-r", {"side": "CONSUMER", "correlation": "pair-2"})
    world.do("rebuild")
    assert gaps(world, told["index"]) == []


def test_a_side_that_names_nobody_is_never_answered(world: World) -> None:
    """A request that was refused before it named a client has no other side that could tell of it."""
    (told,) = world.append("reporter-p", {"requester": "", "recipient": "", "correlation": "pair-3"})
    world.append("reporter-r", {"side": "CONSUMER", "provider": "", "correlation": "pair-3"})
    assert gaps(world, told["index"]) == ["the consumer's record of this exchange is missing"]


def test_a_retired_key_sends_no_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway takes transactions of keys that speak for a post now, and of its own relayers."""
    add_post(world, monkeypatch, "old", post("spare", PROVIDER), "REPORTER")
    key, services = world.signer("old"), world.services

    def send_as_key(nonce: int) -> dict[str, Any]:
        signed = sign_transaction(
            key,
            chain_id=services.deployment.chain_id,
            nonce=nonce,
            to=services.deployment.address("CheckpointAnchor"),
            data=call_data("latest", []),
            gas=100_000,
        )
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": ["0x" + signed.raw.hex()]}
        assert services.rpc is not None
        found: dict[str, Any] = json.loads(services.rpc(json.dumps(call).encode()) or b"")
        return found

    assert "result" in send_as_key(0)
    about = {"agency": "0x" + agency_id(PROVIDER).hex(), "post": "0x" + post_id(post("spare", PROVIDER)).hex()}
    root = f"root-{agency_id(PROVIDER).hex()[:16]}"
    body = world.signed(RetireKey, root, **about, key="0x" + key.address.hex(), reason="0x" + "00" * 32)
    send_signed(services, made_of(SendSigned, body))
    refused = send_as_key(1)["error"]
    assert refused["code"] == -32003
    assert "speaks for a post" in refused["message"]


def test_a_supervisor_reads_while_its_agency_may_supervise(
    world: World, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post keeps its roles when its agency's capacities are withdrawn; what it may read goes with them."""
    add_post(world, monkeypatch, "both", post("both", AUTHORITY), "INSPECTOR", "REPORTER")
    (told,) = world.append("reporter-p", {"purpose": "dpv:Marketing"})
    path = f"/v1/events/{told['index']}"

    def status() -> int:
        return api.get(path, headers=world.authorization("both", path)).status_code

    assert status() == 200
    assert api.get(path, headers=world.authorization("head-r", path)).json()["event"]["requester"] == REQUESTER
    data = call_data("setCapacities", [("bytes32", agency_id(AUTHORITY)), ("uint32", 0)])
    send(world.services, "no-capacities", world.services.deployment.address("AgencyRegistry"), data, sender="registrar")
    assert status() == 404
    assert world.do("agency.show", agency=AUTHORITY)["capacities"] == []
