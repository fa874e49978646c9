"""Events as the contracts recorded them, by running head, in order, and by transaction."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ledger.domain.errors import UnavailableError
from ledger.service.index_rows import Page
from ledger.service.ports import BlockRef
from ledger.store.paging import page
from ledger.store.reading import Reading, recorded_of
from ledger.store.tables import CURSOR, EVENT_HEADS, EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.domain.event_log import Event, Recorded
    from ledger.store.database import Database

_ORDER = (EVENTS.c.block, EVENTS.c.log_index)


class SQLHistories(Reading):
    """Implements `ledger.service.index.Histories`."""

    def __init__(self, database: Database, contracts: Mapping[str, bytes]) -> None:
        """Take the contracts' addresses by name: a history is of one contract."""
        super().__init__(database)
        self._contracts = contracts
        self._grown = threading.Condition()
        self._feed: Callable[[], object] | None = None

    def attach(self, feed: Callable[[], object]) -> None:
        """Let `wait_for_block` bring the index up to date itself, by what feeds it."""
        self._feed = feed

    def announce(self) -> None:
        """Wake those who wait for a block."""
        with self._grown:
            self._grown.notify_all()

    def cursor(self) -> BlockRef:
        """Return the newest block that the index holds; number -1 before the first."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(CURSOR)).mappings().one()
        return BlockRef(row["block"], row["block_hash"], row["timestamp"])

    def wait_for_block(self, number: int, timeout_s: float = 30.0) -> None:
        """Return once the index holds the block.

        Raises:
            UnavailableError: The time is over.
            IntegrityError: The chain contradicts what the index holds.
        """
        deadline = time.monotonic() + timeout_s
        while self.cursor().number < number:
            if self._feed is not None:
                self._feed()
            with self._grown:
                if self.cursor().number >= number:
                    return
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise UnavailableError("index", "it does not hold the block yet", block=number)
                self._grown.wait(min(left_s, 0.1))

    def history(self, contract: str, head_key: bytes, up_to_block: int | None = None) -> list[Recorded[Event]]:
        """Return every event of a contract that advanced ``head_key``, oldest first."""
        wanted = (
            sa.select(EVENTS)
            .join(
                EVENT_HEADS,
                (EVENT_HEADS.c.block == EVENTS.c.block) & (EVENT_HEADS.c.log_index == EVENTS.c.log_index),
            )
            .where(EVENT_HEADS.c.address == self._contracts[contract], EVENT_HEADS.c.head_key == head_key)
            .order_by(EVENT_HEADS.c.block, EVENT_HEADS.c.log_index)
        )
        if up_to_block is not None:
            wanted = wanted.where(EVENT_HEADS.c.block <= up_to_block)
        with self._database.read() as connection:
            return [recorded_of(row) for row in connection.execute(wanted).mappings()]

    def events(self, after: str = "", limit: int = 100) -> Page[Recorded[Event]]:
        """Return all events in the order of the chain, a page at a time."""
        with self._database.read() as connection:
            return page(connection, sa.select(EVENTS), _ORDER, recorded_of, name="events", after=after, limit=limit)

    def transaction(self, tx_hash: bytes) -> list[Recorded[Event]]:
        """Return the events of one transaction."""
        wanted = sa.select(EVENTS).where(EVENTS.c.tx_hash == tx_hash).order_by(*_ORDER)
        with self._database.read() as connection:
            return [recorded_of(row) for row in connection.execute(wanted).mappings()]
