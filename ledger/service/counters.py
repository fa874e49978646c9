"""Counts of what happened since the start, for metrics: a name, its labels, a number that only grows."""

from __future__ import annotations

import threading
from collections import Counter


class Counters:
    """Named counts. Any thread may add; labels are few and their values a closed set, so that memory is bounded."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    def add(self, name: str, count: int = 1, **labels: str) -> None:
        """Count something."""
        with self._lock:
            self._counts[name, tuple(sorted(labels.items()))] += count

    def all(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], int]:
        """Return every count by its name and labels."""
        with self._lock:
            return dict(self._counts)
