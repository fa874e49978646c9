"""One deployment for a module's tests; each test uses ids of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger.chain.engine import EmbeddedChain, EngineConfig
from tests.chain.accounts import SealerKey
from tests.chain.conftest import GENESIS_TIME
from tests.contracts.deployed import DeployedLedger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory, anvil: Path) -> Iterator[DeployedLedger]:
    """All contracts on an embedded chain."""
    folder = tmp_path_factory.mktemp("deployed")
    config = EngineConfig(
        folder=folder / "chain",
        anvil=anvil,
        chain_id=2**32 + 815,
        genesis_time=GENESIS_TIME,
        time_lead_max_s=10**6,
    )
    with EmbeddedChain(config, SealerKey()) as chain:
        yield DeployedLedger(chain, folder)
