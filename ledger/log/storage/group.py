"""Group commit: callers that wait at the same time share one write and one sync.

The first caller leads: it takes all that waits (up to a bound), commits it, wakes those callers, and hands the lead
to the next one in the queue. There is no thread of its own, so a lone caller pays no hand-over.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import Condition, Event
from typing import TYPE_CHECKING

from ledger.domain.errors import LedgerError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.log.encoded import EncodedEntries

MAX_GROUP_BYTES = 16 << 20
"""A group takes in no further request beyond this: it bounds the memory of a commit and the wait for it."""


@dataclass(slots=True, eq=False)
class Request:
    """One caller's entries, encoded and hashed by the caller's own thread."""

    entries: Sequence[EncodedEntries]
    first: int = -1
    error: BaseException | None = None
    is_settled: bool = False
    wake: Event = field(default_factory=Event)

    @property
    def size_bytes(self) -> int:
        """How many bytes of the journal they take."""
        return sum([len(each.payload) for each in self.entries])


class GroupCommit:
    """Queues requests and commits them in groups, in the order in which they came."""

    __slots__ = ("_closed", "_commit", "_failed", "_is_led", "_lock", "_queue")

    def __init__(self, commit: Callable[[Sequence[Request]], None]) -> None:
        """Commit groups with ``commit``, which sets each request's ``first`` and returns when all are durable."""
        self._commit = commit
        self._lock = Condition()
        self._queue: deque[Request] = deque()
        self._is_led = False
        self._failed: str = ""
        self._closed: str = ""

    @property
    def has_failed(self) -> bool:
        """Say whether a write failed, so that nothing is taken until ``resume``."""
        with self._lock:
            return bool(self._failed)

    def submit(self, request: Request) -> int:
        """Return the index of the request's first entry once the request is durable.

        Raises:
            UnavailableError: the log is closed, or a write failed, now or before.
        """
        with self._lock:
            if reason := self._closed or self._failed:
                raise UnavailableError("log", reason)
            self._queue.append(request)
            leads = not self._is_led
            self._is_led = True
        if not leads:
            try:
                request.wake.wait()
            except BaseException:  # Interrupted: it must not keep the lead. Raised again.
                self._leave(request)
                raise
        if not request.is_settled:
            self._lead()
        if isinstance(request.error, LedgerError):
            raise request.error
        if request.error is not None:
            raise UnavailableError("log", f"the write failed: {request.error}") from request.error
        return request.first

    def close(self, reason: str) -> None:
        """Take no request from now on, and return when those already taken are settled."""
        with self._lock:
            self._closed = self._closed or reason
            while self._is_led:
                self._lock.wait()

    def resume(self, mend: Callable[[], None]) -> None:
        """Take requests again after a failed write, once ``mend`` has made the file what was acknowledged.

        Nothing is committed meanwhile. Without a failed write, nothing is done.

        Raises:
            UnavailableError: the log is closed.
            OSError: the file cannot be mended yet.
        """
        with self._lock:
            while self._is_led:
                self._lock.wait()
            if self._closed:
                raise UnavailableError("log", self._closed)
            if not self._failed:
                return
            self._is_led = True
        failed = self._failed
        try:
            mend()
            failed = ""
        finally:
            with self._lock:
                self._failed = failed
                self._is_led = False
                self._lock.notify_all()

    def _lead(self) -> None:
        group = self._take()
        try:
            self._commit(group)
        except BaseException as error:  # Whatever it is, those who wait must be told.
            self._fail(group, error)
            if not isinstance(error, Exception):  # The rest is raised by ``submit``, for each caller.
                raise
        else:
            self._hand_over(group)

    def _leave(self, request: Request) -> None:
        """Withdraw an interrupted caller's request if it still waits, and pass on the lead if it was handed it."""
        with self._lock:
            if request not in self._queue:
                return
            self._queue.remove(request)
            if request.wake.is_set():
                self._pass_lead()

    def _take(self) -> list[Request]:
        group: list[Request] = []
        size_bytes = 0
        with self._lock:
            while self._queue and (not group or size_bytes + self._queue[0].size_bytes <= MAX_GROUP_BYTES):
                request = self._queue.popleft()
                size_bytes += request.size_bytes
                group.append(request)
        return group

    def _hand_over(self, group: Sequence[Request]) -> None:
        with self._lock:
            self._pass_lead()
        for request in group:
            request.is_settled = True
            request.wake.set()

    def _pass_lead(self) -> None:
        """Let the first that waits lead; the caller holds the lock."""
        self._is_led = bool(self._queue)
        if self._queue:
            self._queue[0].wake.set()
        else:
            self._lock.notify_all()

    def _fail(self, group: Sequence[Request], error: BaseException) -> None:
        """Refuse the group and all that waits; after a failed write or worse, also all that comes.

        A refusal by the ledger's own ``UnavailableError`` came before anything was written: the next group is tried.
        """
        with self._lock:
            if isinstance(error, OSError):
                self._failed = f"a write failed ({error}); the journal must be mended first"
            elif not isinstance(error, UnavailableError):
                self._closed = self._closed or f"a write failed ({error}); open the log again"
            refused = [*group, *self._queue]
            self._queue.clear()
            self._is_led = False
            self._lock.notify_all()
        for request in refused:
            request.error = error
            request.is_settled = True
            request.wake.set()
