"""Batches that wait go to disk together; a write that fails is told to all of them, and loses nothing that was told."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from ledger.bootstrap.fact_process import FactProcess
from ledger.domain.errors import UnavailableError
from ledger.log.tree import leaf_hash
from ledger.service.event_appending import append_signed_batch
from ledger.service.event_documents import opened
from ledger.service.following import LeafMark
from ledger.store.sql_index import SQLIndex

if TYPE_CHECKING:
    from pathlib import Path

    from tests.api.world import World


def check_receipts(world: World, receipts: list[dict[str, Any]]) -> None:
    for receipt in receipts:
        leaf, _ = opened(world.services, receipt["index"])
        assert leaf.hash().hex() == receipt["leaf_hash"]


def test_reporters_that_send_at_once_are_written_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one group is being synced, what comes meanwhile waits and becomes the next group, of several batches."""
    services: Any = world.services
    batches = [world.batch("reporter-p", {}), world.batch("reporter-r", {"side": "CONSUMER"})]
    is_syncing, goes_on = threading.Event(), threading.Event()
    sizes: list[int] = []
    append = services.events.append

    def slow(some: list[Any]) -> None:
        sizes.append(len(some))
        if len(sizes) == 1:
            is_syncing.set()
            assert goes_on.wait(30)
        append(some)

    monkeypatch.setattr(services.events, "append", slow)
    first = world.batch("stranger", {"agreement": "", "dataset": "", "provider": "", "requester": ""})
    with ThreadPoolExecutor(3) as pool:
        alone = pool.submit(append_signed_batch, services, first)
        assert is_syncing.wait(30)
        others = [pool.submit(append_signed_batch, services, batch) for batch in batches]
        while len(services.appender._queue) < 2:
            threading.Event().wait(0.01)
        goes_on.set()
        receipts = [receipt for one in (alone, *others) for receipt in one.result(30)]
    assert sizes == [1, 2]
    assert len({receipt["index"] for receipt in receipts}) == 3
    check_receipts(world, receipts)


@pytest.mark.parametrize("when", range(2))
def test_a_full_disk_refuses_and_goes_on_by_itself(world: World, monkeypatch: pytest.MonkeyPatch, when: int) -> None:
    """The first sync is that of the events, the second that of the log."""
    services = world.services
    told = world.append("reporter-p", {})
    size = services.log.size()
    batch = world.batch("reporter-p", {}, {})
    synced = 0
    fdatasync = os.fdatasync

    def full(descriptor: int) -> None:
        nonlocal synced
        synced += 1
        if synced == when + 1:
            raise OSError(28, "No space left on device")
        fdatasync(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", full)
        with pytest.raises(UnavailableError, match="No space left"):
            append_signed_batch(services, batch)
    receipts = append_signed_batch(services, batch)
    assert [receipt["index"] for receipt in receipts] == [size, size + 1]
    check_receipts(world, [*told, *receipts])
    assert append_signed_batch(services, batch) == receipts
    assert world.do("fsck")["defects"] == []


def test_a_process_of_its_own_writes_the_same_facts(world: World, tmp_path: Path) -> None:
    services: Any = world.services
    world.append("reporter-p", {}, {"purpose": "dpv:Marketing"}, {"correlation": "in-a-process"})
    world.do("rebuild")
    size = services.log.size()
    made = SQLIndex.open(tmp_path / "index.db", {})
    process = FactProcess(tmp_path / "index.db", services.home.events)
    try:
        half = size // 2
        marks = [LeafMark(end, leaf_hash(services.log.leaf(end - 1))) for end in (half, size)]
        assert process.add(0, marks[0])
        child: Any = process._process._process
        assert os.sched_getscheduler(child.pid) == os.SCHED_IDLE  # Whoever takes events in has the processors.
        assert process.add(half, marks[1])
        assert made.leaf_mark() == marks[1]
        assert [made.fact(leaf) for leaf in range(size)] == [services.index.fact(leaf) for leaf in range(size)]
        # What it cannot do is left to the caller, and nothing is written.
        assert not process.add(size + 3, LeafMark(size + 4, bytes(32)))
        assert made.leaf_mark() == marks[1]
        assert not process.add(size, LeafMark(size, bytes(32)))
    finally:
        process.close()
        made.close()
