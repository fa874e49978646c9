"""Group commit of events: batches that wait at the same time go to disk together.

    waiting = appender.take(services, stored, leaves, …)    # under the append lock, in the order of the log
    appender.finish(services, waiting)                  # without it; on disk when it returns

Whoever waits first writes for all that wait, so that there is no thread of its own to hand over to. When a write
fails, everybody who waits is told, and the next batch first lets log and events say what is on disk (``heal``).
Locks are taken in one order: the append lock, then the writer's.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.domain.errors import IntegrityError, LedgerError, UnavailableError
from ledger.log.tree import HASH_SIZE_BYTES
from ledger.service.block_view import BlockView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.log.encoded import EncodedEntries
    from ledger.service.intake import Stream
    from ledger.service.ports import BlockRef
    from ledger.service.services import Services
    from ledger.service.stored_batches import StoredBatch

_GROUP_EVENTS: Final = 20_000
"""A group takes no further batch beyond this: it bounds the memory of a write and the wait for it."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A batch that has its place and is not known to be on disk."""

    batch: StoredBatch
    leaves: EncodedEntries
    is_settled: bool = False
    error: LedgerError | None = None


class GroupAppender:
    """Writes batches in the order in which they were queued."""

    def __init__(self) -> None:
        self._queue: deque[Waiting] = deque()
        self._writing = threading.RLock()
        self._failed: LedgerError | None = None
        self._view: BlockView | None = None

    def view(self, services: Services, block: BlockRef) -> BlockView:
        """Return what counts at a block; the caller holds the append lock."""
        if self._view is None or self._view.block != block:
            self._view = BlockView(services, block)
        return self._view

    def take(
        self,
        services: Services,
        batch: StoredBatch,
        leaves: EncodedEntries,
        keys: Sequence[int],
        stream: Stream,
        *,
        last_event: bytes,
    ) -> Waiting:
        """Let a batch wait for the disk, and take it in memory; the caller holds the append lock.

        Args:
            services: The services.
            batch: The batch, at its place.
            leaves: Its leaves, with their hashes.
            keys: Its events' pairing keys.
            stream: Where they belong.
            last_event: The digest of the last event.
        """
        msgspec.json.encode(batch.head)  # What cannot be written must not fail those who wait with it.
        waiting = Waiting(batch, leaves)
        self._queue.append(waiting)
        try:
            services.intake.take(batch, keys, stream, last_event=last_event, last_leaf=leaves.hashes[-HASH_SIZE_BYTES:])
        except BaseException:  # Memory and disk would differ: the next batch begins with what is on disk.
            self._failed = self._failed or UnavailableError("log", "a batch was taken in half")
            raise
        return waiting

    def finish(self, services: Services, waiting: Waiting) -> None:
        """Return once a batch is on disk.

        Raises:
            UnavailableError: A write failed. Whether the batch is in the log shows when it is sent again.
        """
        with self._writing:
            while not waiting.is_settled:
                self._write(services)
        if waiting.error is not None:
            raise waiting.error

    def settle(self, services: Services) -> None:
        """Return once all that waits is on disk.

        Raises:
            UnavailableError: A write failed, now or before: what was told of the log may not be in it (``heal``).
        """
        with self._writing:
            self._drain(services)
            if self._failed is not None:
                raise UnavailableError("log", f"a write failed: {self._failed.explain()}")

    def heal(self, services: Services) -> None:
        """After a failed write, begin again with what is on disk; the caller holds the append lock.

        Raises:
            UnavailableError: The disk still takes nothing.
            IntegrityError: What is on disk does not hold together.
        """
        if self._failed is None:
            return
        with self._writing:
            self._drain(services)
            services.log.recover()
            services.events.recover(services.log.size())
            services.intake.load(services.log, services.events)
            self._view = None
            self._failed = None

    def seal_if_due(self, services: Services) -> None:
        """Let the index of what was told become a file once it is due; the caller holds the append lock."""
        if services.intake.keys.is_due():
            with self._writing:
                self._drain(services)
            if self._failed is None:
                services.intake.seal()

    def _drain(self, services: Services) -> None:
        while self._queue:
            self._write(services)

    def _write(self, services: Services) -> None:
        group = self._group()
        try:
            if self._failed is not None:
                raise UnavailableError("log", f"a write before failed: {self._failed.explain()}")
            first = group[0].batch.first
            services.events.append([one.batch for one in group])
            found = services.log.append_encoded([one.leaves for one in group])
            if found != first:
                raise IntegrityError("log", "another writer has grown it", first=found, expected=first)
        except BaseException as error:  # Whatever it is: nobody may be told that the group is on disk.
            failed = error if isinstance(error, LedgerError) else UnavailableError("log", f"the write failed: {error}")
            self._failed = self._failed or failed
            for one in group:
                one.error = failed
                one.is_settled = True
            if not isinstance(error, Exception):
                raise
            return
        for one in group:
            one.is_settled = True
        last = group[-1].batch
        services.frontiers.accepted(first, last.end - first, last.head.accepted_at_ms)

    def _group(self) -> list[Waiting]:
        group: list[Waiting] = []
        events = 0
        while self._queue and (not group or events + self._queue[0].batch.count <= _GROUP_EVENTS):
            group.append(self._queue.popleft())
            events += group[-1].batch.count
        return group
