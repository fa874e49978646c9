"""How many requests of one kind are worked on at once: those that anyone may ask and that cost much."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from ledger.domain.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Places:
    """A number of places; who finds none free is told to come again, for waiting would hold a thread as well."""

    def __init__(self, what: str, count: int) -> None:
        self._what = what
        self._count = count
        self._free = threading.BoundedSemaphore(count)

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Hold a place.

        Raises:
            UnavailableError: All are taken.
        """
        if not self._free.acquire(blocking=False):
            raise UnavailableError(self._what, f"{self._count} requests are at work on it, which is the most at once")
        try:
            yield
        finally:
            self._free.release()
