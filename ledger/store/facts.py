"""Facts of the log, found by what their vault documents say, and the public totals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from ledger.domain.codes import AgreementStatus, Mismatch, Verdict
from ledger.service.index_rows import Counters, FactFilter, FactRow, Page
from ledger.store import tables
from ledger.store.columns import TextId, key_of
from ledger.store.paging import page
from ledger.store.reading import Reading, record_of
from ledger.store.tables import FACTS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_EQUAL: Final = ("agreement", "provider", "requester", "dataset", "reporter", "verdict")
SHARED: Final = tuple(column.name for column in FACTS.columns if isinstance(column.type, TextId))
"""The columns that hold ids of texts, in the order in which a fact's new texts get theirs."""
EVENTS_TALLY: Final = "events"
STREAMS_TALLY: Final = "streams"
_IDS_AT_ONCE: Final = 500


class SQLFacts(Reading):
    """Implements `ledger.service.index.Facts`."""

    def fact(self, leaf_index: int) -> FactRow | None:
        """Return the fact at an index of the log."""
        return self._one(FACTS.c.leaf_index == leaf_index)

    def find_event(self, event_id: str) -> list[FactRow]:
        """Return the facts whose event has this id, in the order of the log."""
        wanted = sa.select(FACTS).where(FACTS.c.event_key == key_of(event_id), FACTS.c.event_id == event_id)
        with self._database.read() as connection:
            return _facts_of(connection, connection.execute(wanted.order_by(FACTS.c.leaf_index)).mappings().all())

    def facts(self, wanted: FactFilter, after: str = "", limit: int = 100) -> Page[FactRow]:
        """Return facts in the order of the log."""
        chosen = sa.select(FACTS)
        for name in _EQUAL:
            if (value := getattr(wanted, name)) is not None:
                known = (
                    sa.select(TEXTS.c.id)
                    .where(TEXTS.c.text == (value.hex() if isinstance(value, bytes) else value))
                    .scalar_subquery()
                )
                chosen = chosen.where(FACTS.c[name] == known)
        if wanted.correlation is not None:
            chosen = chosen.where(
                FACTS.c.correlation_key == key_of(wanted.correlation), FACTS.c.correlation == wanted.correlation
            )
        if wanted.occurred_from_ms is not None:
            chosen = chosen.where(FACTS.c.occurred_at_ms >= wanted.occurred_from_ms)
        if wanted.occurred_to_ms is not None:
            chosen = chosen.where(FACTS.c.occurred_at_ms < wanted.occurred_to_ms)
        with self._database.read() as connection:
            found = page(
                connection, chosen, (FACTS.c.leaf_index,), lambda row: row, name=FACTS.name, after=after, limit=limit
            )
            return Page(tuple(_facts_of(connection, found.rows)), found.next)

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

    def _one(self, *conditions: sa.ColumnElement[bool]) -> FactRow | None:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(FACTS).where(*conditions).limit(1)).mappings().all()
            return next(iter(_facts_of(connection, rows)), None)


COLUMNS: Final = (
    "leaf_index", "block", "block_hash", "accepted_at_ms", "occurred_at_ms", "stream", "seq", "commitment",
    "event_id", "event_key", "correlation", "correlation_key", "version", "grant", "duty", *SHARED,
)  # fmt: skip
"""The columns of a fact in the order of `columns_of`."""


def columns_of(fact: FactRow, shared: Iterable[int]) -> tuple[object, ...]:
    """Return a fact as the values of ``COLUMNS``; ``shared`` are the ids of its texts."""
    return (
        fact.leaf_index,
        fact.bound_block,
        fact.bound_block_hash,
        fact.accepted_at_ms,
        fact.occurred_at_ms,
        fact.stream,
        fact.seq,
        fact.commitment,
        fact.event_id,
        key_of(fact.event_id),
        fact.correlation,
        key_of(fact.correlation),
        fact.version,
        fact.grant,
        fact.duty,
        *shared,
    )


def shared_texts(fact: FactRow) -> tuple[str, ...]:
    """Return the texts of the columns in ``SHARED``, in their order."""
    return (
        fact.kind,
        fact.side,
        fact.provider,
        fact.requester,
        fact.dataset,
        fact.purpose,
        fact.recipient,
        fact.outcome,
        fact.reporter,
        fact.agreement.hex(),
        fact.verdict,
        " ".join(fact.mismatches),
        " ".join(fact.flags),
        fact.responsible_post,
    )


def _facts_of(connection: sa.Connection, rows: Sequence[sa.RowMapping]) -> list[FactRow]:
    """Return the facts in rows."""
    wanted = list({row[name] for row in rows for name in SHARED})
    texts: dict[int, str] = {}
    for first in range(0, len(wanted), _IDS_AT_ONCE):
        some = sa.select(TEXTS).where(TEXTS.c.id.in_(wanted[first : first + _IDS_AT_ONCE]))
        texts |= {row.id: row.text for row in connection.execute(some)}
    facts = []
    for row in rows:
        shared: dict[str, Any] = {name: texts[row[name]] for name in SHARED}
        shared |= {
            "bound_block": row["block"],
            "bound_block_hash": row["block_hash"],
            "agreement": bytes.fromhex(shared["agreement"]),
            "mismatches": tuple(shared["mismatches"].split()),
            "flags": tuple(shared["flags"].split()),
        }
        facts.append(record_of(FactRow, row, **shared))
    return facts
