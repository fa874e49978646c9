"""A backup taken while writes are relayed restores to a home that goes on writing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.chain.outbox_store import OutboxStore
from ledger.domain.errors import IntegrityError, InvalidInputError, LedgerError
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

        return replace(copy, run=run)

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


@pytest.mark.parametrize("harm", ["link", "chain"])
def test_a_bad_backup_leaves_no_home_and_a_good_one_restores_after_it(world: World, tmp_path: Path, harm: str) -> None:
    copy, home = tmp_path / "copy", tmp_path / "home"
    backup(world, copy, world.services.store_copies)
    settings = world.services.settings.model_copy(update={"home": home})
    path = copy / "vault.db" if harm == "link" else copy / "chain" / "journal.db"
    whole = path.read_bytes()
    path.unlink()
    if harm == "link":
        path.symlink_to("/dev/null")
    else:
        path.write_bytes(b"no database")
    with pytest.raises(InvalidInputError if harm == "link" else LedgerError):
        bootstrap.restore_home(settings, copy)
    assert not list(tmp_path.glob("*home*"))
    assert not list(tmp_path.glob(".home*"))
    path.unlink()
    path.write_bytes(whole)
    bootstrap.restore_home(settings, copy)
    check_goes_on(bootstrap.open_home(settings))


def test_what_is_private_is_readable_by_its_owner_alone(world: World) -> None:
    home = world.services.home
    private = [home.path, home.chain, home.log / "wal", home.vault, home.outbox, home.index, home.chain / "journal.db"]
    private += [*home.keys.iterdir(), *home.log.glob("wal/*.wal")]
    assert {path.name: path.stat().st_mode & 0o077 for path in private} == {path.name: 0 for path in private}
