"""Keeping the index: chain events through the follower, then facts from log and events.

The index is a projection. It never holds what chain, log and events do not hold durably, since each of its
feeds reads only what they already answer; so it may be killed, deleted or made anew at any moment.

    indexing = Indexing(store, follower, log, events)
    indexing.catch_up()     # whoever calls does the work; a second caller waits for the first
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol

from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.domain.leaf import parse_leaf
from ledger.log.tree import leaf_hash
from ledger.service.fact_rows import fact_rows
from ledger.service.following import LeafMark, Retreat, Stretch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.service.following import Follower, IndexStore
    from ledger.service.ports import EventLog
    from ledger.service.stored_batches import EventStore

_LEAVES: Final = 4_096
_FAR_LEAVES: Final = 1_024
_START_LEAVES: Final = 10_000
"""So many entries a start waits for."""
MAX_WAIT_LEAVES: Final = 50_000
"""So many entries a reader waits for; what it asks is answered from all entries or not at all."""


def _silent(_what: str, _done: int, _total: int) -> None:
    return


class FactWriter(Protocol):
    """Writes facts of kept events into the index, in a process of its own."""

    def add(self, first: int, reached: LeafMark) -> bool:
        """Write the facts from leaf ``first`` up to a mark; False if it could not, and nothing is written."""
        ...

    def close(self) -> None: ...


class Indexing:
    """Feeds one index from its sources. Threads may share it."""

    def __init__(
        self,
        store: IndexStore,
        follower: Follower,
        log: EventLog,
        events: EventStore,
        *,
        reach: Callable[[], int | None] = lambda: None,
        writer: FactWriter | None = None,
    ) -> None:
        """Take the index and its sources.

        Args:
            store: The index.
            follower: Reads the chain.
            log: The leaves.
            events: What they commit to.
            writer: Writes facts beside this process while the index is far behind; None for never.
            reach: Asked before each reading of the chain: the block to go to, None for the chain's head.
        """
        self.store = store
        self.lock = threading.RLock()
        self._follower = follower
        self._log = log
        self._events = events
        self._reach = reach
        self._writer = writer
        self._compared: LeafMark | None = None

    def catch_up(
        self,
        progress: Callable[[str, int, int], None] = _silent,
        *,
        block: int | None = None,
        leaves: int | None = None,
    ) -> None:
        """Take everything that the sources have now, or what they had at a block and size of the log.

        Raises:
            UnavailableError: The chain does not answer.
            IntegrityError: The sources contradict each other or what is held.
        """
        with self.lock:
            self._follow(progress, self._reach() if block is None else block)
            self._take_leaves(progress, leaves)

    def catch_up_soon(self) -> None:
        """Catch up so that a reader finds what was acknowledged before it asked.

        Raises:
            UnavailableError: The index is so far behind the log that a reader should ask again later.
        """
        behind = self._log.size() - self.store.leaf_mark().leaves
        if behind > MAX_WAIT_LEAVES:
            raise UnavailableError("index", f"it is {behind} entries behind the log; ask again later")
        self.catch_up()

    def catch_up_if_near(self, progress: Callable[[str, int, int], None] = _silent) -> None:
        """Catch up with the chain, and with the log unless it is far ahead: a start does not wait for that."""
        held = self.store.leaf_mark().leaves
        is_near = self._log.size() - held <= _START_LEAVES
        self.catch_up(progress, leaves=None if is_near else held)

    def close(self) -> None:
        """Stop what writes facts beside this process."""
        if self._writer is not None:
            self._writer.close()

    def rebuild(self, progress: Callable[[str, int, int], None] = _silent) -> Mapping[str, int]:
        """Drop the index, make it anew, and return the number of rows by table."""
        with self.lock:
            self.store.reset()
            self.catch_up(progress)
            return self.store.row_counts()

    def _follow(self, progress: Callable[[str, int, int], None], until: int | None) -> None:
        while True:
            match self._follower.next(self.store.held(), until):
                case None:
                    return
                case Retreat(to):
                    self.store.retreat(to)
                case Stretch() as stretch:
                    self.store.apply(stretch)
                    progress("blocks", stretch.tip.number, max(stretch.final, stretch.tip.number))

    def _take_leaves(self, progress: Callable[[str, int, int], None], until: int | None) -> None:
        size = self._log.size()
        mark = self.store.leaf_mark()
        if mark.leaves > size:
            raise IntegrityError("log", "it is shorter than what was indexed", log=size, indexed=mark.leaves)
        if mark.leaves and mark != self._compared:
            if parse_leaf(self._log.leaf(mark.leaves - 1)).hash() != mark.last:
                raise IntegrityError("log", "an indexed leaf is another now", leaf=mark.leaves - 1)
            self._compared = mark
        size = size if until is None else min(size, until)
        while mark.leaves < size:
            last = min(mark.leaves + _LEAVES, size)
            reached = LeafMark(last, leaf_hash(self._log.leaf(last - 1)))
            if self._writer is None or size - mark.leaves < _FAR_LEAVES or not self._writer.add(mark.leaves, reached):
                self.store.add_facts(fact_rows(mark.leaves, last, self._events), reached)
            mark = reached
            progress("facts", mark.leaves, size)
