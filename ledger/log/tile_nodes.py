"""The nodes of a tree that are under one full tile, worked out once and as far up as they are asked for.

They are kept as bytes, 32 for a node: a tile with all its inner nodes takes 16 kB, not the 40 kB of so many objects.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from ledger.domain.errors import VerificationError
from ledger.log.tiles import TILE_WIDTH
from ledger.log.tree import HASH_SIZE_BYTES

_TILE_BYTES: Final = TILE_WIDTH * HASH_SIZE_BYTES
_PAIR_BYTES: Final = 2 * HASH_SIZE_BYTES
_NODE: Final = sha256(b"\x01")
"""What each inner node's hash begins with; a copy of it costs less than to begin again."""


class TileNodes:
    """The hashes in a full tile and those of the inner nodes above them, up to the tile's root. Thread-safe."""

    __slots__ = ("_levels",)

    def __init__(self, data: bytes) -> None:
        """Take a full tile's bytes; nothing is hashed yet.

        Raises:
            VerificationError: the tile has another length.
        """
        if len(data) != _TILE_BYTES:
            raise VerificationError(step="tile", reason=f"the tile has {len(data)} bytes, not {_TILE_BYTES}")
        self._levels: tuple[bytes, ...] = (data,)

    @property
    def hashes(self) -> bytes:
        """The tile's own hashes, one after the other."""
        return self._levels[0]

    def node(self, height: int, index: int) -> bytes:
        """Return the hash of the node ``height`` levels above the tile's hashes (0 to 8)."""
        levels = self._levels
        if height >= len(levels):
            while height >= len(levels):
                levels = (*levels, _above(levels[-1]))
            self._levels = levels  # Whole or not at all: two threads may both work it out, to the same.
        first = index * HASH_SIZE_BYTES
        return levels[height][first : first + HASH_SIZE_BYTES]


def _above(level: bytes) -> bytes:
    """Return the hashes of the level above."""
    hashes = []
    for first in range(0, len(level), _PAIR_BYTES):
        node = _NODE.copy()
        node.update(level[first : first + _PAIR_BYTES])
        hashes.append(node.digest())
    return b"".join(hashes)
