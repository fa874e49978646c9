"""What somebody who can write the log's folder may try, and which error tells."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.checkpoint import Checkpoint, sign_checkpoint
from ledger.log.client import check_extends, read_checkpoint, read_entry, verify_log
from ledger.log.errors import BadEntryError, BadRootError, BadTileError, MissingFileError
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from ledger.log.storage import FolderFetcher, FolderLog, check_folder
from ledger.log.storage import segments as segments_module
from ledger.log.tiles import decode_bundle, encode_bundle
from ledger.log.tree import leaf_hash, perfect_root
from tests.log.conftest import crash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = 700


@pytest.fixture
def written(open_log: Callable[[], FolderLog], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a closed log of 700 published entries, the journal of the first 512 gone."""
    monkeypatch.setattr(segments_module, "_SEGMENT_BYTES", 2_000)
    log = open_log()
    for first in range(0, SIZE, 50):
        log.append([b"entry %d" % index for index in range(first, first + 50)])
    log.publish_checkpoint()
    log.close()
    assert min(path.name for path in (folder / "wal").glob("*.wal")) == f"{512:020d}.wal"
    return folder


def check(folder: Path, signer: Ed25519Signer) -> None:
    list(check_folder(folder, signer.vkey))


def verify(folder: Path, signer: Ed25519Signer) -> None:
    list(verify_log(FolderFetcher(folder), Ed25519Verifier.from_vkey(signer.vkey)))


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def replace_entry(path: Path, count: int, position: int, entry: bytes) -> list[bytes]:
    entries = decode_bundle(path.read_bytes(), count)
    entries[position] = entry
    path.write_bytes(encode_bundle(entries))
    return [leaf_hash(value) for value in entries]


def test_untouched_folder_passes(written: Path, signer: Ed25519Signer) -> None:
    assert [progress.entries for progress in check_folder(written, signer.vkey)] == [0, 256, 512, 700]


@pytest.mark.parametrize(
    ("bundle", "count", "position", "entry"), [("000", 256, 7, 7), ("001", 256, 0, 256), ("002.p/188", 188, 187, 699)]
)
def test_altered_entry_is_named(
    written: Path, signer: Ed25519Signer, bundle: str, count: int, position: int, entry: int
) -> None:
    replace_entry(written / "tile" / "entries" / bundle, count, position, b"forged")
    with pytest.raises(BadEntryError) as caught:
        verify(written, signer)
    assert (caught.value.index, caught.value.path) == (entry, f"tile/entries/{bundle}")
    with pytest.raises(IntegrityError, match=f"entry {entry} in tile/entries/{bundle}") as noticed:
        check(written, signer)
    assert noticed.value.fields["entry"] == entry


@pytest.mark.parametrize(("tile", "position"), [("0/000", 9), ("0/002.p/188", 0), ("1/000.p/2", 1)])
def test_altered_tile_is_named(written: Path, signer: Ed25519Signer, tile: str, position: int) -> None:
    flip(written / "tile" / tile, position * 32)
    with pytest.raises(BadTileError) as caught:
        verify(written, signer)
    assert (caught.value.path, caught.value.position) == (f"tile/{tile}", position)
    with pytest.raises(IntegrityError) as noticed:
        check(written, signer)
    assert noticed.value.fields["file"] == f"tile/{tile}"


def test_entry_rewritten_together_with_its_tile_is_told_from_the_tile_above(
    written: Path, signer: Ed25519Signer
) -> None:
    hashes = replace_entry(written / "tile" / "entries" / "001", 256, 3, b"forged")
    (written / "tile" / "0" / "001").write_bytes(b"".join(hashes))
    with pytest.raises(BadEntryError, match="rewritten together with its tile") as caught:
        verify(written, signer)
    assert caught.value.index == 256


