"""Nodes and entries of a log in a folder: from the edge in memory or from full tiles, with a bounded cache."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.errors import MissingFileError
from ledger.log.tiles import TILE_HEIGHT, TILE_WIDTH, decode_bundle, decode_tile, entries_path, place, tile_path
from ledger.log.tree import HashList, leaf_hash

if TYPE_CHECKING:
    from threading import Lock

    from ledger.log.ports import Fetcher
    from ledger.log.storage.edge import Edge

_CACHED_TILES = 256
"""A cached tile with its inner nodes takes some 40 kB, so the cache stays near 10 MB."""

_CACHED_BUNDLES = 16


class LogReader:
    """A NodeReader over a growing log; one tile read for a node. Thread-safe."""

    __slots__ = ("_bundles", "_edge", "_fetcher", "_lock", "_tiles")

    def __init__(self, fetcher: Fetcher, edge: Edge, lock: Lock) -> None:
        """Read what ``edge`` (guarded by ``lock``) does not hold through ``fetcher``."""
        self._fetcher = fetcher
        self._edge = edge
        self._lock = lock
        self._tiles: OrderedDict[tuple[int, int], HashList] = OrderedDict()
        self._bundles: OrderedDict[int, list[bytes]] = OrderedDict()

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a perfect subtree.

        Raises:
            IntegrityError: the tile that holds it is missing or has another length.
        """
        with self._lock:
            value = self._edge.node(level, index)
        if value is not None:
            return value
        tile_level, tile, first, _ = place(level, index)
        height = level % TILE_HEIGHT
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
            entries = decode_bundle(self._fetcher.read(path), TILE_WIDTH)
        except MissingFileError as error:
            raise IntegrityError(path, "a full bundle of the log is missing") from error
        except VerificationError as error:
            raise IntegrityError(path, error.reason) from error
        tile = self._tile(0, index)
        for position, entry in enumerate(entries):
            if leaf_hash(entry) != tile.node(0, position):
                number = index * TILE_WIDTH + position
                raise IntegrityError(path, f"entry {number} is not the one in {tile_path(0, index)}", entry=number)
        with self._lock:
            self._bundles[index] = entries
            if len(self._bundles) > _CACHED_BUNDLES:
                self._bundles.popitem(last=False)
        return entries

    def _tile(self, level: int, index: int) -> HashList:
        key = (level, index)
        with self._lock:
            found = self._tiles.get(key)
            if found is not None:
                self._tiles.move_to_end(key)
                return found
        path = tile_path(level, index)
        try:
            tile = HashList(decode_tile(self._fetcher.read(path), TILE_WIDTH))
        except MissingFileError as error:
            raise IntegrityError(path, "a full tile of the log is missing") from error
        except VerificationError as error:
            raise IntegrityError(path, error.reason) from error
        with self._lock:
            self._tiles[key] = tile
            if len(self._tiles) > _CACHED_TILES:
                self._tiles.popitem(last=False)
        return tile
