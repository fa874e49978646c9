"""The journal holds what is in no full tile, and little more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger.log.storage import FolderLog
from ledger.log.storage import folder as folder_module
from ledger.log.storage import segments as segments_module
from tests.log.conftest import numbered

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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
