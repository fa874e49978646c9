from __future__ import annotations

import itertools
import shutil
import threading
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError, UnavailableError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.client import check_extends, read_entry, verify_log
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from ledger.log.proofs import verify_consistency, verify_inclusion
from ledger.log.storage import FolderFetcher, FolderLog, check_folder
from ledger.log.storage import folder as folder_module
from ledger.log.storage import segments as segments_module
from ledger.log.tiles import MAX_ENTRY_BYTES
from ledger.log.tree import EMPTY_ROOT, leaf_hash, root_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.service.ports import EventLog


def numbered(first: int, count: int) -> list[bytes]:
    return [b"entry %d" % index for index in range(first, first + count)]


def test_new_log_is_empty_and_publishes_the_empty_tree(
    open_log: Callable[[], FolderLog], signer: Ed25519Signer
) -> None:
    log = open_log()
    assert (log.size(), log.root()) == (0, EMPTY_ROOT)
    assert open_checkpoint(log.checkpoint(), Ed25519Verifier.from_vkey(signer.vkey)).size == 0


def test_append_returns_the_first_index_and_entries_come_back(open_log: Callable[[], FolderLog]) -> None:
    log = open_log()
    assert log.append([b"one"]) == 0
    assert log.append([b"two", b"", b"x" * MAX_ENTRY_BYTES]) == 1
    assert [log.leaf(index) for index in range(4)] == [b"one", b"two", b"", b"x" * MAX_ENTRY_BYTES]
    assert list(log.leaves(1, 3)) == [b"two", b""]


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_reopened_log_goes_on_where_it_stopped(open_log: Callable[[], FolderLog], folder: Path, size: int) -> None:
    entries = numbered(0, size)
    log = open_log()
    log.append(entries)
    root, note = log.root(), log.publish_checkpoint()
    log = open_log()
    assert (log.size(), log.root(), log.checkpoint()) == (size, root, note)
    assert list(log.leaves(0, size)) == entries
    assert log.append([b"next"]) == size
    assert log.root() == root_of(leaf_hash(entry) for entry in [*entries, b"next"])
    assert folder.is_dir()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["append", "publish", "reopen"])), max_size=8))
def test_log_equals_a_plain_list_through_appends_publications_and_openings(
    tmp_path_factory: pytest.TempPathFactory, signer: Ed25519Signer, steps: list[tuple[int, str]]
) -> None:
    path = tmp_path_factory.mktemp("log")
    model: list[bytes] = []
    log = FolderLog.open(path, signer=signer, origin=signer.name)
    published = [open_checkpoint(log.checkpoint(), Ed25519Verifier.from_vkey(signer.vkey))]
    for count, step in steps:
        assert log.append(numbered(len(model), count)) == len(model)
        model += numbered(len(model), count)
        if step == "publish":
            published.append(open_checkpoint(log.publish_checkpoint(), Ed25519Verifier.from_vkey(signer.vkey)))
        elif step == "reopen":
            log.close()
            log = FolderLog.open(path, signer=signer, origin=signer.name)
        assert log.root() == root_of(leaf_hash(entry) for entry in model)
    assert list(log.leaves(0, log.size())) == model
    log.publish_checkpoint()
    log.close()
    last = list(check_folder(path, signer.vkey))[-1]
    assert last.entries == len(model)
    for old, new in itertools.pairwise([*published, last.checkpoint]):
        check_extends(FolderFetcher(path), old, new)


