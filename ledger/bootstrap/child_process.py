"""A program beside this one, spoken to over its pipes: started when first asked, and again some time after it died."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Final, TypeVar

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

REST_S: Final = 5.0
"""A process that died is started again after so long."""

_PIPE_BYTES: Final = 1 << 20


class ChildProcess:
    """One process of a module of ours. Threads may share it: they take turns."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Run ``python -m module arguments``; nothing is started before the first question."""
        self._module = module
        self._command = [sys.executable, "-m", module, *arguments]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False
        self._again_at = 0.0

    def ask(self, talk: Callable[[IO[bytes], IO[bytes]], T | None]) -> T | None:
        """Return what ``talk`` does with the process's input and output; None where no process answers.

        Where ``talk`` returns None or the pipes break, the process is ended, and rests.
        """
        with self._lock:
            if self._is_closed or time.monotonic() < self._again_at:
                return None
            try:
                process = self._process = self._process or self._start()
                assert process.stdin is not None  # noqa: S101 - both are pipes of ours
                assert process.stdout is not None  # noqa: S101
                answer = talk(process.stdin, process.stdout)
            except OSError:
                answer = None
            if answer is None:
                self._again_at = time.monotonic() + REST_S
                structlog.get_logger("processes").warning("process_gave_up", module=self._module, again_in_s=REST_S)
                self._end()
            return answer

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
