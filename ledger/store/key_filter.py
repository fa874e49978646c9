"""Which keys are surely not held: one look in memory in place of a search in every file of keys.

A Bloom filter of 64-bit blocks: a key is four bits of one word. Keys are hashes already, so their own bits choose. Two
keys that differ in the last bit alone are one key here, since they are always asked for together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Keys = NDArray[np.uint64]

_BITS_A_KEY: Final = 16
_CHOOSING_BITS: Final = 6 * 4
_LEAST_KEYS: Final = 1 << 18
_PIECE: Final = 1 << 16
_ONE: Final = np.uint64(1)
_LOW: Final = np.uint64(63)


class KeyFilter:
    """Of at most ``room`` keys some half in a hundred others pass; with more keys more of them do."""

    __slots__ = ("_count", "_words", "room")

    def __init__(self, parts: Iterable[Keys] = (), *, count: int = 0) -> None:
        """Hold the keys of some parts, ``count`` in all, with room for half as many again."""
        self.room = max(_LEAST_KEYS, count + count // 2)
        self._words = np.zeros(self.room * _BITS_A_KEY // 64, np.uint64)
        self._count = 0
        for part in parts:
            self.add(part)

    def add(self, keys: Keys) -> None:
        """Hold keys. Others may ask meanwhile: bits are only set, so what was held stays held."""
        for start in range(0, len(keys), _PIECE):
            places, bits = self._chosen(keys[start : start + _PIECE])
            np.bitwise_or.at(self._words, places, bits)
        self._count += len(keys)

    def is_full(self) -> bool:
        """Say whether a larger one should take its place."""
        return self._count > self.room

    def passing(self, keys: Keys) -> Keys:
        """Return the keys that may be held; of the others none is."""
        places, bits = self._chosen(keys)
        passing: Keys = keys[self._words[places] & bits == bits]
        return passing

    def _chosen(self, keys: Keys) -> tuple[NDArray[np.intp], Keys]:
        """Return for each key its word and the bits in it."""
        halves = keys >> _ONE
        bits = np.zeros(len(keys), np.uint64)
        for shift in range(0, _CHOOSING_BITS, 6):
            bits |= _ONE << (halves >> np.uint64(shift) & _LOW)
        places = (halves >> np.uint64(_CHOOSING_BITS)) % np.uint64(len(self._words))
        return places.astype(np.intp), bits
