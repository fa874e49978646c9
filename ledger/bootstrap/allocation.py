"""How the C library keeps memory for the ledger's threads.

By itself it keeps a heap for each thread, and each grows to the most that its thread ever had in buffers of some 100
KB to some MB, which every batch needs. With two heaps they share that; buffers that are needed again at once are
neither given back to the system nor zeroed anew, and what nobody uses is given back every other second.
"""

from __future__ import annotations

import contextlib
import ctypes
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8

_HEAPS: Final = 2
_OWN_MAPPING_BYTES: Final = 4 << 20
_KEPT_FREE_BYTES: Final = 16 << 20


def share_heaps() -> None:
    """Let all threads share two heaps, where the C library is glibc; elsewhere nothing is changed."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_ARENA_MAX, _HEAPS)
    mallopt(_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)
    mallopt(_TRIM_THRESHOLD, _KEPT_FREE_BYTES)


def give_back() -> None:
    """Give the system back what the heaps hold and nobody uses, where the C library is glibc."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
