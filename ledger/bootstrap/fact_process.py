"""Facts indexed in a process of their own, so that taking events in never waits for Python's lock.

`FactProcess` starts ``python -m ledger.workers.facts`` once the index is far behind and gives it orders, a line each:
from which leaf, up to which mark. The process reads the events' files, which are durable up to there, and
commits rows and mark together; it is of low priority, holds no lock of the home, and ends with its parent. When it
dies, or refuses, the parent does the work itself: the mark in the index says where.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import msgspec
import structlog

from ledger.workers.facts import DONE, Order

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.service.following import LeafMark


_REST_S: Final = 5.0
"""A process that gave up is started again after so long."""


class FactProcess:
    """Implements `ledger.service.indexing.FactWriter`."""

    def __init__(self, index: Path, events: Path) -> None:
        """Write into ``index`` what the files in ``events`` hold; nothing is started before the first order."""
        self._command = [sys.executable, "-m", "ledger.workers.facts", str(index), str(events)]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._again_at = 0.0

    def add(self, first: int, reached: LeafMark) -> bool:
        """Write the facts from a leaf up to a mark, and say whether that was done."""
        with self._lock:
            if self._is_closed or time.monotonic() < self._again_at:
                return False
            try:
                process = self._process = self._process or self._start()
                assert process.stdin is not None  # noqa: S101 - both are pipes of ours
                assert process.stdout is not None  # noqa: S101
                process.stdin.write(msgspec.json.encode(Order(first, reached.leaves, reached.last)) + b"\n")
                process.stdin.flush()
                answer = process.stdout.readline()
            except OSError as error:
                answer = str(error).encode()
            if answer == DONE:
                return True
            self._again_at = time.monotonic() + _REST_S
            structlog.get_logger("index").warning("fact_process_gave_up", reason=answer.decode(errors="replace"))
            self._end()
            return False

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._is_closed = True
            self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def _end(self) -> None:
        if self._process is None:
            return
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()
        self._process = None
