"""The events' files: what was appended is there after any end, and every byte of it counts."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import IntegrityError, NotFoundError, UnavailableError
from ledger.service.stored_batches import StoredBatch, pack_lines, unpack_lines
from ledger.store import event_store
from ledger.store.event_store import FileEventStore
from tests.store.batches import batch_of

if TYPE_CHECKING:
    from pathlib import Path


def lines_of(first: int, count: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(first, first + count)]


def filled(folder: Path, sizes: list[int]) -> tuple[FileEventStore, list[StoredBatch]]:
    store, batches, first = FileEventStore.open(folder, size=0), [], 0
    for size in sizes:
        batch = batch_of(first, lines_of(first, size))
        store.append([batch])
        batches.append(batch)
        first += size
    return store, batches


def same(found: StoredBatch, put: StoredBatch) -> bool:
    return (found.first, found.count, found.head, list(found.lines), found.salts, found.bound) == (
        put.first, put.count, put.head, list(put.lines), put.salts, put.bound,
    )  # fmt: skip


def test_every_leaf_finds_its_batch_also_after_a_restart(tmp_path: Path) -> None:
    sizes = [1, 3, 2000, 1, 1, 700, 5]
    store, batches = filled(tmp_path / "events", sizes)
    store.close()
    again = FileEventStore.open(tmp_path / "events", size=sum(sizes))
    for batch in batches:
        for index in {batch.first, batch.end - 1}:
            assert same(again.batch(index), batch)
    assert [one.first for one in again.batches(1)] == [batch.first for batch in batches[1:]]
    assert list(again.defects()) == []
    with pytest.raises(NotFoundError):
        again.batch(sum(sizes))
    again.close()


def test_batches_in_many_segments_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_store, "SEGMENT_BYTES", 2_000)
    monkeypatch.setattr(event_store, "_CACHED_BATCHES", 1)
    store, batches = filled(tmp_path / "events", [7] * 40)
    assert len(list((tmp_path / "events").glob("*.evt"))) > 5
    random.Random(1).shuffle(batches)
    assert all(same(store.batch(batch.first + 3), batch) for batch in batches)
    store.close()
    again = FileEventStore.open(tmp_path / "events", size=280)
    assert all(same(again.batch(batch.first + 3), batch) for batch in batches)
    assert list(again.defects()) == []
    for size in (0, 7, 140, 280):
        again.backup(tmp_path / f"copy-{size}", size=size)
        copy = FileEventStore.open(tmp_path / f"copy-{size}", size=size)
        assert all(same(copy.batch(batch.first), batch) for batch in batches if batch.end <= size)
        assert list(copy.defects()) == []
        copy.close()
    with pytest.raises(IntegrityError, match="no batch ends"):
        again.backup(tmp_path / "copy-8", size=8)
    again.close()


@pytest.mark.parametrize("size", [0, 2, 5, 6])
def test_what_no_leaf_commits_to_is_cut_off(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_store, "SEGMENT_BYTES", 600)
    store, _ = filled(tmp_path / "events", [2, 3, 1, 4])
    store.close()
    again = FileEventStore.open(tmp_path / "events", size=size)
    assert again.end() == size
    other = batch_of(size, [b"other", b"lines"])
    again.append([other])
    assert same(again.batch(size), other)
    assert list(again.defects()) == []
    again.close()


def test_events_far_beyond_the_log_are_not_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that was put back from an older copy must not take the events with it."""
    monkeypatch.setattr(event_store, "_BEYOND_LEAVES", 4)
    store, batches = filled(tmp_path / "events", [2, 3, 4])
    store.close()
    with pytest.raises(IntegrityError, match="older copy"):
        FileEventStore.open(tmp_path / "events", size=2)
    again = FileEventStore.open(tmp_path / "events", size=9)
    assert same(again.batch(8), batches[2])
    again.close()


