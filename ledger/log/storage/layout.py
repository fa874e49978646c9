"""Which files a log of one size has that a log of another has not, by path."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from ledger.log.tiles import TILE_HEIGHT, TILE_WIDTH, entries_path, right_edge, tile_path, tile_width

if TYPE_CHECKING:
    from collections.abc import Iterator


def full_tiles_between(before: int, after: int) -> Iterator[tuple[int, int]]:
    """Yield level and index of the tiles that are full at one size and not at a smaller one, lower levels first."""
    for level in count():
        last = after >> (TILE_HEIGHT * (level + 1))
        if not last:
            return
        for index in range(before >> (TILE_HEIGHT * (level + 1)), last):
            yield level, index


def full_paths_between(before: int, after: int) -> Iterator[str]:
    """Yield the paths of the tiles and bundles that are full at one size and not at a smaller one."""
    for level, index in full_tiles_between(before, after):
        if level == 0:
            yield entries_path(index)
        yield tile_path(level, index)


def partial_folders_between(before: int, after: int) -> Iterator[tuple[str, str]]:
    """Yield full path and folder of partial files of each tile and bundle that is full at one size and not before."""
    for path in full_paths_between(before, after):
        yield path, f"{path}.p"


def filled_folders(before: int, after: int) -> list[str]:
    """Return the folders of partial files of size ``before`` whose full files size ``after`` has."""
    folders = []
    for level, index, _ in right_edge(before):
        if tile_width(level, index, after) == TILE_WIDTH:
            folders.append(f"{tile_path(level, index)}.p")
            if level == 0:
                folders.append(f"{entries_path(index)}.p")
    return folders
