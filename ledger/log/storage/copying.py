"""A copy of a log's folder that opens as the log it was at one moment, made while the log goes on.

``hold`` copies the little that changes: the checkpoint and the journal, for which nothing may be appended. The full
tiles and bundles before that moment never change, so ``copy_full`` takes its time. Files after it are not copied: a
log that is opened from the copy writes its own there.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from ledger.domain.errors import IntegrityError
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import parse_note
from ledger.log.storage.journal import read_segment, segment_paths
from ledger.log.tiles import CHECKPOINT_PATH, TILE_HEIGHT, TILE_WIDTH, entries_path, right_edge, tile_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_JOURNAL = "wal"


def hold(source: Path, target: Path) -> None:
    """Copy checkpoint and journal into a new folder. Nothing is appended meanwhile; a checkpoint may be published.

    The checkpoint comes first: the journal covers every checkpoint that was published before it was read.
    """
    target.mkdir(mode=0o700)
    if (source / CHECKPOINT_PATH).exists():
        shutil.copy2(source / CHECKPOINT_PATH, target / CHECKPOINT_PATH)
        _copy_edge(source, target, parse_checkpoint(parse_note((target / CHECKPOINT_PATH).read_bytes()).text).size)
    while True:
        (target / _JOURNAL).mkdir(mode=0o700)
        try:
            for path in segment_paths(source / _JOURNAL):
                shutil.copy2(path, target / _JOURNAL / path.name)
        except FileNotFoundError:  # Its entries are in full tiles by now: begin again with what is left.
            shutil.rmtree(target / _JOURNAL)
            continue
        return


def _copy_edge(source: Path, target: Path, size: int) -> None:
    """Copy the partial files of a checkpoint, as far as they are there: opening writes those that are missing."""
    for level, index, width in right_edge(size):
        for path in [tile_path(level, index, width)] + ([entries_path(index, width)] if level == 0 else []):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                shutil.copy2(source / path, target / path)


def copy_full(source: Path, target: Path, size: int, *, is_elsewhere: bool = False) -> None:
    """Copy the full tiles and bundles of the first ``size`` entries beside what ``hold`` copied.

    Args:
        source: the log's folder.
        target: the copy's.
        size: the size at the moment of ``hold``.
        is_elsewhere: full files are also kept in a store of their own, and may be missing in the folder.

    Raises:
        IntegrityError: one is neither there nor held by the copied journal.
    """
    journal = segment_paths(target / _JOURNAL)
    held = read_segment(journal[0]).first if journal else 0
    for path, last in full_paths(size):
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(source / path, copy)
        except FileNotFoundError as error:
            if last <= held and not is_elsewhere:
                raise IntegrityError("log", "a full file is missing", file=path) from error


def full_paths(size: int) -> Iterator[tuple[str, int]]:
    """Yield the path of each full tile and bundle of a log of ``size`` entries, and the entry after its last."""
    for index in range(size >> TILE_HEIGHT):
        yield entries_path(index), (index + 1) * TILE_WIDTH
    level = 0
    while full := size >> (TILE_HEIGHT * (level + 1)):
        for index in range(full):
            yield tile_path(level, index), (index + 1) << (TILE_HEIGHT * (level + 1))
        level += 1