def test_proofs_of_every_size_come_from_memory_and_from_tiles(open_log: Callable[[], FolderLog]) -> None:
    log = open_log()
    hashes = [leaf_hash(entry) for entry in numbered(0, 700)]
    log.append(numbered(0, 600))
    log.publish_checkpoint()
    log.append(numbered(600, 100))
    for size in (1, 2, 255, 256, 257, 511, 513, 600, 601, 700):
        root = root_of(hashes[:size])
        assert log.root(size) == root
        for index in {0, size // 2, size - 1}:
            verify_inclusion(hashes[index], index, size, log.inclusion_proof(index, size), root)
        verify_consistency(size, 700, log.consistency_proof(size, 700), root, root_of(hashes))


def test_stranger_verifies_the_published_folder(
    open_log: Callable[[], FolderLog], folder: Path, signer: Ed25519Signer
) -> None:
    log = open_log()
    log.append(numbered(0, 300))
    log.publish_checkpoint()
    fetcher, key = FolderFetcher(folder), Ed25519Verifier.from_vkey(signer.vkey)
    last = list(verify_log(fetcher, key))[-1]
    assert last.entries == last.size == 300
    assert read_entry(fetcher, 299, last.checkpoint) == b"entry 299"


def test_checkpoint_is_not_signed_again_without_new_entries(open_log: Callable[[], FolderLog]) -> None:
    log = open_log()
    log.append([b"one"])
    note = log.publish_checkpoint()
    assert log.publish_checkpoint() is note
    log.append([b"two"])
    assert log.publish_checkpoint() != note


def test_partial_files_go_one_checkpoint_after_they_are_filled(open_log: Callable[[], FolderLog], folder: Path) -> None:
    log = open_log()
    log.append(numbered(0, 200))
    log.publish_checkpoint()
    partial = folder / "tile" / "0" / "000.p" / "200"
    assert partial.exists()
    log.append(numbered(200, 100))
    log.publish_checkpoint()
    assert partial.exists()
    assert (folder / "tile" / "0" / "000").exists()
    log.append(numbered(300, 1))
    log.publish_checkpoint()
    assert not partial.parent.exists()
    assert not (folder / "tile" / "entries" / "000.p").exists()


def test_concurrent_callers_share_syncs_and_get_their_own_indexes(tmp_path: Path, signer: Ed25519Signer) -> None:
    syncs = []
    log = FolderLog.open(
        tmp_path,
        signer=signer,
        origin=signer.name,
        at_step=lambda name: syncs.append(name) if name == "group synced" else None,
    )
    callers, rounds = 32, 10
    got: dict[int, bytes] = {}
    barrier = threading.Barrier(callers)

    def call(caller: int) -> None:
        barrier.wait()
        for turn in range(rounds):
            entries = [b"%d %d %d" % (caller, turn, part) for part in range(3)]
            first = log.append(entries)
            got.update(enumerate(entries, first))

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(callers * rounds * 3))
    assert list(log.leaves(0, log.size())) == [got[index] for index in sorted(got)]
    assert len(syncs) < callers * rounds
    log.close()


def test_journal_goes_on_in_new_segments_and_forgets_what_is_in_tiles(
    open_log: Callable[[], FolderLog], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "_SEGMENT_BYTES", 5_000)
    log = open_log()
    for first in range(0, 3000, 100):
        log.append(numbered(first, 100))
    assert len(list((folder / "wal").glob("*.wal"))) > 3
    log = open_log()
    assert len(list((folder / "wal").glob("*.wal"))) == 1
    log.append(numbered(3000, 100))
    log.publish_checkpoint()
    log = open_log()
    assert list(log.leaves(0, 3100)) == numbered(0, 3100)


def test_append_writes_tiles_itself_when_nobody_publishes(
    open_log: Callable[[], FolderLog], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_module, "_EDGE_ENTRIES", 500)
    log = open_log()
    log.append(numbered(0, 400))
    assert not (folder / "tile").exists()
    log.append(numbered(400, 400))
    assert (folder / "tile" / "0" / "002").exists()
    assert list(log.leaves(0, 800)) == numbered(0, 800)


def test_second_owner_is_refused(open_log: Callable[[], FolderLog], folder: Path, signer: Ed25519Signer) -> None:
    open_log()
    with pytest.raises(UnavailableError, match="held by another"):
        FolderLog.open(folder, signer=signer, origin=signer.name)


def test_closed_log_takes_nothing(open_log: Callable[[], FolderLog]) -> None:
    log = open_log()
    log.append([b"one"])
    log.close()
    log.close()
    with pytest.raises(UnavailableError, match="closed"):
        log.append([b"two"])
    with pytest.raises(UnavailableError, match="closed"):
        log.publish_checkpoint()


