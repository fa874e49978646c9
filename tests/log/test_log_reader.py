"""What a growing log reads from its files for proofs: little, and each upper tile once."""

from __future__ import annotations

import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import IntegrityError, InvalidInputError
from ledger.log.note import Ed25519Signer
from ledger.log.storage import FolderFetcher, FolderLog
from ledger.log.tree import HashList, consistency_proof, inclusion_proof, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNER = Ed25519Signer("reader.example/log", bytes(range(32)))
LEAF_TILES = 300
SIZE = LEAF_TILES * 256 + 19
ENTRIES = [b"entry %d" % index for index in range(SIZE + 600)]
TREE = HashList([leaf_hash(entry) for entry in ENTRIES])


class Counting:
    """A folder's files, and how often each was read."""

    def __init__(self, folder: Path) -> None:
        self._folder = FolderFetcher(folder)
        self.reads: Counter[str] = Counter()

    def read(self, path: str) -> bytes:
        self.reads[path] += 1
        return self._folder.read(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log")
    made = FolderLog.open(path, signer=SIGNER, origin=SIGNER.name)
    made.append(ENTRIES[:SIZE])
    made.publish_checkpoint()
    made.close()
    return path


@pytest.fixture
def files(folder: Path) -> Counting:
    return Counting(folder)


@pytest.fixture
def log(folder: Path, files: Counting) -> Iterator[FolderLog]:
    opened = FolderLog.open(folder, signer=SIGNER, origin=SIGNER.name, archive=files)
    yield opened
    opened.close()


def test_many_tiles_of_leaves_do_not_empty_the_cache_of_those_above(log: FolderLog, files: Counting) -> None:
    for tile in range(LEAF_TILES):
        assert log.inclusion_proof(tile * 256, SIZE) == inclusion_proof(TREE, tile * 256, SIZE)
    assert files.reads["tile/1/000"] == 1
    assert files.reads["tile/0/000"] == 1
    log.inclusion_proof(0, SIZE)
    assert files.reads["tile/0/000"] == 2, "the cache of leaves' tiles is bounded"


def test_a_proof_in_an_older_tree_reads_its_own_tiles_and_those_at_that_trees_edge(
    log: FolderLog, files: Counting
) -> None:
    older = 200 * 256 + 77
    assert log.inclusion_proof(5, older) == inclusion_proof(TREE, 5, older)
    assert files.reads == {"tile/0/000": 1, "tile/1/000": 1, "tile/0/200": 1}
    assert log.consistency_proof(older, SIZE) == consistency_proof(TREE, older, SIZE)
    assert files.reads == {"tile/0/000": 1, "tile/1/000": 1, "tile/0/200": 1}


def test_proofs_of_many_entries_are_those_of_each_and_read_each_tile_once(log: FolderLog, files: Counting) -> None:
    indices = [*range(70, 700), 60_000]
    assert log.inclusion_proofs(indices, SIZE) == {index: inclusion_proof(TREE, index, SIZE) for index in indices}
    assert set(files.reads.values()) == {1}
    with pytest.raises(InvalidInputError, match="size"):
        log.inclusion_proofs([3], SIZE + 1)


def test_proofs_of_many_entries_do_not_leave_altered_tiles(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "log")
    log = FolderLog.open(tmp_path / "log", signer=SIGNER, origin=SIGNER.name)
    try:
        tile = tmp_path / "log" / "tile" / "0" / "001"
        data = bytearray(tile.read_bytes())
        data[5] ^= 1
        tile.write_bytes(data)
        with pytest.raises(IntegrityError, match="no proof for 2 entries from 300"):
            log.inclusion_proofs([300, 301], SIZE)
    finally:
        log.close()


def test_what_is_kept_of_the_edge_stays_true_while_the_log_grows(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "log")
    log = FolderLog.open(tmp_path / "log", signer=SIGNER, origin=SIGNER.name)
    try:
        for step in range(0, 600, 50):
            size = SIZE + step
            if step:
                log.append(ENTRIES[size - 50 : size])
            assert log.inclusion_proof(size - 1, size) == inclusion_proof(TREE, size - 1, size)
            assert log.inclusion_proof(3, size) == inclusion_proof(TREE, 3, size)
            assert log.consistency_proof(SIZE, size) == (consistency_proof(TREE, SIZE, size) if step else [])
            if step % 100 == 0:
                log.publish_checkpoint()
    finally:
        log.close()


def test_an_entry_is_read_from_its_bundle_and_its_tile_alone(log: FolderLog, files: Counting) -> None:
    assert log.leaf(7) == ENTRIES[7]
    assert files.reads == {"tile/entries/000": 1, "tile/0/000": 1}
