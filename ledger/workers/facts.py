"""Writes facts into the index: ``python -m ledger.workers.facts INDEX EVENTS`` (see `ledger.bootstrap.fact_process`).

An order is a line of JSON; the answer is ``done``, or the reason why not, after which the process ends.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.domain.errors import LedgerError
from ledger.service.fact_rows import fact_rows
from ledger.service.following import LeafMark
from ledger.store.event_store import FileEventStore
from ledger.store.sql_index import SQLIndex

if TYPE_CHECKING:
    from typing import BinaryIO

DONE: Final = b"done\n"
_NICENESS: Final = 19


class Order(msgspec.Struct, frozen=True):
    """Facts to write: from a leaf up to a mark."""

    first: int
    leaves: int
    last: bytes


def serve(index: Path, events: Path, orders: BinaryIO, answers: BinaryIO) -> None:
    """Carry out orders until there are no more."""
    store, kept = SQLIndex.open(index, {}), FileEventStore.reading(events)
    try:
        for line in orders:
            try:
                order = msgspec.json.decode(line, type=Order)
                kept.refresh(order.leaves)
                reached = LeafMark(order.leaves, order.last)
                store.add_facts(fact_rows(order.first, order.leaves, kept), reached)
            except LedgerError as error:
                answers.write(error.explain().replace("\n", " ").encode() + b"\n")
                return
            answers.write(DONE)
            answers.flush()
    finally:
        store.close()


def _yield_to_others() -> None:
    """Run only where nobody else wants to: a processor that this holds counts as idle to whoever takes events in."""
    os.nice(_NICENESS)
    with contextlib.suppress(AttributeError, OSError):  # Not every system has the policy, or allows it.
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


if __name__ == "__main__":
    _yield_to_others()
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        serve(Path(sys.argv[1]), Path(sys.argv[2]), sys.stdin.buffer, sys.stdout.buffer)
