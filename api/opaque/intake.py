"""Group commit: every entry that waits is written and synced together, by one thread, in the order of arrival.

The event loop owns the queue; the writer thread owns one group at a time. So neither holds a lock, and while one group
is on its way to the disk the next one gathers.
"""

from __future__ import annotations

import asyncio
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from ledger.domain.errors import LedgerError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.service.opaque_log import OpaqueLog

_LOG = structlog.get_logger("opaque")

_GROUP_BYTES: Final = 16 << 20
_RETRY_S: Final = 0.5


class Waiting(Protocol):
    """A request whose entry waits for the disk."""

    entry: bytes

    def accept(self, index: int) -> None:
        """Take the index: the entry is on disk."""

    def refuse(self, error: LedgerError) -> None:
        """Take the reason: nothing is promised."""


class Intake:
    """A bounded queue before the log. Every method is for the event loop's thread, unless it says otherwise."""

    def __init__(self, log: OpaqueLog, publisher: Publisher, *, entries_max: int, bytes_max: int) -> None:
        self._log = log
        self._publisher = publisher
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Waiting] = []
        self._held_entries = 0
        self._held_bytes = 0
        self._is_scheduled = False
        self._is_writing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._groups: SimpleQueue[Sequence[Waiting] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)
        self._thread.start()

    def add(self, request: Waiting) -> bool:
        """Let an entry wait for the next group; return False if there is no room for it."""
        held = self._held_bytes + len(request.entry)
        if self._held_entries >= self._entries_max or held > self._bytes_max:
            return False
        self._held_entries += 1
        self._held_bytes = held
        self._waiting.append(request)
        if not self._is_scheduled and not self._is_writing:
            # At the end of this turn of the loop, so that everything which came in it is one group.
            self._is_scheduled = True
            self._idle.clear()
            self._loop.call_soon(self._start)
        return True

    async def close(self) -> None:
        """Wait until everything that waits is answered, and end the thread."""
        await self._idle.wait()
        self._groups.put(None)
        await asyncio.to_thread(self._thread.join)

    def _start(self) -> None:
        self._is_scheduled = False
        group = self._waiting
        self._waiting = []
        if self._held_bytes > _GROUP_BYTES:
            total = 0
            for count, request in enumerate(group):
                total += len(request.entry)
                if total > _GROUP_BYTES and count:
                    self._waiting = group[count:]
                    group = group[:count]
                    break
        self._is_writing = True
        self._groups.put(group)

    def _write(self) -> None:
        """Write groups until there is a None: the writer's thread."""
        while (group := self._groups.get()) is not None:
            error: LedgerError | None = None
            first = 0
            try:
                first = self._log.append([request.entry for request in group])
            except LedgerError as found:
                error = found
            except Exception as found:  # noqa: BLE001 - a fault must reach those who wait, and is told in full.
                _LOG.exception("append_fault")
                error = UnavailableError("log", f"a fault: {type(found).__name__}")
            self._loop.call_soon_threadsafe(self._settle, group, first, error)

    def _settle(self, group: Sequence[Waiting], first: int, error: LedgerError | None) -> None:
        self._held_entries -= len(group)
        self._held_bytes -= sum([len(request.entry) for request in group])
        self._is_writing = False
        if self._waiting:
            self._start()
        if error is None:
            self._publisher.due()
            for index, request in enumerate(group, first):
                request.accept(index)
        else:
            for request in group:
                request.refuse(error)
        if not self._is_writing and not self._is_scheduled:
            self._idle.set()


class Publisher:
    """Publishes a checkpoint soon after the first entry that none covers: at once if the last is long ago.

    It does so in the event loop's own thread. In another one each of the hundred calls that write files would let go of
    Python's lock and wait for the busy loop to give it back, which on a busy machine took seconds; here the loop stands
    still for the milliseconds that the disk needs.
    """

    def __init__(self, log: OpaqueLog, interval_s: float) -> None:
        self._log = log
        self._interval_s = interval_s
        self._loop = asyncio.get_running_loop()
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_told = False

    def due(self) -> None:
        """Say that there are entries that no checkpoint covers."""
        if self._timer is None:
            self._timer = self._loop.call_at(max(self._next_at, self._loop.time()), self._publish)

    def close(self) -> None:
        """Publish what is due, and nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._publish()
        if self._timer is not None:
            self._timer.cancel()

    def _publish(self) -> None:
        self._timer = None
        began = time.monotonic()
        try:
            self._log.publish()
        except LedgerError as error:
            if not self._is_told:
                _LOG.warning("publish_failed", code=error.code, reason=error.explain())
            self._try_again()
        except Exception:  # noqa: BLE001 - a supervisor outlives any fault, and reports it in full.
            _LOG.exception("publish_fault")
            self._try_again()
        else:
            self._is_told = False
            # At most half of the time goes into checkpoints: when they are slow, each covers more.
            ended = time.monotonic()
            self._next_at = max(began + self._interval_s, ended + (ended - began))

    def _try_again(self) -> None:
        self._is_told = True
        self._next_at = time.monotonic() + _RETRY_S
        self.due()