def test_a_store_that_is_only_read_changes_nothing(tmp_path: Path) -> None:
    """Also where the log is an older copy: the events beyond it are those of the newer one."""
    store, batches = filled(tmp_path / "events", [2, 3, 4])
    store.close()
    (path,) = (tmp_path / "events").glob("*.evt")
    whole = path.read_bytes()
    reading = FileEventStore.open(tmp_path / "events", size=2, read_only=True)
    assert same(reading.batch(1), batches[0])
    with pytest.raises(NotFoundError):
        reading.batch(2)
    with pytest.raises(UnavailableError):
        reading.append([batch_of(2, [b"x"])])
    reading.close()
    assert path.read_bytes() == whole


def test_a_store_behind_the_log_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "events", [2, 3])[0].close()
    for size in (1, 3, 6):
        with pytest.raises(IntegrityError):
            FileEventStore.open(tmp_path / "events", size=size)
    FileEventStore.open(tmp_path / "events", size=5).close()


@given(cut=st.integers(0, 400), seed=st.integers(0, 2**32))
def test_a_torn_end_is_cut_where_the_log_ends(tmp_path_factory: pytest.TempPathFactory, cut: int, seed: int) -> None:
    folder = tmp_path_factory.mktemp("torn") / "events"
    store, batches = filled(folder, [3, 2])
    store.close()
    (path,) = folder.glob("*.evt")
    whole = path.read_bytes()
    torn = batch_of(5, lines_of(5, 4))
    again = FileEventStore.open(folder, size=5)
    again.append([torn])
    again.close()
    frame = path.read_bytes()[len(whole) :]
    kept = min(cut, len(frame))
    rest = random.Random(seed).randbytes(len(frame) - kept) if seed % 2 else b""
    path.write_bytes(whole + frame[:kept] + rest)
    opened = FileEventStore.open(folder, size=5)
    assert path.read_bytes() == whole
    assert same(opened.batch(4), batches[1])
    opened.close()


def test_each_flipped_byte_is_named(tmp_path: Path) -> None:
    """Below the log's end: opening refuses it, and the check of a store that is open names the file."""
    store, _ = filled(tmp_path / "events", [3, 2, 1])
    store.close()
    (path,) = (tmp_path / "events").glob("*.evt")
    whole = path.read_bytes()
    for position in range(0, len(whole), 3):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        with pytest.raises(IntegrityError, match="events"):
            FileEventStore.open(tmp_path / "events", size=6)
    path.write_bytes(whole)
    opened = FileEventStore.open(tmp_path / "events", size=6)
    for position in range(0, len(whole), 29):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x10]) + whole[position + 1 :])
        assert [name for name, _ in opened.defects()] == [path.name]
    opened.close()


def test_a_failed_write_stops_the_store_until_it_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, batches = filled(tmp_path / "events", [3])

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(UnavailableError, match="No space left"):
            store.append([batch_of(3, lines_of(3, 1))])
    with pytest.raises(UnavailableError, match="recover"):
        store.append([batch_of(3, lines_of(3, 1))])
    store.recover(3)
    after = batch_of(3, [b"another"])
    store.append([after])
    assert same(store.batch(0), batches[0])
    assert same(store.batch(3), after)
    store.close()


def test_a_reader_in_another_process_sees_what_it_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_store, "SEGMENT_BYTES", 600)
    store, batches = filled(tmp_path / "events", [2, 3])
    reader = FileEventStore.reading(tmp_path / "events")
    reader.refresh(5)
    assert same(reader.batch(4), batches[1])
    with pytest.raises(NotFoundError):
        reader.batch(5)
    more = [batch_of(5, lines_of(5, 4)), batch_of(9, lines_of(9, 1))]
    for batch in more:
        store.append([batch])
    reader.refresh(10)
    assert all(same(reader.batch(batch.first), batch) for batch in [*more, *batches])
    store.close()


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=30))
def test_lines_of_any_bytes_are_packed_and_come_back(lines: list[bytes]) -> None:
    packed = pack_lines(lines)
    assert unpack_lines(packed) == lines
    with pytest.raises(ValueError, match="length"):
        unpack_lines(_mispacked(lines))


def _mispacked(lines: list[bytes]) -> bytes:
    import struct

    import zstandard

    return zstandard.ZstdCompressor().compress(struct.pack(">I", len(lines) + 1) + b"\x00" * 4 * len(lines))
