"""Pure functions of a chain's bytes, whose results are kept for a while.

Evidence of many events under one agreement shows the same blocks, acts and signatures in each file. Reading them anew
is most of what a file costs, made or verified; and what a function of the bytes alone gave, it gives again. Nothing is
kept of bytes that are long, nor of a call that raised: hostile files must not fill the memory.
"""

from __future__ import annotations

from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_KEPT: Final = 1024
_KEPT_BYTES: Final = 4096
"""Of arguments; with its result such a call takes up to some 20 kB; most take 2 kB."""

_Found = TypeVar("_Found")
_Key = TypeVar("_Key", bound="Hashable")


def keep(function: Callable[[bytes], _Found]) -> Callable[[bytes], _Found]:
    """Return a function of bytes that keeps results, which nobody may change."""
    kept = lru_cache(_KEPT)(function)

    @wraps(function)
    def call(data: bytes) -> _Found:
        return kept(data) if len(data) <= _KEPT_BYTES else function(data)

    return call


def keep_of(function: Callable[[_Key, bytes], _Found]) -> Callable[[_Key, bytes], _Found]:
    """Return a function of a short key and of bytes that keeps results, which nobody may change."""
    kept = lru_cache(_KEPT)(function)

    @wraps(function)
    def call(key: _Key, data: bytes) -> _Found:
        return kept(key, data) if len(data) <= _KEPT_BYTES else function(key, data)

    return call
