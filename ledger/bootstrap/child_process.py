"""A program beside this one, spoken to over its pipes: started when first asked, and again some time after it died."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from typing import IO, TYPE_CHECKING, Final, TypeVar

import structlog

from ledger.native.library import OFF

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

REST_S: Final = 5.0
"""A process that died is started again after so long."""
_END_S: Final = 1.0
"""A process that was told to end, or is asked something while this one ends, has so long."""
_PATIENCE_S: Final = 1.0
"""How often it is looked whether an answer is overdue."""

_PIPE_BYTES: Final = 1 << 20

_NEEDED: Final = frozenset({"PATH", "HOME", "LANG", "TMPDIR", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH", OFF})


class ChildProcess:
    """One process of a module of ours. Threads may share it: they take turns."""

    def __init__(self, module: str, *arguments: str, answers_within_s: float | None = None) -> None:
        """Run ``python -m module arguments``; nothing is started before the first question.

        Args:
            module: The module.
            arguments: Its arguments.
            answers_within_s: A process that takes longer over an answer is killed; the question has none then.
        """
        self._module = module
        self._command = [sys.executable, "-m", module, *arguments]
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = threading.Event()
        self._again_at = 0.0
        self._limit_s = answers_within_s
        self._due: float | None = None
        self._watch: threading.Thread | None = None

    def ask(self, talk: Callable[[IO[bytes], IO[bytes]], T | None]) -> T | None:
        """Return what ``talk`` does with the process's input and output; None where no process answers.

        Where ``talk`` returns None or the pipes break, the process is ended, and rests.
        """
        with self._lock:
            if self._is_closed.is_set() or time.monotonic() < self._again_at:
                return None
            self._due = None if self._limit_s is None else time.monotonic() + self._limit_s
            try:
                process = self._process = self._process or self._start()
                assert process.stdin is not None  # noqa: S101 - both are pipes of ours
                assert process.stdout is not None  # noqa: S101
                answer = talk(process.stdin, process.stdout)
            except (OSError, ValueError):  # It was killed, and its pipes are closed.
                answer = None
            finally:
                self._due = None
            if answer is None:
                self._again_at = time.monotonic() + REST_S
                structlog.get_logger("processes").warning("process_gave_up", module=self._module, again_in_s=REST_S)
                self._end()
            return answer

    def close(self) -> None:
        """End the process, which need not finish its answer."""
        self._is_closed.set()
        process = self._process
        if self._lock.acquire(timeout=_END_S):
            self._lock.release()
        elif process is not None:
            process.kill()
        with self._lock:
            self._end()
        if self._watch is not None:
            self._watch.join()

    def _start(self) -> subprocess.Popen[bytes]:
        if self._limit_s is not None and self._watch is None:
            self._watch = threading.Thread(target=self._kill_overdue, name="overdue", daemon=True)
            self._watch.start()
        return subprocess.Popen(
            self._command,
            env=_environment(),
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
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _kill_overdue(self) -> None:
        """Kill the process whenever its answer is overdue, so that whoever waits for it goes on."""
        while not self._is_closed.wait(_PATIENCE_S):
            due, process = self._due, self._process
            if due is not None and process is not None and time.monotonic() > due:
                process.kill()


def _environment() -> dict[str, str]:
    """Return what a process of ours needs to start: no settings, which name files, and nobody's keys."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _NEEDED or name.startswith(("PYTHON", "LC_", "COVERAGE"))
    }
