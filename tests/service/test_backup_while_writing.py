"""A backup stops ingest for a moment only, and restores to the log as it was in that moment."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.log.storage.copying import full_paths
from ledger.log.tiles import entries_path, tile_path
from tests.api.world import World, make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.service.upkeep import StoreCopy


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path / "home")
    yield made
    made.services.close()


def restored(world: World, tmp_path: Path) -> World:
    settings = world.services.settings.model_copy(update={"home": tmp_path / "restored"})
    bootstrap.restore_home(settings, tmp_path / "copy")
    return World(bootstrap.open_home(settings), agreement=world.agreement)


def test_events_are_taken_in_while_each_store_is_copied(world: World, tmp_path: Path) -> None:
    world.append("reporter-p", *({} for _ in range(600)))
    world.do("anchor")
    world.append("reporter-p", {})
    receipts = []

    def beside(copy: StoreCopy) -> StoreCopy:
        def run(folder: Path) -> None:
            # Another thread, as a client's request would be: it must not wait for the copy.
            thread = threading.Thread(target=lambda: receipts.extend(world.append("reporter-p", {}, {})))
            thread.start()
            thread.join(60)
            assert not thread.is_alive()
            copy.run(folder)
            world.services.log.publish_checkpoint()

        return replace(copy, run=run)

    world.services.store_copies = tuple(beside(copy) for copy in world.services.store_copies)
    made = world.do("backup", folder=str(tmp_path / "copy"))
    assert made["log_size"] == 601
    assert [receipt["index"] for receipt in receipts] == list(range(601, 601 + 2 * len(made["stores"])))
    root = world.services.log.root(601)
    other = restored(world, tmp_path)
    try:
        assert (other.services.log.size(), other.services.log.root(601)) == (601, root)
        assert other.do("fsck")["defects"] == []
        other.append("reporter-p", *({} for _ in range(300)))
        other.do("anchor")
        assert other.do("fsck")["defects"] == []
    finally:
        other.services.close()


def test_a_backup_waits_for_batches_that_are_being_written_and_for_no_others(world: World, tmp_path: Path) -> None:
    stop, taken = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            taken.append(len(world.append("reporter-p", *({} for _ in range(40)))))
            world.services.log.publish_checkpoint()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        before = len(taken)
        while len(taken) == before:  # Until it writes.
            stop.wait(0.01)
        made = world.do("backup", folder=str(tmp_path / "copy"))
    finally:
        stop.set()
        writer.join()
    assert made["log_size"] % 40 == 0
    other = restored(world, tmp_path)
    try:
        size = made["log_size"]
        assert other.services.log.size() == size
        assert list(other.services.log.leaves(0, size)) == list(world.services.log.leaves(0, size))
        assert other.do("fsck")["defects"] == []
    finally:
        other.services.close()


def test_the_full_files_of_a_size_are_those_of_whole_tiles() -> None:
    assert list(full_paths(255)) == []
    assert list(full_paths(513)) == [
        (entries_path(0), 256),
        (entries_path(1), 512),
        (tile_path(0, 0), 256),
        (tile_path(0, 1), 512),
    ]
    assert (tile_path(1, 0), 65_536) in list(full_paths(65_536))
    assert (tile_path(1, 0), 65_536) not in list(full_paths(65_535))
