"""The growing right edge of the tree: the entries and hashes that are not yet in full tiles on disk.

Level L holds the hashes of nodes of tree level 8·L, from the first tile that is not written on. When a tile's
256th hash arrives, its root goes to the level above. Everything before the edge is in full tiles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.log.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    encode_bundle,
    entries_path,
    peaks_of_tile,
    place,
    right_edge,
    tile_path,
    tile_width,
)
from ledger.log.tree import fold, perfect_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class EdgeState:
    """The edge at one size: what to write so that a checkpoint of that size can be published."""

    size: int
    root: bytes
    starts: tuple[int, ...]
    levels: tuple[tuple[bytes, ...], ...]
    entries: tuple[bytes, ...]

    def full_files(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and bytes of each full bundle and tile, lower levels first."""
        for start in range(0, len(self.entries) - TILE_WIDTH + 1, TILE_WIDTH):
            index = (self.starts[0] + start) // TILE_WIDTH
            yield entries_path(index), encode_bundle(self.entries[start : start + TILE_WIDTH])
        for level, hashes in enumerate(self.levels):
            for start in range(0, len(hashes) - TILE_WIDTH + 1, TILE_WIDTH):
                index = (self.starts[level] + start) // TILE_WIDTH
                yield tile_path(level, index), b"".join(hashes[start : start + TILE_WIDTH])

    def partial_files(self, size: int) -> Iterator[tuple[str, bytes]]:
        """Yield path and bytes of the partial bundle and tiles of ``size`` (at most the edge's own size).

        Files before the edge are full on disk and are left out.
        """
        for level, index, width in right_edge(size):
            start = index * TILE_WIDTH - self.starts[level] if level < len(self.starts) else -1
            if start < 0:
                continue
            if level == 0:
                yield entries_path(index, width), encode_bundle(self.entries[start : start + width])
            yield tile_path(level, index, width), b"".join(self.levels[level][start : start + width])


class Edge:
    """The part of the tree that is in memory. Not thread-safe: the owner holds a lock."""

    __slots__ = ("_entries", "_levels", "_starts", "size")

    def __init__(self, size: int, upper: Sequence[Sequence[bytes]]) -> None:
        """Begin at ``size``, a multiple of 256; ``upper[i]`` holds the hashes of level i + 1's partial tile."""
        self.size = size
        self._entries: list[bytes] = []
        self._levels: list[list[bytes]] = [[], *(list(hashes) for hashes in upper)]
        self._starts = [
            (size >> (TILE_HEIGHT * level)) // TILE_WIDTH * TILE_WIDTH for level in range(len(self._levels))
        ]

    @property
    def first(self) -> int:
        """The index of the first entry in memory."""
        return self._starts[0]

    @property
    def held_entries(self) -> int:
        """How many entries are in memory."""
        return len(self._entries)

    def add(self, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Take durable entries with their leaf hashes."""
        self._entries += entries
        self._extend(0, hashes)
        self.size += len(entries)

    def entry(self, index: int) -> bytes:
        """Return an entry that is in memory."""
        return self._entries[index - self._starts[0]]

    def entries_from(self, first: int) -> list[bytes]:
        """Return the entries from an index in memory on."""
        return self._entries[first - self._starts[0] :]

    def node(self, level: int, index: int) -> bytes | None:
        """Return the hash of a perfect subtree, or None if it is in full tiles on disk."""
        tile_level, tile, first, last = place(level, index)
        start = tile * TILE_WIDTH - self._starts[tile_level] if tile_level < len(self._starts) else 0
        if start < 0:
            return None
        return perfect_root(self._levels[tile_level][start + first : start + last])

    def state(self) -> EdgeState:
        """Return the edge as it is now, for writing it out."""
        peaks: list[bytes] = []
        for hashes in reversed(self._levels):
            peaks += peaks_of_tile(hashes[len(hashes) // TILE_WIDTH * TILE_WIDTH :])
        return EdgeState(
            self.size,
            fold(peaks),
            tuple(self._starts),
            tuple(tuple(hashes) for hashes in self._levels),
            tuple(self._entries),
        )

    def forget(self, state: EdgeState) -> None:
        """Drop the full tiles and bundles of a state that is now on disk."""
        for level, hashes in enumerate(state.levels):
            end = state.starts[level] + len(hashes) // TILE_WIDTH * TILE_WIDTH
            dropped = end - self._starts[level]
            if dropped <= 0:
                continue
            del self._levels[level][:dropped]
            if level == 0:
                del self._entries[:dropped]
            self._starts[level] = end

    def _extend(self, level: int, hashes: Sequence[bytes]) -> None:
        if level == len(self._levels):
            self._levels.append([])
            self._starts.append(0)
        row = self._levels[level]
        first_open = len(row) // TILE_WIDTH
        row += hashes
        full = [
            perfect_root(row[tile * TILE_WIDTH : (tile + 1) * TILE_WIDTH])
            for tile in range(first_open, len(row) // TILE_WIDTH)
        ]
        if full:
            self._extend(level + 1, full)


def filled_folders(before: int, after: int) -> list[str]:
    """Return the folders of partial files of size ``before`` whose full files size ``after`` has."""
    folders = []
    for level, index, _ in right_edge(before):
        if tile_width(level, index, after) == TILE_WIDTH:
            folders.append(f"{tile_path(level, index)}.p")
            if level == 0:
                folders.append(f"{entries_path(index)}.p")
    return folders
