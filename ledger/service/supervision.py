"""What runs by itself while the ledger is up: checkpoints as entries come, anchors by size and age.

Each loop is a thread that calls one use-case, reports a failure and tries again at its next turn; a
failure never ends the loop, and a turn never runs beside another of the same loop.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import structlog

from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG = structlog.get_logger("supervision")


class Pace(Protocol):
    """When a loop's next turn is due."""

    def wait(self, stop: threading.Event, failures: int) -> bool:
        """Wait for the next turn, and return False once ``stop`` is set.

        Args:
            stop: Set when the loop ends; `wake` is called after that.
            failures: How many turns have failed since the last good one.
        """
        ...

    def wake(self) -> None:
        """Let `wait` look at ``stop`` again."""
        ...


class Every:
    """A turn every so many seconds."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s

    def wait(self, stop: threading.Event, failures: int) -> bool:  # noqa: ARG002 - a failure changes nothing here.
        """Wait for the interval."""
        return not stop.wait(self._interval_s)

    def wake(self) -> None:
        """Do nothing: the event itself is waited for."""


class Loop:
    """Calls ``turn`` at a pace (a number is seconds between turns) until closed."""

    def __init__(self, name: str, pace: Pace | float, turn: Callable[[], object]) -> None:
        self._name = name
        self._pace = Every(pace) if isinstance(pace, int | float) else pace
        self._turn = turn
        self._stop = threading.Event()
        self._failures = 0
        self.last_error: str = ""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._pace.wait(self._stop, self._failures):
            try:
                self._turn()
            except LedgerError as error:
                # Said once for each run of failures: an engine that is down for an hour is one event.
                if not self._failures:
                    _LOG.warning("loop_failed", loop=self._name, code=error.code, reason=error.explain())
                self._failures, self.last_error = self._failures + 1, error.explain()
            except Exception as error:  # noqa: BLE001 - a supervisor outlives any fault, and reports it in full.
                _LOG.exception("loop_fault", loop=self._name)
                self._failures, self.last_error = self._failures + 1, type(error).__name__
            else:
                self._failures, self.last_error = 0, ""

    def close(self) -> None:
        """Stop after the turn that is under way."""
        self._stop.set()
        self._pace.wake()
        self._thread.join()
