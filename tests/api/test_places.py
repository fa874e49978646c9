"""Work that anyone may ask for is bounded: who finds no place is told to come again, and others are served."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest

from api.app import create_app
from ledger.service.limits import EVIDENCE_AT_ONCE_MAX, RPC_AT_ONCE_MAX
from tests.api.apart import run_apart
from tests.api.world import REFERENCE

if TYPE_CHECKING:
    from api.places import Places
    from tests.api.world import World

CALL = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}


@pytest.mark.parametrize(
    ("method", "path", "body", "name", "count"),
    [
        ("GET", f"/v1/evidence/agreement/{REFERENCE}", None, "evidence_places", EVIDENCE_AT_ONCE_MAX),
        ("POST", "/rpc", CALL, "rpc_places", RPC_AT_ONCE_MAX),
    ],
)
def test_who_finds_no_place_is_told_to_come_again(
    world: World, method: str, path: str, body: dict[str, object] | None, name: str, count: int
) -> None:
    app = create_app(world.services)
    places: Places = getattr(app.state, name)

    async def statuses() -> list[tuple[int, str | None]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://api") as api:
            answer = await api.request(method, path, json=body)
            other = await api.get("/v1/limits")
            return [(one.status_code, one.headers.get("retry-after")) for one in (answer, other)]

    with contextlib.ExitStack() as held:
        for _ in range(count):
            held.enter_context(places.one())
        assert run_apart(statuses) == [(503, "1"), (200, None)]
    assert run_apart(statuses) == [(200, None), (200, None)]
