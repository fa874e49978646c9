"""One ledger for a session, served over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.world import client, make_world, serving
from tests.log.test_independent_reader import fsck

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.api.world import World

__all__ = ["fsck"]  # Tessera's reader, built where Go is.


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A ledger with an agreement in force, an open and a sealed case, and four anchored events."""
    made = make_world(tmp_path_factory.mktemp("api") / "home")
    made.append("reporter-p", {}, {}, {"purpose": "dpv:Marketing"})
    made.append("reporter-r", {"side": "CONSUMER"})
    made.do("anchor")
    yield made
    made.services.close()


@pytest.fixture(scope="session")
def address(world: World) -> Iterator[str]:
    """Where the API listens."""
    with serving(world.services) as found:
        yield found


@pytest.fixture
def api(address: str) -> Iterator[httpx.Client]:
    """A client of it."""
    with client(address) as opened:
        yield opened
