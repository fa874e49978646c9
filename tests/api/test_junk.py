"""Junk never brings a route down: whatever is asked, the answer is one of ours and not a fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain import canonical
from tests.api.routes import GETS, OPERATIONS, POSTS, working
from tests.api.world import body_of

if TYPE_CHECKING:
    from tests.api.world import World

EXAMPLES = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
QUERIES = {
    path: [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]
    for method, path, operation in OPERATIONS
    if method == "GET"
}
HOSTILE = [
    "",
    "0",
    "-1",
    "9" * 19,
    "9" * 80,
    "1e9",
    "NaN",
    "0x",
    "0x" + "ff" * 32,
    "ab" * 32,
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "'; DROP TABLE facts; --",
    "\0",
    "\ud7ff\uffff",
    "٣",
    "²",
    "e\u0301",
    "name:REG/GB/../x",
    "ods:P01",
    "ods:P01#POPULATION",
    "office-head@ods:P01",
    "DSA-001",
    "2026-01-01",
    "0001-01-01",
    "9999-12-31T23:59:59+14:00",
    "9999-12-31T23:59:60Z",
    "%",
    "a" * 600,
]
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), max_size=60))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, (answer.request.url, answer.request.content[:300], answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


@EXAMPLES
@given(data=st.data())
def test_no_read_falls(api: httpx.Client, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(GETS))
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        # A path parameter that is empty is another path.
        path = path.replace("{" + name + "}", quote(data.draw(TEXT.filter(bool)), safe=""))
    asked = data.draw(st.lists(st.sampled_from(QUERIES.get(path) or ["after", "limit"]), unique=True, max_size=5))
    known = [name for template, names in QUERIES.items() if template == path for name in names]
    query = {name: data.draw(TEXT) for name in (known or asked)}
    headers = {}
    if data.draw(st.booleans()):
        headers["If-None-Match"] = data.draw(st.sampled_from(["*", '"', 'W/"x"', ",,"]))
    if data.draw(st.integers(0, 4)) == 0:
        headers["Authorization"] = data.draw(st.sampled_from(["Quanze e30", "Quanze eyJ9", "x", "Quanze " + "A" * 999]))
    check(api.get(path, params=query, headers=headers))


@EXAMPLES
@given(data=st.data())
def test_no_write_falls_on_any_bytes(api: httpx.Client, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(POSTS))
    body = data.draw(
        st.binary(max_size=200)
        | JSON.map(lambda value: json.dumps(value).encode())
        | st.integers(1, 20_000).map(lambda depth: b"[" * depth)
        | st.integers(1, 5_000).map(lambda depth: b'{"a":' * depth + b"1" + b"}" * depth)
    )
    answer = api.post(path, content=body, headers={"content-type": "application/json"})
    check(answer)
    assert answer.status_code != 201


@EXAMPLES
@given(data=st.data())
def test_no_write_falls_on_a_good_body_spoilt(world: World, api: httpx.Client, data: st.DataObject) -> None:
    body: dict[str, Any] = data.draw(st.sampled_from([_batch(world), _request()]))
    path = "/v1/events" if "events" in body else "/v1/requests"
    place: Any = body
    while True:
        name = data.draw(st.sampled_from(sorted(place))) if isinstance(place, dict) else 0
        if isinstance(place[name], dict | list) and place[name] and data.draw(st.booleans()):
            place = place[name]
            continue
        place[name] = data.draw(JSON)
        break
    answer = api.post(path, content=json.dumps(body).encode(), headers={"content-type": "application/json"})
    check(answer)


def _batch(world: World) -> dict[str, Any]:
    copied: Any = canonical.decode(canonical.encode(body_of(world.batch("reporter-p", {}))))
    copied["signature"] = "0x" + "11" * 64 + "1b"  # Of some other key, so that nothing is ever accepted.
    return dict(copied)


def _request() -> dict[str, Any]:
    grant = {
        "dataset": "0x" + "01" * 32,
        "datasetVersion": "1",
        "recipient": "0x" + "02" * 32,
        "purpose": "0x" + "03" * 32,
        "delivery": "1",
        "validFrom": "5",
        "validTo": "0",
    }
    terms = {
        "agreement": "0x" + "04" * 32,
        "version": "1",
        "provider": "0x" + "05" * 32,
        "parties": ["0x" + "05" * 32, "0x" + "02" * 32],
        "text": "0x" + "06" * 32,
        "review": "0x" + "00" * 32,
        "reviewValidUntil": "0",
        "grants": [grant],
    }
    return {
        "type": "Propose",
        "message": {"post": "0x" + "07" * 32, "terms": terms, "nonce": "5", "deadline": str(2**40)},
        "signer": "0x" + "08" * 20,
        "signature": "0x" + "11" * 64 + "1b",
        "possession": "0x",
        "opening": {"filing": "0x" + "09" * 32, "leaf": "0x00", "index": 0, "size": 1, "path": []},
        "documents": [
            {"kind": "agreement", "tier": "PUBLIC", "groups": {"title": ["AA==", "x"]}, "about": "", "texts": {}}
        ],
        "idempotency_key": "",
    }


def test_every_route_was_in_reach(world: World) -> None:
    assert len(GETS) + len(POSTS) == len(OPERATIONS)
    assert set(working(world)) <= set(GETS)
