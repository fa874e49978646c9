"""Reads batches: ``python -m ledger.workers.reading`` (see `ledger.bootstrap.reader_process`)."""

from __future__ import annotations

import contextlib
import resource
import sys
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.native.library import library
from ledger.native.lines import NativeLines
from ledger.service.batch_lines import PythonLines
from ledger.service.read_ahead import read_ahead
from ledger.workers.pipes import LENGTH, receive

if TYPE_CHECKING:
    from typing import BinaryIO

_MEMORY_BYTES: Final = 4 << 30


def serve(bodies: BinaryIO, answers: BinaryIO) -> None:
    """Read bodies until there are no more."""
    encoder = msgspec.msgpack.Encoder()
    take_apart = PythonLines.of if library() is None else NativeLines.of
    while (body := receive(bodies)) is not None:
        try:
            read = read_ahead(body, take_apart)
        except Exception:  # noqa: BLE001 - whatever a body provokes: the ledger reads it itself, and answers for it.
            read = None
        answer = encoder.encode(read) if read is not None else b""
        answers.write(LENGTH.pack(len(answer)))
        answers.write(answer)
        answers.flush()


def confine() -> None:
    """Give up what a parser needs not: no file or socket can be opened from here on, none written, no process made.

    What still can be reached is memory, of which there is a bound, and the pipes that are open.
    """
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        library()
        confine()
        serve(sys.stdin.buffer, sys.stdout.buffer)
