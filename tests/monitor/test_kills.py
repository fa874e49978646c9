"""A monitor that is killed between two steps has forgotten no note: what the log showed it, it still tells."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.monitor.evidence import check
from tests.conftest import ROOT
from tests.monitor.operators import WATCHED, entries, kinds, look, publish, rewrite

WATCHER = Path(__file__).with_name("watcher.py")
STEPS = ("note written", "note kept", "alarm kept", "state saved")


def watch_and_die(log: Path, memory: Path, step: str) -> None:
    run = subprocess.run(
        [sys.executable, WATCHER, log, memory, step], env={"PYTHONPATH": str(ROOT)}, check=False, capture_output=True
    )
    assert run.returncode == -signal.SIGKILL, run.stderr.decode()


@pytest.mark.parametrize("step", STEPS)
def test_a_fork_seen_before_the_kill_is_told_after_it_though_the_log_is_honest_again(tmp_path: Path, step: str) -> None:
    log, memory, kept = tmp_path / "log", tmp_path / "memory", tmp_path / "kept"
    publish(log, entries(300))
    look(log, memory)
    shutil.copytree(log, kept)
    forged = rewrite(log, [*entries(299), b"other"])
    watch_and_die(log, memory, step)
    shutil.rmtree(log)
    kept.rename(log)
    found = look(log, memory)
    alarms = list((memory / "alarms").glob("*.json"))
    assert len(alarms) == 1
    if step in {"note written", "note kept"}:
        assert kinds(found) == ["FORK"]
        assert found.raised[0].alarm.notes[1].note.encode() == forged
        assert check(found.raised[0].alarm, WATCHED.log).proven


@pytest.mark.parametrize("step", ["note written", "note kept", "state saved"])
def test_a_kill_on_an_honest_log_raises_nothing_later(tmp_path: Path, step: str) -> None:
    log, memory = tmp_path / "log", tmp_path / "memory"
    publish(log, entries(10))
    watch_and_die(log, memory, step)
    publish(log, entries(5, 10))
    watch_and_die(log, memory, step)
    publish(log, *(entries(1, first) for first in range(15, 25)))
    found = look(log, memory)
    assert (kinds(found), found.size) == ([], 25)


def test_larger_trees_seen_before_the_kill_are_not_forgotten_when_the_log_is_cut_back(tmp_path: Path) -> None:
    log, memory, kept = tmp_path / "log", tmp_path / "memory", tmp_path / "kept"
    publish(log, entries(10))
    look(log, memory)
    shutil.copytree(log, kept)
    publish(log, entries(10, 10))
    watch_and_die(log, memory, "note kept")
    shutil.rmtree(log)
    kept.rename(log)
    assert kinds(look(log, memory)) == ["SHRANK"]


def test_a_torn_last_note_is_cut_off_and_the_others_stay(tmp_path: Path) -> None:
    log, memory = tmp_path / "log", tmp_path / "memory"
    publish(log, entries(10))
    look(log, memory)
    with (memory / "notes.ndjson").open("ab") as file:
        file.write(b'{"number":2,"at_ms":')
    publish(log, entries(10, 10))
    assert kinds(look(log, memory)) == []
    assert len((memory / "notes.ndjson").read_bytes().splitlines()) == 2
