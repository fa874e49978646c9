"""When the next block is due, and what time it bears.

Block times are whole seconds that strictly increase. The next one may come when the clock is there, or, if the clock
went back, one second of real time after the last: the chain slows down, but it does not stop.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.chain.engine.config import EngineConfig

__all__ = ["BlockTimes"]

_log = structlog.get_logger(__name__)


class BlockTimes:
    """The clock as blocks see it. Only the sealer's thread asks it.

    Attributes:
        newest: The time of the newest block that is stored.
    """

    def __init__(self, config: EngineConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._mined_at = -math.inf
        self._clock_went_back = False
        self.newest = 0

    def has_mined(self) -> None:
        """Note that the node mined its newest block, or was brought to it, just now."""
        self._mined_at = time.monotonic()

    def wait_s(self, *, has_work: bool) -> float:
        """Return the seconds until a block is to be made: none or less if that is now, infinite if nothing is due."""
        now = self._clock()
        if has_work:
            due_in = 0.0
        elif self._config.heartbeat_s:
            due_in = self.newest + self._config.heartbeat_s - now
        else:
            return math.inf
        clock_in = self.newest + 1 - self._config.time_lead_max_s - now
        return max(due_in, min(clock_in, self._mined_at + 1.0 - time.monotonic()))

    def next(self) -> int:
        """Return the time that a block made now bears."""
        now = int(self._clock())
        went_back = now < self.newest - self._config.time_lead_max_s
        if went_back and not self._clock_went_back:
            _log.warning("clock_went_back", clock=now, newest_block=self.newest)
        self._clock_went_back = went_back
        return max(now, self.newest + 1)
