"""Batches read by processes of their own, so that one processor's worth of Python does not bound what is taken in.

The first body starts ``python -m ledger.workers.reading``, which is given bodies, each after its length; the answer is
a `ReadAhead` in MessagePack, or nothing. The process is given no key, can open no file or socket (`confine`), and ends
with its parent. While it is dead, or too slow, bodies are read by whoever has them.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Final

import msgspec

from ledger.bootstrap.child_process import ChildProcess
from ledger.native.leaves import NativeLeaves
from ledger.native.library import library
from ledger.service.leaf_making import PythonLeaves
from ledger.service.read_ahead import ReadAhead
from ledger.workers.pipes import LENGTH, receive

if TYPE_CHECKING:
    from ledger.service.leaf_making import LeafMaker

_ANSWERS_WITHIN_S: Final = 10.0
"""The largest body takes a second; whatever takes longer is read by whoever has it."""

_DECODER: Final = msgspec.msgpack.Decoder(ReadAhead)


class ReaderProcesses:
    """Implements `ledger.service.read_ahead.BatchReader` with some processes; a body waits for one that is free."""

    def __init__(self, count: int) -> None:
        """Read batches with ``count`` processes."""
        self._readers = [
            ChildProcess("ledger.workers.reading", answers_within_s=_ANSWERS_WITHIN_S) for _ in range(count)
        ]
        self._free: SimpleQueue[ChildProcess] = SimpleQueue()
        for reader in self._readers:
            self._free.put(reader)

    def read(self, body: bytes) -> ReadAhead | None:
        """Return what a body holds; None where it must be read by the caller."""

        def talk(questions: IO[bytes], answers: IO[bytes]) -> bytes | None:
            questions.write(LENGTH.pack(len(body)))
            questions.write(body)
            questions.flush()
            return receive(answers)

        reader = self._free.get()
        try:
            answer = reader.ask(talk)
        finally:
            self._free.put(reader)
        if not answer:
            return None
        try:
            read = _DECODER.decode(answer)
        except msgspec.MsgspecError:
            return None
        return read if read.is_whole() else None

    def close(self) -> None:
        """End the processes."""
        for reader in self._readers:
            reader.close()


def leaf_maker() -> LeafMaker:
    """Return what makes leaves of batches: compiled code where it is built."""
    loaded = library()
    return PythonLeaves() if loaded is None else NativeLeaves(loaded)
