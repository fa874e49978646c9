"""Files that readers may get and that no checkpoint needs now: checked like the others, and never written over."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import IntegrityError
from ledger.log.storage import FolderLog, check_folder
from ledger.log.storage import folder as folder_module
from ledger.log.storage import segments as segments_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.log.note import Ed25519Signer

SIZES = (10, 36)


class PowerCutError(Exception):
    """The process ends here."""


@pytest.fixture
def written(open_log: Callable[[], FolderLog], folder: Path) -> Path:
    """The folder of a closed log whose checkpoints of 10 and of 36 entries left partial files."""
    log = open_log()
    for first, last in zip((0, *SIZES), SIZES, strict=False):
        log.append([b"entry %d" % index for index in range(first, last)])
        log.publish_checkpoint()
    log.close()
    return folder


def alter(path: Path, position: int = -1) -> bytes:
    """Change one byte of a file, by default the last one, and return what it holds now."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    return bytes(data)


def reopened(folder: Path, signer: Ed25519Signer) -> FolderLog:
    return FolderLog.open(folder, signer=signer, origin=signer.name)


def publish(folder: Path, signer: Ed25519Signer) -> None:
    with contextlib.closing(reopened(folder, signer)) as log:
        log.publish_checkpoint()


@pytest.mark.parametrize("name", ["entries/000.p/36", "0/000.p/36"])
def test_opening_refuses_an_altered_partial_file_and_leaves_it(written: Path, signer: Ed25519Signer, name: str) -> None:
    path = written / "tile" / name
    altered = alter(path)
    with pytest.raises(IntegrityError, match=f"tile/{name}") as noticed:
        reopened(written, signer)
    assert noticed.value.fields["file"] == f"tile/{name}"
    assert path.read_bytes() == altered
    with pytest.raises(IntegrityError, match=f"tile/{name}"):
        list(check_folder(written, signer.vkey))


@pytest.mark.parametrize(
    ("name", "position", "entry"),
    [("entries/000.p/10", 2, 0), ("entries/000.p/10", -1, 9), ("0/000.p/10", -1, None), ("0/000.p/10", 0, None)],
)
def test_altered_partial_file_of_an_earlier_checkpoint_is_named(
    written: Path, signer: Ed25519Signer, name: str, position: int, entry: int | None
) -> None:
    alter(written / "tile" / name, position)
    with pytest.raises(IntegrityError) as noticed:
        list(check_folder(written, signer.vkey))
    assert noticed.value.fields["file"] == f"tile/{name}"
    assert noticed.value.fields.get("entry") == entry


@pytest.mark.parametrize("name", ["entries/000.p/10", "0/000.p/10"])
def test_cut_partial_file_of_an_earlier_checkpoint_is_named(written: Path, signer: Ed25519Signer, name: str) -> None:
    path = written / "tile" / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=f"tile/{name}"):
        list(check_folder(written, signer.vkey))


@pytest.mark.parametrize("name", ["entries/000.p/40", "0/000.p/40", "0/001", "1/000.p/1", "63/000", "entries/000"])
def test_file_of_entries_that_the_log_does_not_hold_is_named(written: Path, signer: Ed25519Signer, name: str) -> None:
    path = written / "tile" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(32))
    with pytest.raises(IntegrityError, match="entries that the log does not hold") as noticed:
        list(check_folder(written, signer.vkey))
    assert noticed.value.fields["file"] == f"tile/{name}"


@pytest.mark.parametrize("name", ["0/x000/000", "00/000", "entries/000.p/256", "0/000.p/0", "entries/000.p/036", "a"])
def test_file_that_no_log_has_is_named(written: Path, signer: Ed25519Signer, name: str) -> None:
    path = written / "tile" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(32))
    with pytest.raises(IntegrityError, match="no file of a log has this name") as noticed:
        list(check_folder(written, signer.vkey))
    assert noticed.value.fields["file"] == f"tile/{name}"


def test_folder_without_some_older_partial_files_agrees(written: Path, signer: Ed25519Signer) -> None:
    (written / "tile" / "0" / "000.p" / "10").unlink()
    (written / "tile" / "0" / "000.p" / ".36.tmp").write_bytes(b"half a ti")
    assert [progress.entries for progress in check_folder(written, signer.vkey)] == [0, 36]


def test_files_of_a_checkpoint_that_a_crash_kept_back_are_checked_with_the_journal(
    written: Path, signer: Ed25519Signer, tmp_path: Path
) -> None:
    stopped: list[str] = []

    def at_step(name: str) -> None:
        """Stop once, where the files have their names and the checkpoint has not."""
        if name == "folders synced" and (written / "tile/entries/000").exists() and not stopped:
            stopped.append(name)
            raise PowerCutError

    log = FolderLog.open(written, signer=signer, origin=signer.name, at_step=at_step)
    log.append([b"entry %d" % index for index in range(36, 600)])
    with pytest.raises(PowerCutError):
        log.publish_checkpoint()
    log.close()
    unpublished = ("entries/000", "0/001", "entries/002.p/88", "0/002.p/88", "1/000.p/2")
    assert all((written / "tile" / name).exists() for name in unpublished)
    assert [progress.entries for progress in check_folder(written, signer.vkey)] == [0, 36]
    for name in unpublished:
        copy = tmp_path / "copy"
        shutil.copytree(written, copy)
        path = copy / "tile" / name
        altered = alter(path)
        with pytest.raises(IntegrityError, match=f"tile/{name}"):
            list(check_folder(copy, signer.vkey))
        with pytest.raises(IntegrityError, match=f"tile/{name}"):
            publish(copy, signer)
        assert path.read_bytes() == altered
        shutil.rmtree(copy)
    publish(written, signer)
    assert [progress.entries for progress in check_folder(written, signer.vkey)] == [0, 256, 512, 600]


def test_full_files_beyond_the_checkpoint_and_the_journal_agree_with_each_other(
    open_log: Callable[[], FolderLog], folder: Path, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments_module, "_SEGMENT_BYTES", 2_000)
    monkeypatch.setattr(folder_module, "_EDGE_BYTES", 4_000)
    log = open_log()
    log.append([b"entry 0"])
    log.publish_checkpoint()
    for first in range(1, 1_000, 37):
        log.append([b"entry %d" % index for index in range(first, first + 37)])
    log.close()
    assert f"{0:020d}.wal" not in {path.name for path in (folder / "wal").glob("*.wal")}
    assert [progress.entries for progress in check_folder(folder, signer.vkey)] == [0, 1]
    alter(folder / "tile" / "entries" / "001")
    with pytest.raises(IntegrityError, match="tile/entries/001") as noticed:
        list(check_folder(folder, signer.vkey))
    assert noticed.value.fields["entry"] == 511
