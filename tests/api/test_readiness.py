"""Alive and ready are two questions: a part that is gone is named, and what does not need it goes on."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.routes import working
from tests.api.test_problems import check
from tests.api.world import body_of, client, make_world, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.api.world import World


@pytest.fixture
def own(tmp_path: Path) -> Iterator[World]:
    """A ledger whose parts may be broken."""
    made = make_world(tmp_path / "home")
    made.append("reporter-p", {}, {})
    made.do("anchor")
    yield made
    made.services.close()


def test_a_service_whose_parts_agree_is_ready(api: httpx.Client) -> None:
    assert api.get("/health").json() == {"alive": True}
    found = api.get("/ready").json()
    assert found["ready"] is True
    assert [one["what"] for one in found["checks"]] == ["chain", "log", "index"]
    assert all(one["ok"] for one in found["checks"])


def test_reads_and_writes_go_on_over_the_death_of_the_node(own: World) -> None:
    with serving(own.services) as address, client(address) as api:
        chain: Any = own.services.chain
        os.kill(chain._sealer.node(30).pid, signal.SIGKILL)
        for path, asked in working(own).items():
            assert api.get(asked).status_code == 200, path
        assert api.post("/v1/events", json=body_of(own.batch("reporter-p", {}))).status_code == 201
        assert api.get("/ready").json()["ready"] is True


def test_a_part_that_is_gone_is_named(own: World) -> None:
    with serving(own.services) as address, client(address) as api:
        own.services.chain.close()
        document = check(api.get("/ready"), 503, "unavailable")
        assert "chain" in document["reason"]
        assert api.get("/health").status_code == 200
        assert api.get("/v1/log/checkpoint").status_code == 200
        assert api.get("/log/checkpoint").status_code == 200
        # The block that was read last serves while it is young enough to bind at, and then nothing is taken.
        taken = api.post("/v1/events", json=body_of(own.batch("reporter-p", {})))
        assert taken.json()["items"][0]["block"] == own.services.state.final.number
        own.services.clock = _AMinuteOn()
        batch = api.post("/v1/events", json=body_of(own.batch("reporter-p", {})))
        check(batch, 503, "unavailable")
        assert batch.headers["retry-after"] == "1"


class _AMinuteOn:
    """The machine's clock, more than a minute later."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + 90_000
