"""Batches read by a process of their own, so that one processor's worth of Python does not bound what is taken in.

`ReaderProcess` starts ``python -m ledger.workers.reading`` with the first body and gives it bodies, each after
its length; the answer is a `ReadAhead` in MessagePack, or nothing. The process has no key, no file and no socket but
its pipes, and ends with its parent. While it is dead, bodies are read by whoever has them.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from ledger.service.read_ahead import ReadAhead
from ledger.workers.pipes import LENGTH, receive

if TYPE_CHECKING:
    from ledger.domain.typed_data import Domain

_PIPE_BYTES: Final = 1 << 20
_REST_S: Final = 5.0
"""A process that died is started again after so long."""


class ReaderProcesses:
    """Implements `ledger.service.read_ahead.BatchReader` with some processes; a body waits for one that is free."""

    def __init__(self, domain: Domain, count: int) -> None:
        """Read batches that are signed in a domain with ``count`` processes."""
        self._readers = [ReaderProcess(domain) for _ in range(count)]
        self._free: SimpleQueue[ReaderProcess] = SimpleQueue()
        for reader in self._readers:
            self._free.put(reader)

    def read(self, body: bytes) -> ReadAhead | None:
        """Return what a body holds; None where it must be read by the caller."""
        reader = self._free.get()
        try:
            return reader.read(body)
        finally:
            self._free.put(reader)

    def close(self) -> None:
        """End the processes."""
        for reader in self._readers:
            reader.close()


class ReaderProcess:
    """One process that reads bodies, one after another."""

    def __init__(self, domain: Domain) -> None:
        """Read batches that are signed in a domain; nothing is started before the first body."""
        self._command = [
            sys.executable,
            "-m",
            "ledger.workers.reading",
            str(domain.chain_id),
            domain.verifying_contract.hex(),
        ]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._again_at = 0.0
        self._decoder = msgspec.msgpack.Decoder(ReadAhead)

    def read(self, body: bytes) -> ReadAhead | None:
        """Return what a body holds; None where it must be read by the caller."""
        with self._lock:
            if self._is_closed or time.monotonic() < self._again_at:
                return None
            try:
                process = self._process = self._process or self._start()
                assert process.stdin is not None  # noqa: S101 - both are pipes of ours
                assert process.stdout is not None  # noqa: S101
                process.stdin.write(LENGTH.pack(len(body)))
                process.stdin.write(body)
                process.stdin.flush()
                answer = receive(process.stdout)
            except OSError:
                answer = None
            if answer is None:
                self._again_at = time.monotonic() + _REST_S
                structlog.get_logger("reader").warning("reader_process_died", again_in_s=_REST_S)
                self._end()
                return None
        return self._decoder.decode(answer) if answer else None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._is_closed = True
            self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=_PIPE_BYTES,
        )

    def _end(self) -> None:
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()
        self._process = None
