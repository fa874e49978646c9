"""What runs by itself while the ledger is up: checkpoints within a second, anchors at intervals.

Each loop is a thread that calls one use-case, reports a failure and tries again at its next turn; a
failure never ends the loop, and a turn never runs beside another of the same loop.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import structlog

from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable

_LOG = structlog.get_logger("supervision")


class Loop:
    """Calls ``turn`` every ``interval_s`` seconds until closed."""

    def __init__(self, name: str, interval_s: float, turn: Callable[[], object]) -> None:
        self._name = name
        self._interval_s = interval_s
        self._turn = turn
        self._stop = threading.Event()
        self._failing = False
        self.last_error: str = ""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            try:
                self._turn()
            except LedgerError as error:
                # Said once for each run of failures: an engine that is down for an hour is one event.
                if not self._failing:
                    _LOG.warning("loop_failed", loop=self._name, code=error.code, reason=error.explain())
                self._failing, self.last_error = True, error.explain()
            except Exception as error:  # noqa: BLE001 - a supervisor outlives any fault, and reports it in full.
                _LOG.exception("loop_fault", loop=self._name)
                self._failing, self.last_error = True, type(error).__name__
            else:
                self._failing, self.last_error = False, ""

    def close(self) -> None:
        """Stop after the turn that is under way."""
        self._stop.set()
        self._thread.join()
