"""Facts indexed in a process of their own, so that taking events in never waits for Python's lock.

Once the index is far behind, ``python -m ledger.workers.facts`` is started and given orders, a line each: from which
leaf, up to which mark. It reads the events' files, which are durable up to there, and commits rows and mark together;
it is of low priority, holds no lock of the home, and ends with its parent. When it dies, or refuses, the parent does
the work itself: the mark in the index says where.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import msgspec
import structlog

from ledger.bootstrap.child_process import ChildProcess
from ledger.workers.facts import DONE, Order

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.service.following import LeafMark


class FactProcess:
    """Implements `ledger.service.indexing.FactWriter`."""

    def __init__(self, index: Path, events: Path) -> None:
        """Write into ``index`` what the files in ``events`` hold; nothing is started before the first order."""
        self._process = ChildProcess("ledger.workers.facts", str(index), str(events))

    def add(self, first: int, reached: LeafMark) -> bool:
        """Write the facts from a leaf up to a mark, and say whether that was done."""

        def talk(orders: IO[bytes], answers: IO[bytes]) -> bool | None:
            orders.write(msgspec.json.encode(Order(first, reached.leaves, reached.last)) + b"\n")
            orders.flush()
            answer = answers.readline()
            if answer == DONE:
                return True
            structlog.get_logger("index").warning("facts_not_written", reason=answer.decode(errors="replace").strip())
            return None

        return self._process.ask(talk) is True

    def close(self) -> None:
        """End the process."""
        self._process.close()
