"""When a checkpoint and when an anchor is due: by what has come, not by a clock's tick.

A checkpoint is due as soon as an entry waits for one, but not sooner than the interval after the one before: the first
entry of an idle log is included at once, and a busy log makes two checkpoints a second. An idle log makes none.

An anchor is due once so many entries wait for one, or the oldest has waited so long. After a failure the next try comes
later and later, up to a minute, and at once when an anchor that was under way turns out to be final. Neither holds up
an append: both wait in threads of their own.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from ledger.service.frontiers import Frontiers, Sizes

_LOOK_S: Final = 1.0
"""How long a wait lasts at most: entries that nobody told of are seen then."""

_ANCHOR_SPACING_S: Final = 1.0
"""Between two anchors: block times are whole seconds and grow with each block, so more would outrun the clock."""

_RETRY_FIRST_S: Final = 1.0
_RETRY_MAX_S: Final = 60.0


class CheckpointPace:
    """A checkpoint for what waits, and at most one in each interval."""

    def __init__(
        self, frontiers: Frontiers, interval_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._frontiers = frontiers
        self._interval_s = interval_s
        self._monotonic = monotonic
        self._last = -interval_s

    def wait(self, stop: threading.Event, failures: int) -> bool:
        """Wait until an entry waits for a checkpoint, or a second has passed; see `Pace`."""
        pause = self._interval_s if failures else self._last + self._interval_s - self._monotonic()
        if pause > 0 and stop.wait(pause):
            return False
        self._frontiers.wait_until(lambda sizes: stop.is_set() or sizes.accepted.size > sizes.included.size, _LOOK_S)
        self._last = self._monotonic()
        return not stop.is_set()

    def wake(self) -> None:
        """Let `wait` look again."""
        self._frontiers.nudge()


class AnchorPace:
    """An anchor by the number of entries that wait and by the age of the oldest."""

    def __init__(self, frontiers: Frontiers, *, every_events: int, max_age_s: float) -> None:
        self._frontiers = frontiers
        self._every_events = every_events
        self._max_age_s = max_age_s

    def wait(self, stop: threading.Event, failures: int) -> bool:
        """Wait until an anchor is due; see `Pace`."""
        final = self._frontiers.sizes.final.size
        if failures:
            self._frontiers.wait_until(lambda sizes: stop.is_set() or sizes.final.size > final, retry_after_s(failures))
        elif stop.wait(min(_ANCHOR_SPACING_S, self._max_age_s)):
            return False
        while not (stop.is_set() or self._frontiers.is_closed):
            waiting_s = self._frontiers.waiting_s()
            sizes = self._frontiers.sizes
            if self._is_many(sizes) or (sizes.accepted.size > sizes.anchored.size and waiting_s >= self._max_age_s):
                return True
            left = max(0.0, self._max_age_s - waiting_s)
            self._frontiers.wait_until(lambda now: stop.is_set() or self._is_many(now), min(left, _LOOK_S))
        return False

    def wake(self) -> None:
        """Let `wait` look again."""
        self._frontiers.nudge()

    def _is_many(self, sizes: Sizes) -> bool:
        return sizes.accepted.size - sizes.anchored.size >= self._every_events


def retry_after_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row: 1 s, then twice as long each time, 60 s at most."""
    return min(_RETRY_FIRST_S * 2.0 ** min(failures - 1, 10), _RETRY_MAX_S)
