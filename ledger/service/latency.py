"""How long entries take from one state to another, in bounded memory: what is kept is exact to one part in twenty.

`Passage` counts entries, not batches: who sends a thousand at once waits as a thousand. `Quantiles` holds the last five
to ten minutes; sums and counts are since the start.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections import deque
from typing import Final

_FIRST_S: Final = 0.001
_GROWTH: Final = 1.05
_BUCKETS: Final = 430
"""Buckets grow by a twentieth each, from a millisecond to some fifteen days."""

_WINDOW_S: Final = 300.0
_MARKS_MAX: Final = 1 << 15
_HISTORY_MAX: Final = 1 << 16


class Quantiles:
    """A histogram with geometric buckets over the last one to two windows of five minutes."""

    def __init__(self) -> None:
        self._now = [0] * _BUCKETS
        self._before = [0] * _BUCKETS
        self._began: float | None = None

    def add(self, seconds: float, count: int, now: float) -> None:
        """Count so many entries that took so long."""
        self._turn(now)
        place = 0 if seconds <= _FIRST_S else math.ceil(math.log(seconds / _FIRST_S) / math.log(_GROWTH))
        self._now[min(place, _BUCKETS - 1)] += count

    def at(self, share: float, now: float) -> float | None:
        """Return within how many seconds a share of the entries passed; None for no entries.

        The answer is the upper end of its bucket: it overstates by up to a twentieth, and never understates.
        """
        self._turn(now)
        counts = [first + second for first, second in zip(self._now, self._before, strict=True)]
        wanted = share * sum(counts)
        if not wanted:
            return None
        seen = 0
        for place, count in enumerate(counts):
            seen += count
            if seen >= wanted:
                return float(_FIRST_S * _GROWTH**place)
        raise AssertionError("a share is at most 1")

    def _turn(self, now: float) -> None:
        if self._began is None:
            self._began = now
        passed = int((now - self._began) / _WINDOW_S)
        if passed <= 0:
            return
        self._before = self._now if passed == 1 else [0] * _BUCKETS
        self._now = [0] * _BUCKETS
        self._began += passed * _WINDOW_S


class Passage:
    """Times from one state to another: marks of the log's sizes that left the first and have not arrived."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, float]] = deque()
        self._left = 0
        self._arrived = 0
        self.count = 0
        self.sum_s = 0.0
        self._quantiles = Quantiles()

    @property
    def oldest(self) -> float | None:
        """When the oldest entry on its way left, None where none is."""
        return self._marks[0][1] if self._marks else None

    @property
    def waiting(self) -> int:
        """How many entries are on their way."""
        return max(0, self._left - self._arrived)

    def resume(self, *, left: int, arrived: int, now: float) -> None:
        """Begin where an earlier process ended; what is on its way counts as having left now."""
        self._left, self._arrived = left, arrived
        self._marks = deque([(left, now)] if left > arrived else [])

    def leave(self, size: int, now: float) -> None:
        """Take that all entries before ``size`` have reached the first state."""
        if size <= self._left:
            return
        self._left = size
        self._marks.append((size, now))
        if len(self._marks) > _MARKS_MAX:
            self._thin()

    def arrive(self, size: int, now: float) -> None:
        """Take that all entries before ``size``, which have left the first state, have reached the second."""
        while self._marks and self._arrived < size:
            end, left_at = self._marks[0]
            self._count(min(end, size) - self._arrived, max(0.0, now - left_at), now)
            self._arrived = min(end, size)
            if end <= size:
                self._marks.popleft()
        self._arrived = max(self._arrived, size)

    def quantile(self, share: float, now: float) -> float | None:
        """Return within how many seconds a share of the last minutes' entries passed; None for no entries."""
        return self._quantiles.at(share, now)

    def _count(self, count: int, seconds: float, now: float) -> None:
        self.count += count
        self.sum_s += count * seconds
        self._quantiles.add(seconds, count, now)

    def _thin(self) -> None:
        """Join every two marks; the later entries count as having left with the earlier ones."""
        marks = list(self._marks)
        joined = [(marks[place + 1][0], marks[place][1]) for place in range(0, len(marks) - 1, 2)]
        self._marks = deque(joined if len(marks) % 2 == 0 else [*joined, marks[-1]])


class History:
    """When sizes were reached: the newest ones, by the entries that they cover."""

    def __init__(self) -> None:
        self._since = 0
        self._sizes = array("q")
        self._times = array("q")

    def resume(self, size: int) -> None:
        """Begin where an earlier process ended: when sizes up to this one were reached is not known."""
        self._since = size

    def add(self, size: int, at_ms: int) -> None:
        """Take a size that is larger than the one before."""
        self._sizes.append(size)
        self._times.append(at_ms)
        if len(self._sizes) > _HISTORY_MAX:
            self._since = self._sizes[_HISTORY_MAX // 2 - 1]
            del self._sizes[: _HISTORY_MAX // 2]
            del self._times[: _HISTORY_MAX // 2]

    def at(self, index: int) -> int:
        """Return when the first size over an entry was reached; 0 where that is not known, or not yet so."""
        place = bisect_right(self._sizes, index)
        return 0 if index < self._since or place == len(self._sizes) else self._times[place]