def test_entry_rewritten_with_every_tile_no_longer_gives_the_signed_root(written: Path, signer: Ed25519Signer) -> None:
    hashes = replace_entry(written / "tile" / "entries" / "001", 256, 3, b"forged")
    (written / "tile" / "0" / "001").write_bytes(b"".join(hashes))
    above = written / "tile" / "1" / "000.p" / "2"
    above.write_bytes(above.read_bytes()[:32] + perfect_root(hashes))
    with pytest.raises(BadRootError, match="700 entries give"):
        verify(written, signer)


@pytest.mark.parametrize("cut", [1, 32, 5000])
def test_shortened_bundle_or_tile_is_named(written: Path, signer: Ed25519Signer, cut: int) -> None:
    bundle = written / "tile" / "entries" / "001"
    kept = bundle.read_bytes()
    bundle.write_bytes(kept[:-cut])
    with pytest.raises(BadEntryError, match="tile/entries/001"):
        verify(written, signer)
    bundle.write_bytes(kept)
    tile = written / "tile" / "0" / "001"
    tile.write_bytes(tile.read_bytes()[:-cut])
    with pytest.raises(BadTileError, match="tile/0/001"):
        verify(written, signer)


@pytest.mark.parametrize("path", ["checkpoint", "tile/entries/001", "tile/0/001", "tile/1/000.p/2"])
def test_missing_file_is_named(written: Path, signer: Ed25519Signer, path: str) -> None:
    (written / path).unlink()
    with pytest.raises(MissingFileError):
        verify(written, signer)
    with pytest.raises(IntegrityError, match="missing"):
        check(written, signer)


def test_checkpoint_signed_with_another_key_is_refused(written: Path, signer: Ed25519Signer) -> None:
    impostor = Ed25519Signer(signer.name, bytes(32))
    (written / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(signer.name, 1, leaf_hash(b"entry 0")), [impostor]))
    with pytest.raises(VerificationError, match=r"not signed by example\.org/log"):
        verify(written, signer)
    with pytest.raises(IntegrityError, match=r"not signed by example\.org/log"):
        check(written, signer)
    with pytest.raises(IntegrityError, match=r"not signed by example\.org/log"):
        FolderLog.open(written, signer=signer, origin=signer.name)


def test_altered_proof_material_is_refused_by_the_reader_of_one_entry(written: Path, signer: Ed25519Signer) -> None:
    fetcher = FolderFetcher(written)
    checkpoint = read_checkpoint(fetcher, Ed25519Verifier.from_vkey(signer.vkey))
    assert read_entry(fetcher, 3, checkpoint) == b"entry 3"
    flip(written / "tile" / "0" / "000", 200 * 32)
    with pytest.raises(VerificationError, match="root"):
        read_entry(fetcher, 3, checkpoint)
    with pytest.raises(VerificationError, match="root"):
        check_extends(fetcher, Checkpoint(signer.name, 300, bytes(32)), checkpoint)


def test_owner_serves_no_proof_and_no_entry_from_altered_files(written: Path, signer: Ed25519Signer) -> None:
    flip(written / "tile" / "0" / "000", 200 * 32)
    replace_entry(written / "tile" / "entries" / "001", 256, 3, b"forged")
    with pytest.raises(IntegrityError, match="do not give its root"):
        FolderLog.open(written, signer=signer, origin=signer.name)
    flip(written / "tile" / "0" / "000", 200 * 32)
    log = FolderLog.open(written, signer=signer, origin=signer.name)
    try:
        with pytest.raises(IntegrityError, match="entry 259"):
            log.leaf(256)
        flip(written / "tile" / "0" / "000", 200 * 32)
        log._reader._leaf_tiles.clear()
        with pytest.raises(IntegrityError, match="no proof for entry 3"):
            log.inclusion_proof(3, SIZE)
        with pytest.raises(IntegrityError, match="no proof from size 100"):
            log.consistency_proof(100, SIZE)
    finally:
        log.close()


