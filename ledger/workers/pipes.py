"""Pieces of bytes on a pipe, each after its length."""

from __future__ import annotations

import struct
from typing import IO, Final

LENGTH: Final = struct.Struct(">I")


def receive(pipe: IO[bytes]) -> bytes | None:
    """Return the next piece of a pipe, None at its end."""
    length = pipe.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    (wanted,) = LENGTH.unpack(length)
    piece = pipe.read(wanted)
    return piece if len(piece) == wanted else None
