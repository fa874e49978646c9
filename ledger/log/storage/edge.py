"""The growing right edge of the tree: the entries and hashes that are not yet in full tiles on disk.

Level L holds the hashes of nodes of tree level 8·L. A tile that has its 256th hash is kept whole until it is on disk,
and its root goes to the level above; so a state of the edge shares the full tiles and copies no more than one partial
tile of each level, however much waits. Everything before the edge is in full tiles.

Tiles and bundles are held as the bytes that are published. Entries come as such bytes, and are sliced, not looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.log.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    decode_bundle,
    decode_tile,
    entries_path,
    peaks_of_tile,
    place,
    right_edge,
    tile_path,
)
from ledger.log.tree import HASH_SIZE_BYTES, fold, perfect_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ledger.log.encoded import EncodedEntries

    Tile = tuple[int, int]
    """A tile's level and index."""

    TileRoot = Callable[[bytes], bytes]
    """Gives the root over the 256 hashes of a full tile, which are given one after another."""

_TILE_BYTES = TILE_WIDTH * HASH_SIZE_BYTES


@dataclass(frozen=True, slots=True)
class EdgeState:
    """The edge at one moment, for writing it out: its size, root, and the tiles and bundles that it holds."""

    size: int
    root: bytes
    full: Mapping[Tile, bytes]
    bundles: Mapping[int, bytes]
    partial: Mapping[Tile, bytes]
    last_bundle: bytes

    def full_files(self) -> Iterator[tuple[str, bytes]]:
        """Yield path and bytes of each full bundle and tile, lower levels first."""
        for index, bundle in self.bundles.items():
            yield entries_path(index), bundle
        for (level, index), hashes in sorted(self.full.items()):
            yield tile_path(level, index), hashes

    def partial_files(self, size: int) -> Iterator[tuple[str, bytes]]:
        """Yield path and bytes of the partial bundle and tiles of ``size`` (at most the edge's own size).

        Files before the edge are full on disk and are left out.
        """
        for level, index, width in right_edge(size):
            hashes = self.full.get((level, index)) or self.partial.get((level, index))
            if hashes is None:
                continue
            if level == 0:
                yield entries_path(index, width), _first_entries(self.bundles.get(index, self.last_bundle), width)
            yield tile_path(level, index, width), hashes[: width * HASH_SIZE_BYTES]


def tile_root(hashes: bytes) -> bytes:
    """Return the root over a full tile's hashes."""
    return perfect_root(_split(hashes))


class Edge:
    """The part of the tree that is in memory. Not thread-safe: the owner holds a lock."""

    __slots__ = ("_bundles", "_decoded", "_first", "_full", "_last_bundle", "_numbers", "_partial", "_root_of", "size")

    def __init__(self, size: int, upper: Sequence[Sequence[bytes]], root_of: TileRoot = tile_root) -> None:
        """Begin at ``size``, a multiple of 256; ``upper[i]`` holds the hashes of level i + 1's partial tile."""
        self.size = size
        self._first = size
        self._root_of = root_of
        self._full: dict[Tile, bytes] = {}
        self._bundles: dict[int, bytes] = {}
        self._partial: list[bytearray] = [bytearray(), *(bytearray(b"".join(hashes)) for hashes in upper)]
        self._numbers = [(size >> (TILE_HEIGHT * level)) // TILE_WIDTH for level in range(len(self._partial))]
        self._last_bundle = bytearray()
        self._decoded: tuple[int, list[bytes]] = (-1, [])

    @property
    def first(self) -> int:
        """The index of the first entry in memory."""
        return self._first

    @property
    def held_entries(self) -> int:
        """How many entries are in memory."""
        return self.size - self._first

    def add(self, entries: EncodedEntries) -> None:
        """Take durable entries."""
        position = 0
        while position < entries.count:
            following = min(position + TILE_WIDTH - self.size % TILE_WIDTH, entries.count)
            self._last_bundle += entries.payload_of(position, following)
            self._partial[0] += entries.hashes_of(position, following)
            self.size += following - position
            if self.size % TILE_WIDTH == 0:
                self._bundles[self._numbers[0]] = bytes(self._last_bundle)
                self._last_bundle = bytearray()
                self._fill(0)
            position = following

    def entry(self, index: int) -> bytes:
        """Return an entry that is in memory."""
        bundle, position = divmod(index, TILE_WIDTH)
        # The bundle that was read last is kept apart, so that who reads one entry after another finds it so.
        number, entries = self._decoded
        if number != bundle or position >= len(entries):
            held = self._bundles.get(bundle)
            if held is None:
                entries = decode_bundle(bytes(self._last_bundle), self.size % TILE_WIDTH)
            else:
                entries = decode_bundle(held, TILE_WIDTH)
            self._decoded = bundle, entries
        return entries[position]

    def last_bundle(self) -> tuple[bytes, int]:
        """Return the entries that are in no full bundle, in memory or on disk, as bundle's bytes; and their number."""
        return bytes(self._last_bundle), self.size % TILE_WIDTH

    def node(self, level: int, index: int) -> bytes | None:
        """Return the hash of a perfect subtree, or None if it is in full tiles on disk."""
        tile_level, tile, first, last = place(level, index)
        hashes: bytes | bytearray | None = self._full.get((tile_level, tile))
        if hashes is None:
            if tile_level < len(self._numbers) and tile < self._numbers[tile_level]:
                return None
            hashes = self._partial[tile_level]
        return perfect_root(_split(hashes[first * HASH_SIZE_BYTES : last * HASH_SIZE_BYTES]))

    def state(self) -> EdgeState:
        """Return the edge as it is now, for writing it out."""
        peaks: list[bytes] = []
        for hashes in reversed(self._partial):
            peaks += peaks_of_tile(_split(hashes))
        return EdgeState(
            self.size,
            fold(peaks),
            self._full.copy(),
            self._bundles.copy(),
            {(level, self._numbers[level]): bytes(hashes) for level, hashes in enumerate(self._partial)},
            bytes(self._last_bundle),
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
        hashes = bytes(self._partial[level])
        self._full[level, self._numbers[level]] = hashes
        self._numbers[level] += 1
        self._partial[level] = bytearray()
        if level + 1 == len(self._partial):
            self._partial.append(bytearray())
            self._numbers.append(0)
        self._partial[level + 1] += self._root_of(hashes)
        if len(self._partial[level + 1]) == _TILE_BYTES:
            self._fill(level + 1)


def _split(hashes: bytes | bytearray) -> list[bytes]:
    return decode_tile(bytes(hashes), len(hashes) // HASH_SIZE_BYTES)


def _first_entries(bundle: bytes, count: int) -> bytes:
    """Return the bytes of a bundle's first entries."""
    end = 0
    for _ in range(count):
        end += 2 + int.from_bytes(bundle[end : end + 2], "big")
    return bundle[:end]