@pytest.mark.parametrize("step", ["group taken", "group written"])
def test_log_goes_on_by_itself_after_a_failed_write(tmp_path: Path, signer: Ed25519Signer, step: str) -> None:
    fails = False

    def at_step(name: str) -> None:
        if fails and name == step:
            raise OSError(28, "No space left on device")

    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name, at_step=at_step)
    log.append([b"one"])
    fails = True
    for _ in range(3):
        with pytest.raises(UnavailableError, match="No space left"):
            log.append([b"two"])
    assert log.leaf(0) == b"one"
    fails = False
    assert log.append([b"three"]) == 1
    log.publish_checkpoint()
    log.close()
    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name)
    assert list(log.leaves(0, log.size())) == [b"one", b"three"]
    log.close()


def test_log_that_cannot_be_mended_yet_stays_as_it_is(tmp_path: Path, signer: Ed25519Signer) -> None:
    failing = ""

    def at_step(name: str) -> None:
        if name and name == failing:
            raise OSError(5, "Input/output error")

    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name, at_step=at_step)
    log.append([b"one"])
    log.recover()
    failing = "group written"
    with pytest.raises(UnavailableError, match="the write failed"):
        log.append([b"two"])
    failing = "journal cut"
    with pytest.raises(UnavailableError, match="cannot be mended"):
        log.append([b"three"])
    failing = ""
    assert log.append([b"three"]) == 1
    assert list(log.leaves(0, 2)) == [b"one", b"three"]
    log.close()
    with pytest.raises(UnavailableError, match="closed"):
        log.recover()


@pytest.mark.parametrize("step", ["segment written aside", "segment renamed"])
def test_group_is_acknowledged_though_no_new_segment_can_begin(
    tmp_path: Path, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    failing = False

    def at_step(name: str) -> None:
        if failing and name == step:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(segments_module, "_SEGMENT_BYTES", 3_000)
    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name, at_step=at_step)
    failing = True
    for first in range(0, 900, 300):
        assert log.append(numbered(first, 300)) == first
    assert [path.name for path in (tmp_path / "wal").glob("*.wal")] == [f"{0:020d}.wal"]
    failing = False
    assert log.append(numbered(900, 1)) == 900
    assert len(list((tmp_path / "wal").glob("*.wal"))) == 2
    log.close()
    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name)
    assert list(log.leaves(0, 901)) == numbered(0, 901)
    log.close()


def test_tiles_that_cannot_be_written_refuse_entries_only_when_twice_as_much_waits(
    tmp_path: Path, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = False

    def at_step(name: str) -> None:
        if failing and name == "tile written aside":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "_EDGE_ENTRIES", 500)
    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name, at_step=at_step)
    failing = True
    assert [log.append(numbered(first, 400)) for first in (0, 400, 800)] == [0, 400, 800]
    with pytest.raises(UnavailableError, match="tiles that cannot be written"):
        log.append(numbered(1200, 1))
    failing = False
    assert log.append(numbered(1200, 400)) == 1200
    assert list(log.leaves(0, 1600)) == numbered(0, 1600)
    log.close()


def test_leaf_hashes_that_the_caller_has_are_taken(open_log: Callable[[], FolderLog]) -> None:
    log = open_log()
    entries = numbered(0, 300)
    assert log.append(entries, [leaf_hash(entry) for entry in entries]) == 0
    assert log.root() == root_of(leaf_hash(entry) for entry in entries)
    with pytest.raises(InvalidInputError, match="one for each"):
        log.append(entries, [leaf_hash(b"one")])
    log.publish_checkpoint()
    log = open_log()
    assert list(log.leaves(0, 300)) == entries


