"""A checkpoint's partial files are there as long as someone may read them, and go after that."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import structlog

from ledger.log.storage import FolderLog
from tests.log.conftest import numbered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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
