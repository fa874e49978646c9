"""Keeping the index: chain events through the follower, then facts from log and vault.

The index is a projection. It never holds what chain, log and vault do not hold durably, since each of its
feeds reads only what they already answer; so it may be killed, deleted or made anew at any moment.

    indexing = Indexing(store, follower, log, vault)
    indexing.catch_up()     # whoever calls does the work; a second caller waits for the first
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError
from ledger.domain.leaf import parse_leaf
from ledger.service.fact_rows import fact_row
from ledger.service.following import LeafMark, Retreat, Stretch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.service.following import Follower, IndexStore
    from ledger.service.ports import EventLog, Vault

_LEAVES: Final = 2_000


def _silent(_what: str, _done: int, _total: int) -> None:
    return


class Indexing:
    """Feeds one index from its sources. Threads may share it."""

    def __init__(
        self,
        store: IndexStore,
        follower: Follower,
        log: EventLog,
        vault: Vault,
        *,
        reach: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Take the index and its sources.

        Args:
            store: The index.
            follower: Reads the chain.
            log: The leaves.
            vault: Their documents.
            reach: Asked before each reading of the chain: the block to go to, None for the chain's head.
        """
        self.store = store
        self.lock = threading.RLock()
        self._follower = follower
        self._log = log
        self._vault = vault
        self._reach = reach
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
        self.store.announce()

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
            found = [parse_leaf(data) for data in self._log.leaves(mark.leaves, last)]
            documents = self._vault.find_many([bytes.fromhex(leaf.commitment) for leaf in found])
            rows = []
            for index, leaf in enumerate(found, mark.leaves):
                document = documents.get(bytes.fromhex(leaf.commitment))
                if document is None:
                    raise IntegrityError("vault", "it lacks the document of a leaf", leaf=index)
                rows.append(fact_row(index, leaf, document))
            mark = LeafMark(last, found[-1].hash())
            self.store.add_facts(rows, mark)
            progress("facts", mark.leaves, size)
