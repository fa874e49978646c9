"""A batch answered in front of the framework gets what the declared route would answer: bytes, status and headers.

A query, even one that says what is usual, goes the framework's way; so each request is sent both ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from api.app import create_app
from api.arrivals import Arrivals
from ledger.service.admission import Bounds
from ledger.service.limits import BATCH_BODY_BYTES_MAX
from tests.api.apart import run_apart
from tests.api.test_batches import NDJSON, lines_of, ndjson
from tests.api.test_problems import check

if TYPE_CHECKING:
    from tests.api.world import World

DIRECT = "/v1/events"
DECLARED = "/v1/events?atomic=false"

REFUSED: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "another type": (415, b"", {"content-type": "text/plain"}),
    "another encoding": (415, b"", {**NDJSON, "content-encoding": "br"}),
    "not gzip": (400, b"plain", {**NDJSON, "content-encoding": "gzip"}),
    "too long": (413, b" " * (BATCH_BODY_BYTES_MAX + 1), NDJSON),
    "no batch": (422, b"{}", {}),
    "no head": (422, b"\n", NDJSON),
    "a key too long": (422, b"{}", {"idempotency-key": "k" * 201}),
    "a key that cannot be printed": (422, b"{}", {"idempotency-key": "a\tb"}),
}


def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_the_same_both_ways(api: httpx.Client, name: str) -> None:
    status, body, headers = REFUSED[name]
    direct = api.post(DIRECT, content=body, headers=headers)
    check(direct, status)
    assert told(direct) == told(api.post(DECLARED, content=body, headers=headers))


@pytest.mark.parametrize("bad", [False, True])
def test_receipts_are_the_same_both_ways(world: World, api: httpx.Client, bad: bool) -> None:
    lines = lines_of(world, {}, {}, {})
    if bad:
        lines[2] = lines[2].replace(b'"size":-1', b'"size":-7')
    body = ndjson(world, lines)
    direct = api.post(DIRECT, content=body, headers=NDJSON)
    assert direct.status_code == (207 if bad else 201), direct.text
    assert told(direct) == told(api.post(DECLARED, content=body, headers=NDJSON))


def test_another_method_and_another_path_are_the_frameworks(api: httpx.Client) -> None:
    assert api.get(DIRECT).status_code == 200
    assert api.head(DIRECT).status_code == 200
    check(api.put(DIRECT), 405, "method_not_allowed")
    check(api.post("/v1/events/", content=b"{}"), 404)
    check(api.post("/v1/events?atomic=perhaps", content=b"{}"), 422)
    check(api.post("/v1/events?other=1", content=b"{}"), 422)


@pytest.mark.parametrize("path", [DIRECT, DECLARED])
def test_a_fault_is_answered_and_leaves_no_place_taken(world: World, path: str) -> None:
    app = create_app(world.services)
    app.state.arrivals = arrivals = Arrivals(Bounds())
    app.state.services = None
    body = ndjson(world, lines_of(world, {}))

    async def run() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as client:
            check(await client.post(path, content=body, headers=NDJSON), 500, "internal_fault")

    run_apart(run)
    assert arrivals.admission.figures()["bodies"] == 0
