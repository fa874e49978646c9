"""A log's process is killed at every step and at random instants; nothing acknowledged may be lost or torn."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.client import check_extends
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from ledger.log.storage import FolderFetcher, FolderLog, check_folder
from tests.log.crash_writer import ACK, KEY, PUBLISHED, SIGNER, entry_of, place_of

ROOT = Path(__file__).resolve().parents[2]
STEPS = [
    "group taken", "group written", "group synced", "group applied",
    "segment written aside", "segment renamed", "segment removed",
    "bundle written aside", "tile written aside", "files synced aside", "bundle renamed", "tile renamed",
    "checkpoint written aside", "checkpoint renamed",
    "folders synced", "checkpoint published", "partial files removed",
]  # fmt: skip
RANDOM_KILLS = 40


@dataclass
class Witness:
    """What a log acknowledged and published through all its lives."""

    acknowledged: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    published: Checkpoint | None = None

    def note(self, lines: list[str]) -> None:
        for line in lines:
            kind, *values = line.split()
            if kind == ACK:
                index, run, thread, sequence = map(int, values)
                self.acknowledged[index] = (run, thread, sequence)
            else:
                assert kind == PUBLISHED
                self.published = Checkpoint(SIGNER.name, int(values[0]), bytes.fromhex(values[1]))

    def check(self, folder: Path) -> int:
        """Check the folder as the kill left it and then as the next owner finds it; return its size."""
        fetcher = FolderFetcher(folder)
        if (folder / "checkpoint").exists():
            self._check_published(fetcher, folder)
        log = FolderLog.open(folder, signer=SIGNER, origin=SIGNER.name)
        try:
            self._check_entries(log)
            log.publish_checkpoint()
            self._check_published(fetcher, folder)
            return log.size()
        finally:
            log.close()

    def _check_published(self, fetcher: FolderFetcher, folder: Path) -> None:
        *_, last = check_folder(folder, SIGNER.vkey)
        if self.published is not None:
            check_extends(fetcher, self.published, last.checkpoint)
        self.published = last.checkpoint

    def _check_entries(self, log: FolderLog) -> None:
        following: dict[tuple[int, int], int] = {}
        for index, entry in enumerate(log.leaves(0, log.size())):
            run, thread, sequence = place_of(entry)
            assert sequence == following.get((run, thread), 0), f"entry {index} is out of its thread's order"
            following[run, thread] = sequence + 1
        for index, place in self.acknowledged.items():
            assert index < log.size(), f"acknowledged entry {index} is lost"
            assert log.leaf(index) == entry_of(*place)


def run_writer(folder: Path, run: int, threads: int, *step: str, lines: int | None = None) -> list[str]:
    """Return the lines of a writer that is killed by itself at a step, or by us after some lines."""
    writer = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "log" / "crash_writer.py"), str(folder), str(run), str(threads), *step],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert writer.stdout is not None
    told = []
    try:
        while line := writer.stdout.readline():
            told.append(line)
            if len(told) == lines:
                break
    finally:
        writer.kill()
    rest = writer.stdout.read().splitlines(keepends=True)
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    return [line for line in told + rest if line.endswith("\n")]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_killed_at_each_step(tmp_path: Path) -> None:
    witness = Witness()
    sizes = []
    for run, step in enumerate(STEPS):
        count = 1 + run % 3
        witness.note(run_writer(tmp_path / "log", run, 1, step, str(count)))
        sizes.append(witness.check(tmp_path / "log"))
    assert sizes == sorted(sizes)
    assert len(witness.acknowledged) > 2 * len(STEPS)
    print(f"{len(STEPS)} kills at steps, {len(witness.acknowledged)} acknowledged groups, {sizes[-1]} entries compared")


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_killed_at_random_instants(tmp_path: Path) -> None:
    witness = Witness()
    chance = random.Random(5)
    size = 0
    for run in range(RANDOM_KILLS):
        witness.note(run_writer(tmp_path / "log", run, 3, lines=chance.randint(1, 30)))
        grown = witness.check(tmp_path / "log")
        assert grown >= size
        size = grown
    assert len(witness.acknowledged) >= RANDOM_KILLS
    print(f"{RANDOM_KILLS} random kills, {len(witness.acknowledged)} acknowledged groups, {size} entries compared")


def test_every_way_to_tear_the_last_group_leaves_all_groups_before_it(tmp_path: Path) -> None:
    signer = Ed25519Signer("example.org/log", bytes(32))
    whole = tmp_path / "whole"
    log = FolderLog.open(whole, signer=signer, origin=signer.name)
    log.append([b"one", b"two"])
    journal = Path("wal") / f"{0:020d}.wal"
    good = (whole / journal).stat().st_size
    log.append([b"three", b"four"])
    log.close()
    data = (whole / journal).read_bytes()
    for cut in range(good, len(data)):
        for torn in (data[:cut], data[:cut] + bytes(len(data) - cut), data[:good] + bytes(cut - good) + data[cut:]):
            if torn == data:
                continue
            folder = tmp_path / "torn"
            shutil.copytree(whole, folder)
            (folder / journal).write_bytes(torn)
            log = FolderLog.open(folder, signer=signer, origin=signer.name)
            assert list(log.leaves(0, log.size())) == [b"one", b"two"], (cut, torn)
            assert log.append([b"again"]) == 2
            log.close()
            log = FolderLog.open(folder, signer=signer, origin=signer.name)
            assert list(log.leaves(0, log.size())) == [b"one", b"two", b"again"]
            log.close()
            shutil.rmtree(folder)


def test_stop_while_the_torn_end_is_cut_off_is_recovered_from(tmp_path: Path) -> None:
    log = FolderLog.open(tmp_path, signer=SIGNER, origin=SIGNER.name)
    log.append([b"one"])
    log.close()
    journal = tmp_path / "wal" / f"{0:020d}.wal"
    journal.write_bytes(journal.read_bytes() + b"GRP1 and then the power went")

    def at_step(name: str) -> None:
        assert name != "journal cut", "stopped"

    with pytest.raises(AssertionError, match="stopped"):
        FolderLog.open(tmp_path, signer=SIGNER, origin=SIGNER.name, at_step=at_step)
    log = FolderLog.open(tmp_path, signer=SIGNER, origin=SIGNER.name)
    assert list(log.leaves(0, log.size())) == [b"one"]
    assert open_checkpoint(log.publish_checkpoint(), Ed25519Verifier.from_vkey(SIGNER.vkey)).size == 1
    log.close()
    assert KEY.vkey == SIGNER.vkey
