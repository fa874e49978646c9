"""The compiled library: where it is, and what it offers.

A library's name is a digest of the sources and of the processor that it was compiled for. So one that is older than the
sources, or was carried to another kind of machine, is not there; nothing is ever loaded that does not fit.
"""

from __future__ import annotations

import ctypes
import os
import platform
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
SOURCES: Final = tuple(sorted(FOLDER.glob("*.zig")))
OFF: Final = "QUANZE_NATIVE"
"""Set to 0 (or false, no, off) in the environment, nothing compiled is used."""


class Bytes(ctypes.Structure):
    """Some bytes that Python keeps."""

    _fields_ = (("start", c_char_p), ("length", c_size_t))

    @classmethod
    def of(cls, data: bytes) -> Bytes:
        """Point at bytes; the structure keeps them."""
        return cls(data, len(data))


class Event(ctypes.Structure):
    """Where an event's values stand (``line.zig``)."""

    _fields_ = (
        *(
            (name, c_uint32)
            for name in (
                "start", "correlation", "correlation_end", "id", "id_end", "time", "time_end", "prev", "prev_end",
                "seq", "seq_end", "size", "size_end", "source", "source_end", "end", "kind", "odd",
            )
        ),
        ("time_ms", c_uint64),
        ("seq_number", c_uint64),
    )  # fmt: skip


class Found(ctypes.Structure):
    """What a batch's lines hold (``scan.zig``)."""

    _fields_ = (("count", c_uint32), ("kinds", c_uint32), ("unusual", c_uint32), ("latest_ms", c_uint64))


class Exchange(ctypes.Structure):
    """What events of a kind share (``commit.zig``)."""

    _fields_ = (("before_time", Bytes), ("after_time", Bytes), ("is_provider", c_uint32))


class Template(ctypes.Structure):
    """What events share that are bound alike (``bind.zig``)."""

    _fields_ = tuple((name, Bytes) for name in ("before_id", "after_id", "after_prev", "after_seq", "receipt_end"))


class Plan(ctypes.Structure):
    """What leaves and receipts of a batch are made of (``bind.zig``)."""

    _fields_ = (
        ("count", c_uint32),
        ("templates", c_uint32),
        ("first_index", c_uint64),
        ("first_seq", c_uint64),
        ("leaf_seq", c_uint64),
        ("template", POINTER(Template)),
        ("kind_of", c_char_p),
        ("salts", c_char_p),
        ("others", c_char_p),
        ("digests", c_char_p),
        ("first_prev", c_char_p),
        ("prev_leaf", c_char_p),
        ("ids", Bytes),
        ("id_ends", c_char_p),
        ("correlations", Bytes),
        ("correlation_ends", c_char_p),
        ("leaf_before", Bytes),
        ("leaf_after", Bytes),
        ("receipt_shared", Bytes),
    )


def within(buffer: bytearray) -> ctypes.Array[ctypes.c_char]:
    """Return a buffer as compiled code writes into it."""
    return (ctypes.c_char * len(buffer)).from_buffer(buffer)


def path() -> Path:
    """Return where the library for these sources and this processor is, once it is built."""
    digest = sha256()
    for source in SOURCES:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    digest.update(_processor().encode())
    return FOLDER / f"libquanze-{digest.hexdigest()[:16]}.so"


@cache
def library() -> ctypes.CDLL | None:
    """Return the library, None where it is not built, does not load, or is switched off."""
    if os.environ.get(OFF, "").lower() in {"0", "false", "no", "off"}:
        return None
    try:
        loaded = ctypes.CDLL(str(path()))
    except OSError:
        return None
    loaded.qz_scan.argtypes = [
        c_char_p, c_size_t, c_void_p, c_void_p, c_void_p, c_void_p, c_size_t, c_void_p, c_size_t, POINTER(Found),
    ]  # fmt: skip
    loaded.qz_scan.restype = c_int
    loaded.qz_root.argtypes = [c_void_p, c_size_t, c_void_p]
    loaded.qz_root.restype = None
    loaded.qz_commit.argtypes = [
        c_char_p, c_size_t, c_void_p, c_size_t, c_void_p, c_size_t, Bytes, c_char_p,
        c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_size_t,
    ]  # fmt: skip
    loaded.qz_commit.restype = None
    loaded.qz_bind.argtypes = [POINTER(Plan), c_void_p, c_size_t, c_void_p, c_void_p, c_size_t, c_void_p]
    loaded.qz_bind.restype = None
    loaded.qz_bundle.argtypes = [c_char_p, c_size_t, c_void_p, c_void_p]
    loaded.qz_bundle.restype = c_int
    return loaded


def _processor() -> str:
    """Name the kind of processor: code for one need not run on another."""
    told = platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"{told} {platform.system()} {platform.processor()}"
    return " ".join([told, *sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})])
