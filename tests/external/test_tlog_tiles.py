"""The published C2SP tlog-tiles log (transparency-dev/tessera) read and verified by our client."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import VerificationError
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.client import check_extends, read_checkpoint, read_entry, verify_log
from ledger.log.note import Ed25519Verifier
from ledger.log.proofs import verify_consistency, verify_inclusion
from ledger.log.storage import FolderFetcher
from ledger.log.tiles import TileReader
from ledger.log.tree import consistency_proof, inclusion_proof, leaf_hash

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.external

VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
KEY = Ed25519Verifier.from_vkey(VKEY)
SIZE = 15


@pytest.fixture
def folder(external: Path) -> Path:
    return external / "vectors" / "tlog-tiles" / "testdata" / "log"


@pytest.fixture
def fetcher(folder: Path) -> FolderFetcher:
    return FolderFetcher(folder)


@pytest.fixture
def checkpoints(folder: Path) -> list[Checkpoint]:
    return [open_checkpoint((folder / f"checkpoint.{size}").read_bytes(), KEY) for size in range(SIZE + 1)]


def test_verifier_key_is_the_one_published_beside_the_log(external: Path) -> None:
    assert VKEY in (external / "README.md").read_text()


def test_checkpoint_of_every_size_is_signed_by_the_logs_key(checkpoints: list[Checkpoint]) -> None:
    assert [checkpoint.size for checkpoint in checkpoints] == list(range(SIZE + 1))


def test_altered_checkpoint_is_refused(folder: Path) -> None:
    note = (folder / "checkpoint").read_bytes()
    with pytest.raises(VerificationError, match="signature"):
        open_checkpoint(note.replace(b"\n15\n", b"\n14\n"), KEY)


def test_whole_log_is_recomputed_from_its_entries(fetcher: FolderFetcher) -> None:
    progress = list(verify_log(fetcher, KEY))
    assert progress[-1].entries == SIZE
    assert progress[-1].checkpoint == read_checkpoint(fetcher, KEY)


def test_entry_is_proved_under_every_checkpoint(fetcher: FolderFetcher, checkpoints: list[Checkpoint]) -> None:
    assert read_entry(fetcher, 0, checkpoints[SIZE]) == b"one"
    for checkpoint in checkpoints:
        reader = TileReader(fetcher, checkpoint.size)
        for index in range(checkpoint.size):
            entry = read_entry(fetcher, index, checkpoint)
            proof = inclusion_proof(reader, index, checkpoint.size)
            verify_inclusion(leaf_hash(entry), index, checkpoint.size, proof, checkpoint.root)


def test_every_checkpoint_extends_every_earlier_one(fetcher: FolderFetcher, checkpoints: list[Checkpoint]) -> None:
    for old, new in itertools.combinations_with_replacement(checkpoints, 2):
        check_extends(fetcher, old, new)
        if old.size:
            proof = consistency_proof(TileReader(fetcher, new.size), old.size, new.size)
            verify_consistency(old.size, new.size, proof, old.root, new.root)
    with pytest.raises(VerificationError, match="shrank"):
        check_extends(fetcher, checkpoints[5], checkpoints[4])


def test_fork_is_refused(fetcher: FolderFetcher, checkpoints: list[Checkpoint]) -> None:
    fork = Checkpoint(checkpoints[5].origin, 5, checkpoints[6].root)
    with pytest.raises(VerificationError, match="root1"):
        check_extends(fetcher, fork, checkpoints[9])
