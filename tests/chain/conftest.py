"""A chain of its own for each test that asks, on the real anvil."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger.chain.engine import EmbeddedChain, EngineConfig
from tests.chain.accounts import SealerKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANVIL = Path(__file__).parents[2] / "node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil"
GENESIS_TIME = 1_760_000_000


@pytest.fixture
def make_config(tmp_path: Path) -> Callable[..., EngineConfig]:
    def make(**changes: object) -> EngineConfig:
        settings: dict[str, object] = {
            "folder": tmp_path / "chain",
            "anvil": ANVIL,
            "chain_id": 2**32 + 4711,
            "genesis_time": GENESIS_TIME,
            "time_lead_max_s": 10**6,
        }
        return EngineConfig(**(settings | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def engine(make_config: Callable[..., EngineConfig]) -> Iterator[EmbeddedChain]:
    with EmbeddedChain(make_config(), SealerKey()) as chain:
        yield chain