def test_truncated_journal_that_lost_published_entries_is_refused(written: Path, signer: Ed25519Signer) -> None:
    last = max((written / "wal").glob("*.wal"))
    last.write_bytes(last.read_bytes()[:-10])
    with pytest.raises(IntegrityError, match="the checkpoint promises 700"):
        FolderLog.open(written, signer=signer, origin=signer.name)


def test_altered_journal_entry_is_refused_and_named(written: Path, signer: Ed25519Signer) -> None:
    last = max((written / "wal").glob("*.wal"))
    data = last.read_bytes()
    flip(last, data.index(b"entry 600"))
    with pytest.raises(IntegrityError, match="the group that begins with entry 600 is damaged") as caught:
        FolderLog.open(written, signer=signer, origin=signer.name)
    assert caught.value.fields["entry"] == 600
    with pytest.raises(IntegrityError, match="the group that begins with entry 600 is damaged"):
        check(written, signer)


def test_journal_with_a_group_taken_out_is_refused(
    open_log: Callable[[], FolderLog], folder: Path, signer: Ed25519Signer
) -> None:
    log = open_log()
    journal = folder / "wal" / f"{0:020d}.wal"
    ends = []
    for index in range(3):
        log.append([b"entry %d" % index])
        ends.append(journal.stat().st_size)
    log.close()
    data = journal.read_bytes()
    journal.write_bytes(data[: ends[0]] + data[ends[1] :])
    with pytest.raises(IntegrityError, match="entry 1 is damaged"):
        FolderLog.open(folder, signer=signer, origin=signer.name)


def test_missing_journal_is_refused(written: Path, signer: Ed25519Signer) -> None:
    shutil.rmtree(written / "wal")
    with pytest.raises(IntegrityError, match="no journal"):
        FolderLog.open(written, signer=signer, origin=signer.name)


def test_missing_checkpoint_of_a_log_with_entries_is_refused(written: Path, signer: Ed25519Signer) -> None:
    (written / "checkpoint").unlink()
    with pytest.raises(IntegrityError, match="700 entries but no checkpoint"):
        FolderLog.open(written, signer=signer, origin=signer.name)


def test_missing_segment_in_the_middle_is_refused(
    open_log: Callable[[], FolderLog], folder: Path, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "_SEGMENT_BYTES", 2_000)
    log = open_log()
    for first in range(0, SIZE, 50):
        log.append([b"entry %d" % index for index in range(first, first + 50)])
    log.close()
    segments = sorted((folder / "wal").glob("*.wal"))
    assert len(segments) >= 3
    kept = segments[1].read_bytes()
    segments[1].unlink()
    with pytest.raises(IntegrityError, match="does not continue"):
        FolderLog.open(folder, signer=signer, origin=signer.name)
    segments[1].write_bytes(kept[:-5])
    with pytest.raises(IntegrityError, match="damaged after entry"):
        FolderLog.open(folder, signer=signer, origin=signer.name)


def test_journal_that_differs_from_a_full_bundle_is_refused(
    open_log: Callable[[], FolderLog], folder: Path, signer: Ed25519Signer
) -> None:
    log = open_log()
    log.append([b"entry %d" % index for index in range(300)])
    log.publish_checkpoint()
    crash(log, folder)
    replace_entry(folder / "tile" / "entries" / "000", 256, 5, b"forged")
    with pytest.raises(IntegrityError, match="tile/entries/000"):
        FolderLog.open(folder, signer=signer, origin=signer.name)


def test_checkpoint_of_another_history_is_refused(
    open_log: Callable[[], FolderLog], folder: Path, signer: Ed25519Signer
) -> None:
    log = open_log()
    log.append([b"one", b"two"])
    log.publish_checkpoint()
    log.close()
    (folder / "checkpoint").write_bytes(sign_checkpoint(Checkpoint(signer.name, 1, leaf_hash(b"other")), [signer]))
    with pytest.raises(IntegrityError, match="do not give its root"):
        FolderLog.open(folder, signer=signer, origin=signer.name)
