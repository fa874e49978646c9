"""A backup taken while writes are relayed restores to a home that goes on writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.chain.outbox_store import OutboxStore
from ledger.domain.errors import IntegrityError
from ledger.service.upkeep import StoreCopy
from tests.api.world import make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.service.services import Services
    from tests.api.world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("backup") / "home")
    made.append("reporter-p", {}, {})
    made.do("anchor")
    yield made
    made.services.close()


def add_agency(services: Services, name: str) -> None:
    services.dispatch("agency.add", {"agency": f"ods:{name}", "name_en": name})


def backup(world: World, folder: Path, copies: tuple[StoreCopy, ...]) -> None:
    before = world.services.store_copies
    world.services.store_copies = copies
    try:
        world.do("backup", folder=str(folder))
    finally:
        world.services.store_copies = before


def restored(world: World, folder: Path, home: Path) -> Services:
    settings = world.services.settings.model_copy(update={"home": home})
    bootstrap.restore_home(settings, folder)
    return bootstrap.open_home(settings)


def check_goes_on(services: Services) -> None:
    try:
        assert services.outbox.pump() == 0
        add_agency(services, "AFTER")
        assert services.dispatch("fsck", {})["defects"] == []
    finally:
        services.close()


def test_writes_between_the_copies_settle_in_the_restored_home(world: World, tmp_path: Path) -> None:
    def after(copy: StoreCopy, number: int) -> StoreCopy:
        def run(folder: Path) -> None:
            copy.run(folder)
            world.do("key.new", name=f"key-{tmp_path.name}-{number}")
            add_agency(world.services, f"A{number}")

        return StoreCopy(copy.what, run)

    copies = tuple(after(copy, number) for number, copy in enumerate(world.services.store_copies))
    backup(world, tmp_path / "copy", copies)
    services = restored(world, tmp_path / "copy", tmp_path / "home")
    assert services.dispatch("agency.show", {"agency": "ods:A0"})["agency"] == "ods:A0"
    check_goes_on(services)


def test_what_the_outbox_has_done_and_the_chain_has_lost_is_sent_again(world: World, tmp_path: Path) -> None:
    """A copy made in the wrong order: the chain's, then two writes, then the outbox's."""
    by_name = {copy.what: copy for copy in world.services.store_copies}

    def chain_first(folder: Path) -> None:
        by_name["chain"].run(folder)
        for name in ("LOST1", "LOST2"):
            add_agency(world.services, name)

    rest = [copy for name, copy in by_name.items() if name != "chain"]
    backup(world, tmp_path / "copy", (StoreCopy("chain", chain_first), *rest))
    services = restored(world, tmp_path / "copy", tmp_path / "home")
    assert services.dispatch("agency.show", {"agency": "ods:LOST2"})["agency"] == "ods:LOST2"
    check_goes_on(services)


def test_a_nonce_that_is_nobodys_is_named_at_the_opening(tmp_path: Path) -> None:
    made = make_world(tmp_path / "home")
    settings, sender = made.services.settings, made.services.keyring.address("relayer")
    made.services.close()
    store = OutboxStore(made.services.home.outbox)
    store._connection.execute("UPDATE senders SET next_nonce = next_nonce + 1 WHERE address = ?", (sender,))
    store.close()
    with pytest.raises(IntegrityError, match="nonce"):
        bootstrap.open_home(settings)
