"""Facts of the log, found by what their vault documents say, and the public totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from ledger.domain.codes import AgreementStatus, Mismatch, Verdict
from ledger.service.index_rows import Counters, FactFilter, FactRow, Page
from ledger.store import tables
from ledger.store.paging import page
from ledger.store.reading import Reading, record_of
from ledger.store.tables import FACTS

if TYPE_CHECKING:
    from collections.abc import Sequence

_EQUAL: Final = ("agreement", "provider", "requester", "dataset", "reporter", "verdict", "correlation")
EVENTS_TALLY: Final = "events"
STREAMS_TALLY: Final = "streams"


class SQLFacts(Reading):
    """Implements `ledger.service.index.Facts`."""

    def fact(self, leaf_index: int) -> FactRow | None:
        """Return the fact at an index of the log."""
        return self._one(FACTS.c.leaf_index == leaf_index)

    def find_event(self, event_id: str) -> list[FactRow]:
        """Return the facts whose event has this id, in the order of the log."""
        wanted = sa.select(FACTS).where(FACTS.c.event_id == event_id).order_by(FACTS.c.leaf_index)
        with self._database.read() as connection:
            return [fact_of(row) for row in connection.execute(wanted).mappings()]

    def facts(self, wanted: FactFilter, after: str = "", limit: int = 100) -> Page[FactRow]:
        """Return facts in the order of the log."""
        chosen = sa.select(FACTS)
        for name in _EQUAL:
            if (value := getattr(wanted, name)) is not None:
                chosen = chosen.where(FACTS.c[name] == value)
        if wanted.occurred_from_ms is not None:
            chosen = chosen.where(FACTS.c.occurred_at_ms >= wanted.occurred_from_ms)
        if wanted.occurred_to_ms is not None:
            chosen = chosen.where(FACTS.c.occurred_at_ms < wanted.occurred_to_ms)
        with self._database.read() as connection:
            return page(connection, chosen, (FACTS.c.leaf_index,), fact_of, name=FACTS.name, after=after, limit=limit)

    def last_of_stream(self, stream: bytes) -> FactRow | None:
        """Return the newest fact of a stream."""
        last = sa.select(tables.STREAMS.c.last_leaf).where(tables.STREAMS.c.stream == stream).scalar_subquery()
        return self._one(FACTS.c.leaf_index == last)

    def fact_by_commitment(self, commitment: bytes) -> FactRow | None:
        """Return the fact with this commitment."""
        return self._one(FACTS.c.commitment == commitment)

    def verdict_counts(self) -> Sequence[tuple[str, int]]:
        """Return WITHIN_SCOPE and each mismatch code with the number of facts that carry it."""
        tallies = self._tallies()
        return [(code, tallies.get(code, 0)) for code in (Verdict.WITHIN_SCOPE.value, *(one.value for one in Mismatch))]

    def counters(self) -> Counters:
        """Return the public totals."""
        tallies = self._tallies()
        with self._database.read() as connection:

            def count(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
                counted = sa.select(sa.func.count()).select_from(table).where(*conditions)
                return int(connection.execute(counted).scalar_one())

            anchored = connection.execute(sa.select(sa.func.max(tables.ANCHORS.c.size))).scalar()
            datasets = sa.select(sa.func.count(sa.distinct(tables.ENTRIES.c.dataset)))
            events = tallies.get(EVENTS_TALLY, 0)
            return Counters(
                agencies=count(tables.AGENCIES),
                posts=count(tables.POSTS),
                dataset_entries=int(connection.execute(datasets).scalar_one()),
                agreements=count(tables.AGREEMENTS),
                agreements_in_force=count(tables.AGREEMENTS, tables.AGREEMENTS.c.state == AgreementStatus.ACTIVE.value),
                responsibilities=count(tables.RESPONSIBILITIES),
                notices=count(tables.CASES, tables.CASES.c.noticed.is_(True)),
                events=events,
                events_within_scope=tallies.get(Verdict.WITHIN_SCOPE.value, 0),
                events_anchored=min(anchored or 0, events),
                streams=tallies.get(STREAMS_TALLY, 0),
                anchors=count(tables.ANCHORS),
            )

    def _tallies(self) -> dict[str, int]:
        with self._database.read() as connection:
            return {row["name"]: row["count"] for row in connection.execute(sa.select(tables.TALLIES)).mappings()}

    def _one(self, condition: sa.ColumnElement[bool]) -> FactRow | None:
        with self._database.read() as connection:
            row = connection.execute(sa.select(FACTS).where(condition)).mappings().first()
        return None if row is None else fact_of(row)


def fact_of(row: sa.RowMapping) -> FactRow:
    """Return the fact in a row."""
    return record_of(
        FactRow,
        row,
        bound_block=row["block"],
        bound_block_hash=row["block_hash"],
        mismatches=_words(row["mismatches"]),
        flags=_words(row["flags"]),
    )


def columns_of(fact: FactRow) -> dict[str, Any]:
    """Return a fact as the columns of its row."""
    values = {column.name: getattr(fact, column.name, None) for column in FACTS.columns}
    return values | {
        "block": fact.bound_block,
        "block_hash": fact.bound_block_hash,
        "mismatches": " ".join(fact.mismatches),
        "flags": " ".join(fact.flags),
    }


def _words(joined: str) -> tuple[str, ...]:
    return tuple(joined.split())
