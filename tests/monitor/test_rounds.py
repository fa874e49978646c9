"""A monitor over an honest log is silent; over a rewritten one it tells, with evidence that a stranger can check."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import InvalidInputError
from ledger.log.storage import FolderFetcher
from ledger.monitor.evidence import Kind, check, parse_alarm
from ledger.monitor.monitor import Cadence, Monitor
from ledger.monitor.state import MonitorBusyError, MonitorState, Watched
from tests.monitor.operators import (
    SIGNER,
    STRANGER,
    WATCHED,
    Clock,
    ScriptedChain,
    entries,
    kinds,
    look,
    monitor,
    publish,
    rewrite,
    root,
)

if TYPE_CHECKING:
    from pathlib import Path

SIZES = (1, 2, 255, 256, 257, 600)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "memory"


def test_an_honest_log_that_grows_raises_nothing(log: Path, memory: Path) -> None:
    chain, whole = ScriptedChain(), entries(70_000)
    known = 0
    for size in (3, 256, 300, 65_536, 65_537, 70_000):
        publish(log, whole[known:size])
        chain.anchor(size, root(whole, size))
        found = look(log, memory, chain)
        assert kinds(found) == []
        assert (found.size, found.root, found.anchored) == (size, root(whole, size).hex(), size)
        assert found.new_entries == size - known
        known = size


def test_a_log_that_grows_by_many_checkpoints_between_two_looks_raises_nothing(log: Path, memory: Path) -> None:
    publish(log, entries(10))
    assert kinds(look(log, memory)) == []
    publish(log, *(entries(2, first) for first in range(10, 30, 2)))
    assert kinds(look(log, memory)) == []


@pytest.mark.parametrize("seed", range(12))
def test_an_entry_rewritten_and_everything_signed_again_is_a_proven_fork(log: Path, memory: Path, seed: int) -> None:
    chance = random.Random(seed)
    before = chance.choice(SIZES)
    after = before + chance.choice((0, 1, 300))
    whole = entries(after)
    first = publish(log, whole[:before])
    assert kinds(look(log, memory)) == []
    k = chance.randrange(before)
    forged = [*whole[:k], b"rewritten", *whole[k + 1 :]]
    second = rewrite(log, forged)
    found = look(log, memory)
    assert kinds(found) == ["FORK"], (before, after, k)
    alarm = parse_alarm(found.raised[0].file.read_bytes())
    assert [note.note.encode() for note in alarm.notes] == [first, second]
    assert check(alarm, WATCHED.log).proven
    assert found.size == before  # The fork is not taken for the log.


def test_a_fork_is_told_again_while_it_lasts_and_its_file_stays_when_it_is_undone(log: Path, memory: Path) -> None:
    publish(log, entries(20))
    look(log, memory)
    shutil.copytree(log, log.with_name("honest"))
    rewrite(log, [*entries(19), b"other", b"more"])
    first, second = look(log, memory), look(log, memory)
    assert kinds(first) == kinds(second) == ["FORK"]
    assert (first.raised[0].is_new, second.raised[0].is_new) == (True, False)
    shutil.rmtree(log)
    log.with_name("honest").rename(log)
    with monitor(log, memory) as opened:
        assert kinds(opened.round()) == []
        assert [alarm.kind for _, alarm in opened.standing()] == [Kind.FORK]


def test_a_log_cut_short_and_an_old_checkpoint_served_again_are_told(log: Path, memory: Path) -> None:
    publish(log, entries(300))
    old = (log / "checkpoint").read_bytes()
    look(log, memory)
    newest = publish(log, entries(300, 300))
    assert kinds(look(log, memory)) == []
    (log / "checkpoint").write_bytes(old)
    replayed = look(log, memory)
    assert kinds(replayed) == ["SHRANK"]
    assert [note.note.encode() for note in replayed.raised[0].alarm.notes] == [old, newest]
    rewrite(log, entries(100))
    assert kinds(look(log, memory)) == ["SHRANK"]


def test_a_smaller_log_with_other_entries_is_a_fork(log: Path, memory: Path) -> None:
    publish(log, entries(600))
    look(log, memory)
    note = rewrite(log, [b"other", *entries(99)])
    kept = log.with_name("kept")
    publish(kept, entries(600))
    shutil.copytree(kept / "tile", log / "tile", dirs_exist_ok=True)
    found = look(log, memory)
    assert kinds(found) == ["FORK"]
    assert found.raised[0].alarm.notes[0].note.encode() == note
    assert check(found.raised[0].alarm, WATCHED.log).proven


def test_a_fork_whose_tiles_are_withheld_is_told_with_both_notes(log: Path, memory: Path) -> None:
    first = publish(log, entries(300))
    look(log, memory)
    second = rewrite(log, [b"other", *entries(400, 1)])
    shutil.rmtree(log / "tile" / "0")
    found = look(log, memory)
    assert kinds(found) == ["INCONSISTENT"]
    assert [note.note.encode() for note in found.raised[0].alarm.notes] == [first, second]
    assert not check(found.raised[0].alarm, WATCHED.log).proven


@pytest.mark.parametrize(
    ("path", "kind"),
    [("tile/entries/001", "ENTRY_ALTERED"), ("tile/0/001", "TILE_ALTERED"), ("tile/1/000.p/2", "TILE_ALTERED")],
)
def test_an_altered_file_of_new_entries_is_told(log: Path, memory: Path, path: str, kind: str) -> None:
    publish(log, entries(600))
    data = bytearray((log / path).read_bytes())
    data[-1] ^= 1
    (log / path).write_bytes(data)
    found = look(log, memory)
    assert kinds(found)[:1] == [kind]
    assert path in found.raised[0].alarm.detail


@pytest.mark.parametrize("path", ["tile/entries/000", "tile/0/000", "tile/entries/001", "tile/0/001"])
@pytest.mark.parametrize("harm", ["flip", "gone"])
def test_an_old_file_that_was_altered_later_is_found_by_reading_again(
    log: Path, memory: Path, path: str, harm: str
) -> None:
    publish(log, entries(600))
    assert kinds(look(log, memory)) == []
    data = bytearray((log / path).read_bytes())
    data[7] ^= 1
    (log / path).write_bytes(data) if harm == "flip" else (log / path).unlink()
    found = look(log, memory)
    assert found.raised
    assert set(kinds(found)) <= {"TILE_ALTERED", "ENTRY_ALTERED", "FILE_MISSING"}


def test_a_checkpoint_of_another_key_is_told(log: Path, memory: Path) -> None:
    publish(log, entries(5))
    look(log, memory)
    rewrite(log, entries(9), signer=STRANGER)
    found = look(log, memory)
    assert kinds(found) == ["UNKNOWN_KEY"]
    assert not check(found.raised[0].alarm, WATCHED.log).proven


def test_a_log_that_changed_its_key_is_followed_under_both(log: Path, memory: Path) -> None:
    publish(log, entries(5))
    look(log, memory)
    former = ((SIGNER.vkey, 5),)
    renewed = Watched(STRANGER.name, STRANGER.vkey, former=former)

    def look_with(watched: Watched, folder: Path) -> list[str]:
        state = MonitorState.open(folder, watched)
        try:
            opened = Monitor(
                watched, state, FolderFetcher(log), None, source="", cadence=Cadence(), now_ms=lambda: 1_000_000
            )
            return kinds(opened.round())
        finally:
            state.close()

    assert look_with(renewed, memory) == []  # The former key's note counts up to its size.
    rewrite(log, entries(9), signer=STRANGER)
    assert look_with(renewed, memory) == []
    rewrite(log, entries(12))
    assert look_with(renewed, memory) == ["UNKNOWN_KEY"]  # And no further.
    rewrite(log, [*entries(4), b"other", *entries(9)], signer=STRANGER)
    assert look_with(renewed, memory) == ["FORK"]
    with pytest.raises(InvalidInputError, match="vkey"):
        look_with(Watched(SIGNER.name, SIGNER.vkey), memory)


def test_a_root_that_the_entries_do_not_give_is_told(log: Path, memory: Path) -> None:
    publish(log, entries(5))
    note = publish(log.with_name("other"), entries(5, 100))
    (log / "checkpoint").write_bytes(note)
    assert kinds(look(log, memory)) == ["ROOT_DIFFERS"]


def test_an_anchor_of_another_tree_is_proven_against_the_note(log: Path, memory: Path) -> None:
    chain, whole = ScriptedChain(), entries(500)
    publish(log, whole)
    chain.anchor(200, root(entries(500, 1), 200))
    found = look(log, memory, chain)
    assert kinds(found) == ["ANCHOR_DIFFERS"]
    assert check(found.raised[0].alarm, WATCHED.log).proven
    chain.anchor(500, root(entries(500, 1), 500))
    found = look(log, memory, chain)
    assert kinds(found) == ["ANCHOR_DIFFERS"]
    assert check(found.raised[0].alarm, WATCHED.log).proven


def test_an_anchor_of_more_than_the_log_shows_is_told_until_the_log_shows_it(log: Path, memory: Path) -> None:
    chain, whole = ScriptedChain(), entries(50)
    publish(log, whole[:30])
    chain.anchor(50, root(whole, 50))
    assert kinds(look(log, memory, chain)) == ["ANCHOR_AHEAD"]
    assert kinds(look(log, memory, chain)) == ["ANCHOR_AHEAD"]
    publish(log, whole[30:])
    found = look(log, memory, chain)
    assert (kinds(found), found.anchored) == ([], 50)


def test_an_anchor_that_does_not_come_is_told_after_the_cadence(log: Path, memory: Path) -> None:
    chain, clock, whole = ScriptedChain(), Clock(), entries(50)
    publish(log, whole[:20])
    assert kinds(look(log, memory, chain, clock)) == []
    clock.ms += 121_000
    assert kinds(look(log, memory, chain, clock)) == ["ANCHOR_LATE"]
    chain.anchor(20, root(whole, 20))
    assert kinds(look(log, memory, chain, clock)) == []
    publish(log, whole[20:])
    assert kinds(look(log, memory, chain, clock)) == []
    with monitor(log, memory, chain, clock) as opened:
        assert opened.standing() == []


def test_a_chain_that_takes_a_final_block_back_is_told(log: Path, memory: Path) -> None:
    chain, whole = ScriptedChain(), entries(20)
    publish(log, whole)
    chain.anchor(20, root(whole, 20))
    assert kinds(look(log, memory, chain)) == []
    chain.blocks[1] = ("ff" * 32, chain.blocks[1][1])
    assert kinds(look(log, memory, chain)) == ["CHAIN_DIFFERS"]


def test_a_memory_is_one_monitors_and_one_logs(log: Path, memory: Path) -> None:
    publish(log, entries(1))
    with monitor(log, memory), pytest.raises(MonitorBusyError), monitor(log, memory):
        pass
    with pytest.raises(InvalidInputError, match="chain_id"):
        MonitorState.open(memory, WATCHED)


def test_a_memory_of_many_notes_stays_bounded_and_keeps_the_oldest(
    log: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.monitor.state.NOTES_MAX", 16)
    for number in range(40):
        publish(log, entries(1, number))
        assert kinds(look(log, memory)) == []
    with monitor(log, memory, cadence=Cadence(recheck_bundles=0)) as opened:
        notes = opened._state.notes
    assert len(notes) <= 16
    assert notes[0].number == 1
    assert notes[-1].number == 40
    assert [note.number for note in notes] == sorted(note.number for note in notes)
