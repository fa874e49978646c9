"""The growing right edge of the tree: the entries and hashes that are not yet in full tiles on disk.

Level L holds the hashes of nodes of tree level 8·L. A tile that has its 256th hash is kept whole until it is on disk,
and its root goes to the level above; so a state of the edge shares the full tiles and copies no more than one partial
tile of each level, however much waits. Everything before the edge is in full tiles.
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
)
from ledger.log.tree import fold, perfect_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Tile = tuple[int, int]
    """A tile's level and index."""


@dataclass(frozen=True, slots=True)
class EdgeState:
    """The edge at one moment, for writing it out: its size, root, and the tiles and bundles that it holds."""

    size: int
    root: bytes
    full: Mapping[Tile, Sequence[bytes]]
    bundles: Mapping[int, Sequence[bytes]]
    partial: Mapping[Tile, Sequence[bytes]]
    last_entries: Sequence[bytes]

    def full_files(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and bytes of each full bundle and tile, lower levels first."""
        for index, entries in self.bundles.items():
            yield entries_path(index), encode_bundle(entries)
        for (level, index), hashes in sorted(self.full.items()):
            yield tile_path(level, index), b"".join(hashes)

    def partial_files(self, size: int) -> Iterator[tuple[str, bytes]]:
        """Yield path and bytes of the partial bundle and tiles of ``size`` (at most the edge's own size).

        Files before the edge are full on disk and are left out.
        """
        for level, index, width in right_edge(size):
            hashes = self.full.get((level, index)) or self.partial.get((level, index))
            if hashes is None:
                continue
            if level == 0:
                entries = self.bundles.get(index, self.last_entries)
                yield entries_path(index, width), encode_bundle(entries[:width])
            yield tile_path(level, index, width), b"".join(hashes[:width])


class Edge:
    """The part of the tree that is in memory. Not thread-safe: the owner holds a lock."""

    __slots__ = ("_bundles", "_first", "_full", "_last_entries", "_numbers", "_partial", "size")

    def __init__(self, size: int, upper: Sequence[Sequence[bytes]]) -> None:
        """Begin at ``size``, a multiple of 256; ``upper[i]`` holds the hashes of level i + 1's partial tile."""
        self.size = size
        self._first = size
        self._full: dict[Tile, list[bytes]] = {}
        self._bundles: dict[int, list[bytes]] = {}
        self._partial: list[list[bytes]] = [[], *(list(hashes) for hashes in upper)]
        self._numbers = [(size >> (TILE_HEIGHT * level)) // TILE_WIDTH for level in range(len(self._partial))]
        self._last_entries: list[bytes] = []

    @property
    def first(self) -> int:
        """The index of the first entry in memory."""
        return self._first

    @property
    def held_entries(self) -> int:
        """How many entries are in memory."""
        return self.size - self._first

    def add(self, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Take durable entries with their leaf hashes."""
        position = 0
        while position < len(entries):
            following = position + TILE_WIDTH - len(self._last_entries)
            self._last_entries += entries[position:following]
            self._partial[0] += hashes[position:following]
            if len(self._last_entries) == TILE_WIDTH:
                self._bundles[self._numbers[0]] = self._last_entries
                self._last_entries = []
                self._fill(0)
            position = following
        self.size += len(entries)

    def entry(self, index: int) -> bytes:
        """Return an entry that is in memory."""
        bundle, position = divmod(index, TILE_WIDTH)
        return self._bundles.get(bundle, self._last_entries)[position]

    def last_entries(self) -> list[bytes]:
        """Return the entries that are in no full bundle, in memory or on disk."""
        return self._last_entries.copy()

    def node(self, level: int, index: int) -> bytes | None:
        """Return the hash of a perfect subtree, or None if it is in full tiles on disk."""
        tile_level, tile, first, last = place(level, index)
        hashes = self._full.get((tile_level, tile))
        if hashes is None:
            if tile_level < len(self._numbers) and tile < self._numbers[tile_level]:
                return None
            hashes = self._partial[tile_level]
        return perfect_root(hashes[first:last])

    def state(self) -> EdgeState:
        """Return the edge as it is now, for writing it out."""
        peaks: list[bytes] = []
        for hashes in reversed(self._partial):
            peaks += peaks_of_tile(hashes)
        return EdgeState(
            self.size,
            fold(peaks),
            self._full.copy(),
            self._bundles.copy(),
            {(level, self._numbers[level]): tuple(hashes) for level, hashes in enumerate(self._partial)},
            tuple(self._last_entries),
        )

    def forget(self, state: EdgeState) -> None:
        """Drop the full tiles and bundles of a state that is now on disk."""
        for tile in state.full:
            self._full.pop(tile, None)
        for index in state.bundles:
            self._bundles.pop(index, None)
        self._first = max(self._first, state.size // TILE_WIDTH * TILE_WIDTH)

    def _fill(self, level: int) -> None:
        """Put the full tile of a level aside, and its root on the level above."""
        hashes = self._partial[level]
        self._full[level, self._numbers[level]] = hashes
        self._numbers[level] += 1
        self._partial[level] = []
        if level + 1 == len(self._partial):
            self._partial.append([])
            self._numbers.append(0)
        self._partial[level + 1].append(perfect_root(hashes))
        if len(self._partial[level + 1]) == TILE_WIDTH:
            self._fill(level + 1)
