from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError, UnavailableError
from ledger.log.checkpoint import open_checkpoint
from ledger.log.client import check_extends, read_entry, verify_log
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from ledger.log.proofs import verify_consistency, verify_inclusion
from ledger.log.storage import FolderFetcher, FolderLog, check_folder
from ledger.log.tiles import MAX_ENTRY_BYTES
from ledger.log.tree import EMPTY_ROOT, leaf_hash, root_of
from tests.log.conftest import numbered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.service.ports import EventLog


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


def test_log_in_a_folder_is_the_log_that_the_use_cases_want(open_log: Callable[[], FolderLog]) -> None:
    log: EventLog = open_log()
    assert log.root(log.size()) == EMPTY_ROOT
