"""Compares every file of a log's folder that readers may get with the tree, also those that no checkpoint needs now.

A checkpoint needs its full files and the partial ones of its own width. Beside them there may lie partial files of
other widths (of earlier checkpoints, or of one that a crash kept from being published) and full files beyond the
checkpoint (written when much waited for it). Readers get them all, so all must hold what the tree holds.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.errors import BadEntryError, BadTileError, MissingFileError
from ledger.log.storage.journal import read_segment, segment_paths
from ledger.log.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    TileReader,
    decode_bundle,
    decode_tile,
    entries_path,
    tile_path,
    tile_width,
)
from ledger.log.tree import leaf_hash, perfect_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.log.ports import Fetcher
    from ledger.log.storage.journal import Segment

_FOLDER: Final = "tile"
_NAME: Final = re.compile(r"tile/(entries|[0-9]+)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?", re.ASCII)
_CACHED_TILES: Final = 16


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the folder, as its name says."""

    path: str
    level: int
    index: int
    width: int
    is_bundle: bool


def read_segments(folder: Path) -> list[Segment]:
    """Return the journal as it is, also while its owner begins segments and removes others.

    Raises:
        IntegrityError: a segment was damaged after it was written.
    """
    while True:
        try:
            return [read_segment(path) for path in segment_paths(folder)]
        except FileNotFoundError:  # Its entries are in full tiles by now, or in the segment after it.
            continue


def check_leftovers(root: Path, fetcher: Fetcher, size: int) -> None:
    """Return if every file under ``tile/`` holds what the tree holds, once those of ``size`` have been checked.

    Raises:
        BadEntryError: the first entry of a bundle that is another than the tree's.
        BadTileError: the first hash of a tile that is another than the tree's.
        IntegrityError: a file with a name that no file of the log has, or of entries that the log does not hold, or a
            damaged journal.
    """
    # First the files, then the journal: what a running owner wrote to a file is in the journal before.
    files = [file for file in _files(root) if not _is_checked(file, size)]
    tree = _Tree(fetcher, size, read_segments(root / "wal") if files else ())
    for file in files:
        try:
            data = fetcher.read(file.path)
        except MissingFileError:  # A running owner removes partial files once the full ones are there.
            continue
        expected = tree.hashes(file.level, file.index, file.width)
        if expected is None:
            raise IntegrityError(file.path, "it is of entries that the log does not hold", file=file.path)
        if file.is_bundle:
            _check_bundle(file, data, expected)
        else:
            _check_tile(file, data, expected)


def _files(root: Path) -> Iterator[_File]:
    """Yield the files under ``tile/`` by path; one whose name begins with a dot was written aside, for no reader."""
    names = [
        (Path(folder) / name).relative_to(root).as_posix()
        for folder, _, found in os.walk(root / _FOLDER, followlinks=True)
        for name in found
        if not name.startswith(".")
    ]
    for path in sorted(names):
        file = _parse(path)
        if file is None:
            raise IntegrityError(path, "no file of a log has this name", file=path)
        yield file


def _parse(path: str) -> _File | None:
    match = _NAME.fullmatch(path)
    if match is None:
        return None
    kind, number, partial = match.groups()
    is_bundle = kind == "entries"
    level, index = 0 if is_bundle else int(kind), int(re.sub("[x/]", "", number))
    width = TILE_WIDTH if partial is None else int(partial)
    if not 1 <= width <= TILE_WIDTH:
        return None
    own = entries_path(index, width) if is_bundle else tile_path(level, index, width)
    return _File(path, level, index, width, is_bundle) if own == path else None


def _is_checked(file: _File, size: int) -> bool:
    """Say whether the file is a full one that the checkpoint of ``size`` needs."""
    return file.width == TILE_WIDTH == tile_width(file.level, file.index, size)


def _check_bundle(file: _File, data: bytes, expected: Sequence[bytes]) -> None:
    first = file.index * TILE_WIDTH
    try:
        entries = decode_bundle(data, file.width)
    except VerificationError as error:
        raise BadEntryError(first, file.path, error.reason) from error
    for position, entry in enumerate(entries):
        if (ours := leaf_hash(entry)) != expected[position]:
            reason = f"its hash is {ours.hex()}, the tree has {expected[position].hex()}"
            raise BadEntryError(first + position, file.path, reason)


def _check_tile(file: _File, data: bytes, expected: Sequence[bytes]) -> None:
    try:
        hashes = decode_tile(data, file.width)
    except VerificationError as error:
        raise BadTileError(file.path, 0, error.reason) from error
    for position, found in enumerate(hashes):
        if found != expected[position]:
            raise BadTileError(file.path, position, f"{found.hex()}, the tree has {expected[position].hex()}")


class _Tree:
    """The tree's hashes: under the checkpoint from the tiles that were checked, beyond it from the journal.

    Entries beyond it that no segment holds any more are in full tiles, which then say themselves what is in them: the
    bundles and the tiles above must agree with those of level 0.
    """

    def __init__(self, fetcher: Fetcher, size: int, journal: Sequence[Segment]) -> None:
        self._fetcher = fetcher
        self._size = size
        self._tiles = TileReader(fetcher, size)
        self._waiting = {
            index: leaf_hash(entry)
            for segment in journal
            for index, entry in enumerate(segment.entries, segment.first)
            if index >= size
        }
        self._full: OrderedDict[tuple[int, int], list[bytes] | None] = OrderedDict()

    def hashes(self, level: int, index: int, width: int) -> list[bytes] | None:
        """Return the first ``width`` hashes of a tile, or None if the log has not that many."""
        found = []
        for node in range(index * TILE_WIDTH, index * TILE_WIDTH + width):
            value = self._node(level, node)
            if value is None:
                return None
            found.append(value)
        return found

    def _node(self, level: int, node: int) -> bytes | None:
        if (node + 1) << (TILE_HEIGHT * level) <= self._size:
            return self._tiles.node(TILE_HEIGHT * level, node)
        if level > 0:
            under = self._cached(level - 1, node)
            return None if under is None else perfect_root(under)
        value = self._waiting.get(node)
        if value is not None:
            return value
        tile, position = divmod(node, TILE_WIDTH)
        return None if (full := self._cached(-1, tile)) is None else full[position]

    def _cached(self, level: int, index: int) -> list[bytes] | None:
        """Return a tile's 256 hashes; of level -1, those that the file of level 0 says."""
        key = (level, index)
        if key not in self._full:
            self._full[key] = self._said(index) if level < 0 else self.hashes(level, index, TILE_WIDTH)
            if len(self._full) > _CACHED_TILES:
                self._full.popitem(last=False)
        return self._full[key]

    def _said(self, index: int) -> list[bytes] | None:
        try:
            return decode_tile(self._fetcher.read(tile_path(0, index)), TILE_WIDTH)
        except (MissingFileError, VerificationError):
            return None
