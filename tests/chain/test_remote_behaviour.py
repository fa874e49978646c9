"""The adapter for networks passes the port's suite against a plain anvil over HTTP."""

from __future__ import annotations

import re
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from ledger.chain.engine import RemoteChain
from tests.chain.behaviour import ChainBehaviour, probe, sender
from tests.chain.conftest import ANVIL

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TestRemoteChain", "probe", "sender"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An anvil with nothing of ours but zero fees, for nobody in the tests has money."""
    command = [
        str(ANVIL), "--port", "0", "--chain-id", "31415926535", "--hardfork", "london", "--gas-price", "0",
        "--block-base-fee-per-gas", "0", "--disable-min-priority-fee",
    ]  # fmt: skip
    home = {"HOME": str(tmp_path_factory.mktemp("home"))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=home) as process:
        assert process.stdout is not None
        found = None
        for line in process.stdout:
            found = re.search(r"Listening on (\S+)", line)
            if found:
                break
        assert found is not None
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        yield f"http://{found[1]}"
        process.kill()
        drain.join()


@pytest.fixture(scope="module")
def chain(url: str) -> Iterator[RemoteChain]:
    with RemoteChain(url) as chain:
        yield chain


class TestRemoteChain(ChainBehaviour):
    """Runs the suite. A plain node may give two blocks one timestamp when the second has not changed."""