def test_bad_input_is_refused_and_changes_nothing(open_log: Callable[[], FolderLog], signer: Ed25519Signer) -> None:
    log = open_log()
    log.append([b"one", b"two"])
    refused: list[Callable[[], object]] = [
        lambda: log.append([]),
        lambda: log.append([b"x" * (MAX_ENTRY_BYTES + 1)]),
        lambda: log.append([b"x" * MAX_ENTRY_BYTES] * 1100),
        lambda: log.leaf(2),
        lambda: log.leaf(-1),
        lambda: list(log.leaves(0, 3)),
        lambda: list(log.leaves(2, 1)),
        lambda: log.root(3),
        lambda: log.inclusion_proof(2, 2),
        lambda: log.inclusion_proof(0, 3),
        lambda: log.consistency_proof(2, 1),
        lambda: log.consistency_proof(1, 3),
        lambda: FolderLog.open("unused", signer=signer, origin="example.org/other"),
    ]
    for call in refused:
        with pytest.raises(InvalidInputError):
            call()
    assert log.size() == 2
    assert log.consistency_proof(0, 2) == []


def test_partial_files_of_the_last_checkpoint_outlive_one_more(open_log: Callable[[], FolderLog], folder: Path) -> None:
    log = open_log()
    log.append(numbered(0, 200))
    log.publish_checkpoint()
    log.append(numbered(200, 100))
    log = open_log()
    assert (folder / "tile" / "0" / "000").exists()
    log.publish_checkpoint()
    assert (folder / "tile" / "0" / "000.p" / "200").exists()
    log.append(numbered(300, 1))
    log.publish_checkpoint()
    assert not (folder / "tile" / "0" / "000.p").exists()


def test_opening_removes_the_partial_files_that_a_crash_left(open_log: Callable[[], FolderLog], folder: Path) -> None:
    log = open_log()
    for size in (200, 300, 600):
        log.append(numbered(log.size(), size - log.size()))
        log.publish_checkpoint()
    shutil.rmtree(folder / "tile" / "0" / "001.p")
    left = {folder / "tile" / name for name in ("0/000.p/7", "entries/000.p/7", "0/001.p/44", "entries/001.p/44")}
    needed = {path for path in (folder / "tile").rglob("*") if path.is_file()} - left
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"of an earlier checkpoint")
    (folder / "wal" / "partials").unlink()
    log = open_log()
    assert {path for path in (folder / "tile").rglob("*") if path.is_file()} == needed
    assert not (folder / "tile" / "0" / "000.p").exists()
    assert log.publish_checkpoint() == log.checkpoint()


def test_opening_keeps_the_partial_files_that_the_published_checkpoint_needs(
    open_log: Callable[[], FolderLog], folder: Path
) -> None:
    log = open_log()
    log.append(numbered(0, 200))
    log.publish_checkpoint()
    log.append(numbered(200, 400))
    log = open_log()
    assert (folder / "tile" / "0" / "000").exists()
    assert (folder / "tile" / "0" / "000.p" / "200").exists()
    assert (folder / "tile" / "entries" / "000.p" / "200").exists()
    assert log.size() == 600


def test_opening_tells_that_it_wrote_a_missing_partial_file_again(
    open_log: Callable[[], FolderLog], folder: Path
) -> None:
    log = open_log()
    log.append(numbered(0, 300))
    log.publish_checkpoint()
    log.close()
    missing = folder / "tile" / "0" / "001.p" / "44"
    data = missing.read_bytes()
    missing.unlink()
    with structlog.testing.capture_logs() as told:
        open_log()
    assert missing.read_bytes() == data
    assert [line["files"] for line in told if line["event"] == "partial_files_missing"] == [["tile/0/001.p/44"]]


def test_closed_log_keeps_no_more_in_its_journal_than_what_is_in_no_full_tile(
    open_log: Callable[[], FolderLog], folder: Path
) -> None:
    log = open_log()
    log.append(numbered(0, 3000))
    log.publish_checkpoint()
    log.close()
    (segment,) = (folder / "wal").glob("*.wal")
    assert segment.name == f"{2816:020d}.wal"
    assert segment.stat().st_size < 200 * 30
    log = open_log()
    assert log.size() == 3000
    assert list(log.leaves(2800, 3000)) == numbered(2800, 200)


def test_log_in_a_folder_is_the_log_that_the_use_cases_want(open_log: Callable[[], FolderLog]) -> None:
    log: EventLog = open_log()
    assert log.root(log.size()) == EMPTY_ROOT
