"""Nodes and entries of a log in a folder: from the edge in memory or from full tiles, with bounded caches.

A proof costs a few files at any size, and the hashing of the nodes that lie beside its path in each. What is above
the leaves' own tiles is asked for again and again, and there is little of it: a tile of level 1 stands for 65,536
entries. So such tiles have a cache of their own, which the many tiles of leaves do not empty.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.errors import MissingFileError
from ledger.log.tile_nodes import TileNodes
from ledger.log.tiles import TILE_HEIGHT, TILE_WIDTH, bundle_hashes, decode_bundle, entries_path, place, tile_path

if TYPE_CHECKING:
    from threading import Lock

    from ledger.log.ports import Fetcher
    from ledger.log.storage.edge import Edge

_CACHED_LEAF_TILES: Final = 256
_CACHED_UPPER_TILES: Final = 384
"""All tiles above the leaves of 25 million entries. A tile with its inner nodes takes 16 kB: both caches, 10 MB."""

_CACHED_EDGE_NODES: Final = 4096
"""Of the edge's tiles, which are partial: a node of theirs never changes, and hashing it would hold the log's lock."""

_CACHED_BUNDLES: Final = 16


class LogReader:
    """A NodeReader over a growing log; one tile read for a node. Thread-safe."""

    __slots__ = ("_bundles", "_edge", "_edge_nodes", "_fetcher", "_leaf_tiles", "_lock", "_upper_tiles")

    def __init__(self, fetcher: Fetcher, edge: Edge, lock: Lock) -> None:
        """Read what ``edge`` (guarded by ``lock``) does not hold through ``fetcher``."""
        self._fetcher = fetcher
        self._edge = edge
        self._lock = lock
        self._leaf_tiles: OrderedDict[tuple[int, int], TileNodes] = OrderedDict()
        self._upper_tiles: OrderedDict[tuple[int, int], TileNodes] = OrderedDict()
        self._edge_nodes: dict[tuple[int, int], bytes] = {}
        self._bundles: OrderedDict[int, list[bytes]] = OrderedDict()

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a perfect subtree.

        Raises:
            IntegrityError: the tile that holds it is missing or has another length.
        """
        key = (level, index)
        if (known := self._edge_nodes.get(key)) is not None:
            return known
        height = level % TILE_HEIGHT
        with self._lock:
            value = self._edge.node(level, index)
            if value is not None and height:
                self._edge_nodes[key] = value
                if len(self._edge_nodes) > _CACHED_EDGE_NODES:
                    del self._edge_nodes[next(iter(self._edge_nodes))]
        if value is not None:
            return value
        tile_level, tile, first, _ = place(level, index)
        return self._tile(tile_level, tile).node(height, first >> height)

    def entry(self, index: int) -> bytes:
        """Return an entry.

        Raises:
            IntegrityError: its bundle is missing or altered.
        """
        with self._lock:
            if index >= self._edge.first:
                return self._edge.entry(index)
        bundle, position = divmod(index, TILE_WIDTH)
        return self.bundle(bundle)[position]

    def bundle(self, index: int) -> list[bytes]:
        """Return the entries of a full bundle on disk, compared with their tile.

        Raises:
            IntegrityError: the bundle is missing, or an entry in it is not the one that was hashed.
        """
        with self._lock:
            found = self._bundles.get(index)
        if found is not None:
            return found
        path = entries_path(index)
        try:
            data = self._fetcher.read(path)
            entries, hashes = decode_bundle(data, TILE_WIDTH), bundle_hashes(data, TILE_WIDTH)
        except MissingFileError as error:
            raise IntegrityError(path, "a full bundle of the log is missing") from error
        except VerificationError as error:
            raise IntegrityError(path, error.reason) from error
        tile = self._tile(0, index)
        if b"".join(hashes) != tile.hashes:
            position = next(place for place, found in enumerate(hashes) if found != tile.node(0, place))
            number = index * TILE_WIDTH + position
            raise IntegrityError(path, f"entry {number} is not the one in {tile_path(0, index)}", entry=number)
        with self._lock:
            self._bundles[index] = entries
            if len(self._bundles) > _CACHED_BUNDLES:
                self._bundles.popitem(last=False)
        return entries

    def _tile(self, level: int, index: int) -> TileNodes:
        key = (level, index)
        tiles, room = (self._upper_tiles, _CACHED_UPPER_TILES) if level else (self._leaf_tiles, _CACHED_LEAF_TILES)
        with self._lock:
            found = tiles.get(key)
            if found is not None:
                tiles.move_to_end(key)
                return found
        path = tile_path(level, index)
        try:
            tile = TileNodes(self._fetcher.read(path))
        except MissingFileError as error:
            raise IntegrityError(path, "a full tile of the log is missing") from error
        except VerificationError as error:
            raise IntegrityError(path, error.reason) from error
        with self._lock:
            tiles[key] = tile
            if len(tiles) > room:
                tiles.popitem(last=False)
        return tile
