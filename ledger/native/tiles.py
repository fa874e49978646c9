"""Hashing full bundles and tiles by compiled code; what it answers is compared with what a log's key signed."""

from __future__ import annotations

import ctypes
from typing import Final

from ledger.domain.errors import VerificationError
from ledger.log.tiles import TILE_WIDTH
from ledger.log.tree import HASH_SIZE_BYTES

_TILE_BYTES: Final = TILE_WIDTH * HASH_SIZE_BYTES


class NativeTiles:
    """`ledger.log.client.hash_bundle` and `ledger.log.tree.perfect_root` of a full tile."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def hash_bundle(self, data: bytes) -> tuple[bytes, bytes]:
        """Return the leaf hashes of a full bundle, one after another, and their root.

        Raises:
            VerificationError: the bytes do not hold exactly 256 entries.
        """
        hashes = ctypes.create_string_buffer(_TILE_BYTES)
        root = ctypes.create_string_buffer(HASH_SIZE_BYTES)
        if self._library.qz_bundle(data, len(data), hashes, root):
            raise VerificationError(step="tiles", reason=f"the bundle does not hold exactly {TILE_WIDTH} entries")
        return hashes.raw, root.raw

    def tile_root(self, hashes: bytes) -> bytes:
        """Return the root over a full tile's hashes."""
        if len(hashes) != _TILE_BYTES:
            raise ValueError(len(hashes))
        nodes = ctypes.create_string_buffer(hashes, _TILE_BYTES)
        root = ctypes.create_string_buffer(HASH_SIZE_BYTES)
        self._library.qz_root(nodes, TILE_WIDTH, root)
        return root.raw
