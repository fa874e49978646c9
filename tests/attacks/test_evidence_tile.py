"""A tile that is altered on disk: the log's own copy no longer proves its entries, and no evidence leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.domain.errors import IntegrityError, VerificationError
from ledger.evidence import verify
from ledger.settings import Settings
from tests.api.world import make_world

if TYPE_CHECKING:
    from pathlib import Path


def test_an_altered_tile_gives_no_evidence(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home")
    try:
        world.append("reporter-p", *({} for _ in range(300)))
        world.do("anchor")
        identifier = world.events[7]["id"]
        root = world.do("trust-root.export")["content"].encode()
        good = world.do("evidence.export", kind="event", id=identifier)["content"].encode()
        assert verify(good, root).holds
        world.services.close()
        tile = tmp_path / "home/log/tile/0/000"
        content = bytearray(tile.read_bytes())
        content[32 * 6] ^= 1  # The hash of the entry beside it.
        tile.chmod(0o600)
        tile.write_bytes(bytes(content))
        with pytest.raises((IntegrityError, VerificationError)) as caught:
            _export_again(tmp_path / "home", identifier)
        assert "tile" in caught.value.explain() or "root" in caught.value.explain()
    finally:
        world.services.close()


def _export_again(home: Path, identifier: str) -> None:
    settings = Settings(home=home, passphrase="test", keystore_scrypt_n=2)  # type: ignore[arg-type]
    services = bootstrap.open_home(settings)
    try:
        services.dispatch("evidence.export", {"kind": "event", "id": identifier, "disclose": []})
    finally:
        services.close()
