"""Events as the contracts recorded them, by running head, in order, and by transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from ledger.service.index_rows import Page
from ledger.service.ports import BlockRef
from ledger.store.paging import page
from ledger.store.reading import Reading, recorded_of
from ledger.store.tables import CURSOR, EVENT_HEADS, EVENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.domain.event_log import Event, Recorded
    from ledger.store.database import Database

_ORDER = (EVENTS.c.block, EVENTS.c.log_index)


class SQLHistories(Reading):
    """Implements `ledger.service.index.Histories`."""

    def __init__(self, database: Database, contracts: Mapping[str, bytes]) -> None:
        """Take the contracts' addresses by name: a history is of one contract."""
        super().__init__(database)
        self._contracts = contracts

    def cursor(self) -> BlockRef:
        """Return the newest block that the index holds; number -1 before the first."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(CURSOR)).mappings().one()
        return BlockRef(row["block"], row["block_hash"], row["timestamp"])

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
