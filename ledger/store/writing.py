"""The writing side of the index: each call is one transaction in which rows and cursor move together."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from ledger.domain.codes import Verdict
from ledger.domain.errors import IntegrityError
from ledger.domain.event_decoding import decode_log
from ledger.domain.event_log import Recorded
from ledger.domain.heads import head_keys
from ledger.service.following import LeafMark, Mark
from ledger.store import tables
from ledger.store.database import row_counts
from ledger.store.facts import COLUMNS, EVENTS_TALLY, STREAMS_TALLY, columns_of, shared_texts
from ledger.store.projections import OWNERS, object_of, place, project, valid_from
from ledger.store.reading import Reading, recorded_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ledger.domain.event_log import Event
    from ledger.service.following import Stretch
    from ledger.service.index_rows import FactRow
    from ledger.service.ports import BlockHeader, RawLog

    Object = tuple[str, bytes]

_INSERT_FACTS: Final = "INSERT INTO facts ({}) VALUES ({})".format(  # noqa: S608 - our own names
    ", ".join(f'"{name}"' for name in COLUMNS), ", ".join("?" * len(COLUMNS))
)
_KEYS_AT_ONCE: Final = 400
"""How many keys one statement names: below the least limit of parameters that a SQLite is built with."""


class IndexWriting(Reading):
    """Implements the writing methods of `ledger.service.following.IndexStore`."""

    def held(self) -> list[Mark]:
        """Return the blocks from the newest held one that is final to the cursor."""
        blocks = tables.RECENT_BLOCKS
        with self._database.read() as connection:
            return [Mark(row.number, row.hash) for row in connection.execute(sa.select(blocks).order_by("number"))]

    def apply(self, stretch: Stretch) -> None:
        """Take a stretch: rows and cursor together. Blocks that are held already change nothing.

        Raises:
            IntegrityError: The stretch does not follow the cursor, or holds what our contracts cannot emit.
        """
        with self._database.write() as connection:
            cursor = connection.execute(sa.select(tables.CURSOR)).mappings().one()
            headers = [header for header in stretch.headers if header.number > cursor["block"]]
            if not headers:
                return
            parent = Mark(headers[0].number - 1, headers[0].parent_hash)
            if cursor["block"] >= 0 and parent != Mark(cursor["block"], cursor["block_hash"]):
                raise IntegrityError("index", "a stretch does not follow its cursor", block=headers[0].number)
            times = {header.number: header.timestamp for header in headers}
            found = [
                (log, _recorded(log, times[log.block_number])) for log in stretch.logs if log.block_number in times
            ]
            _take(connection, [(log, recorded) for log, recorded in found if recorded is not None])
            _move(connection, headers[-1].number, headers[-1].hash, headers[-1].timestamp)
            _remember(connection, stretch.parent, headers, stretch.final)

    def retreat(self, to: Mark) -> None:
        """Take back every block above ``to``.

        Raises:
            IntegrityError: ``to`` is no block that is held.
        """
        events, heads, blocks = tables.EVENTS, tables.EVENT_HEADS, tables.RECENT_BLOCKS
        with self._database.write() as connection:
            kept = connection.execute(sa.select(blocks).where(blocks.c.number == to.number)).first()
            if kept is None or kept.hash != to.hash:
                raise IntegrityError("index", "it cannot go back to a block that it does not hold", block=to.number)
            wanted = sa.select(events.c.object_kind, events.c.object_key).where(events.c.block > to.number).distinct()
            changed = [(row.object_kind, row.object_key) for row in connection.execute(wanted) if row.object_kind]
            connection.execute(sa.delete(heads).where(heads.c.block > to.number))
            connection.execute(sa.delete(events).where(events.c.block > to.number))
            histories = _histories(connection, changed)
            _replace(connection, changed, {one: histories.get(one, []) for one in changed})
            connection.execute(sa.delete(blocks).where(blocks.c.number > to.number))
            _move(connection, to.number, to.hash, kept.timestamp)

    def leaf_mark(self) -> LeafMark:
        """Return how far the log is indexed."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(tables.CURSOR)).one()
        return LeafMark(row.leaves, row.last_leaf)

    def add_facts(self, rows: Sequence[FactRow], mark: LeafMark) -> None:
        """Take the facts of the next leaves, and the mark that they lead to. Facts that are held change nothing.

        Raises:
            IntegrityError: A leaf is missing between what is held and what is given.
        """
        with self._database.write() as connection:
            held = connection.execute(sa.select(tables.CURSOR.c.leaves)).scalar_one()
            fresh = [row for row in rows if row.leaf_index >= held]
            if not fresh:
                return
            if [row.leaf_index for row in fresh] != list(range(held, mark.leaves)):
                raise IntegrityError("index", "facts do not follow the ones that are held", held=held, to=mark.leaves)
            texts = [shared_texts(row) for row in fresh]
            ids = _text_ids(connection, dict.fromkeys(chain.from_iterable(texts)))
            columns = [columns_of(row, map(ids.__getitem__, some)) for row, some in zip(fresh, texts, strict=True)]
            # The driver takes tuples as they are: what the compiler adds to each row was half of its time.
            connection.exec_driver_sql(_INSERT_FACTS, columns)
            started = _extend_streams(connection, fresh)
            _count(connection, fresh, started)
            connection.execute(sa.update(tables.CURSOR).values(leaves=mark.leaves, last_leaf=mark.last))

    def reset(self) -> None:
        """Drop everything and begin anew."""
        self._database.reset()

    def row_counts(self) -> Mapping[str, int]:
        """Return the number of rows by table."""
        with self._database.read() as connection:
            return row_counts(connection)


def _recorded(log: RawLog, timestamp: int) -> Recorded[Event] | None:
    event = decode_log(log.topics, log.data)
    if event is None:
        return None
    return Recorded(
        event=event,
        block=log.block_number,
        block_hash=log.block_hash,
        timestamp=timestamp,
        tx_hash=log.tx_hash,
        tx_index=log.tx_index,
        log_index=log.log_index,
        address=log.address,
    )


def _take(connection: sa.Connection, found: Sequence[tuple[RawLog, Recorded[Event]]]) -> None:
    """Insert events and their heads, and replace the rows of the objects that they are about."""
    if not found:
        return
    rows: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    fresh: dict[Object, list[Recorded[Event]]] = defaultdict(list)
    for log, recorded in found:
        event = recorded.event
        kind, key = object_of(event)
        row = place(recorded, valid_from(event, recorded.timestamp))
        row |= {
            "tx_index": recorded.tx_index,
            "address": recorded.address,
            "name": type(event).__name__,
            "object_kind": kind,
            "object_key": key,
            "topics": b"".join(log.topics),
            "data": log.data,
        }
        rows.append(row)
        where = {"address": recorded.address, "block": recorded.block, "log_index": recorded.log_index}
        heads += [where | {"head_key": head} for head in dict.fromkeys(head_keys(event))]
        if kind:
            fresh[kind, key].append(recorded)
    before = _histories(connection, fresh)
    connection.execute(tables.EVENTS.insert(), rows)
    if heads:
        connection.execute(tables.EVENT_HEADS.insert(), heads)
    _replace(connection, before, {one: before.get(one, []) + added for one, added in fresh.items()})


def _histories(connection: sa.Connection, wanted: Iterable[Object]) -> dict[Object, list[Recorded[Event]]]:
    """Return the events of each object that has some, oldest first."""
    events = tables.EVENTS
    found: dict[Object, list[Recorded[Event]]] = defaultdict(list)
    for kind, keys in _in_groups(wanted):
        chosen = (
            sa.select(events)
            .where(events.c.object_kind == kind, events.c.object_key.in_(keys))
            .order_by(events.c.block, events.c.log_index)
        )
        for row in connection.execute(chosen).mappings():
            found[kind, row["object_key"]].append(recorded_of(row))
    return found


def _replace(
    connection: sa.Connection, stale: Iterable[Object], histories: Mapping[Object, list[Recorded[Event]]]
) -> None:
    """Delete the rows of the stale objects, and insert those that the histories give."""
    for kind, keys in _in_groups(stale):
        for owner in OWNERS[kind]:
            connection.execute(sa.delete(owner.table).where(owner.in_(keys)))
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for (kind, _), history in histories.items():
        for table, row in project(kind, history):
            rows[table.name].append(row)
    for name, some in rows.items():
        connection.execute(tables.METADATA.tables[name].insert(), some)


def _in_groups(objects: Iterable[Object]) -> Iterable[tuple[str, list[bytes]]]:
    by_kind: dict[str, list[bytes]] = defaultdict(list)
    for kind, key in objects:
        by_kind[kind].append(key)
    for kind, keys in by_kind.items():
        for first in range(0, len(keys), _KEYS_AT_ONCE):
            yield kind, keys[first : first + _KEYS_AT_ONCE]


def _move(connection: sa.Connection, number: int, block_hash: bytes, timestamp: int) -> None:
    connection.execute(sa.update(tables.CURSOR).values(block=number, block_hash=block_hash, timestamp=timestamp))


def _remember(connection: sa.Connection, parent: Mark, headers: Sequence[BlockHeader], final: int) -> None:
    """Keep the blocks from the newest final one on: what a reorganisation is told by."""
    blocks = tables.RECENT_BLOCKS
    floor = min(final, headers[-1].number)
    known = connection.execute(sa.select(sa.func.max(blocks.c.number))).scalar()
    rows = [
        {"number": header.number, "hash": header.hash, "timestamp": header.timestamp}
        for header in headers
        if header.number >= floor
    ]
    if known is None and parent.number >= 0 and parent.number == headers[0].number - 1:
        rows.insert(0, {"number": parent.number, "hash": parent.hash, "timestamp": 0})
    connection.execute(blocks.insert(), rows)
    connection.execute(sa.delete(blocks).where(blocks.c.number < floor))


def _text_ids(connection: sa.Connection, distinct: Iterable[str]) -> dict[str, int]:
    """Return the ids of texts that facts share; new ones get the next, in the order in which they are given."""
    texts = tables.TEXTS
    wanted = list(distinct)
    ids: dict[str, int] = {}
    for first in range(0, len(wanted), _KEYS_AT_ONCE):
        some = sa.select(texts).where(texts.c.text.in_(wanted[first : first + _KEYS_AT_ONCE]))
        ids |= {row.text: row.id for row in connection.execute(some)}
    newest: int = connection.execute(sa.select(sa.func.coalesce(sa.func.max(texts.c.id), 0))).scalar_one()
    fresh = {text: number for number, text in enumerate((text for text in wanted if text not in ids), newest + 1)}
    if fresh:
        connection.execute(texts.insert(), [{"id": number, "text": text} for text, number in fresh.items()])
    return ids | fresh


def _extend_streams(connection: sa.Connection, rows: Sequence[FactRow]) -> int:
    """Move each stream to its newest fact; return how many began."""
    streams = tables.STREAMS
    last = {row.stream: row.leaf_index for row in rows}
    added = Counter(row.stream for row in rows)
    before: dict[bytes, int] = {}
    wanted = list(last)
    for first in range(0, len(wanted), _KEYS_AT_ONCE):
        some = wanted[first : first + _KEYS_AT_ONCE]
        for row in connection.execute(sa.select(streams).where(streams.c.stream.in_(some))):
            before[row.stream] = row.facts
        connection.execute(sa.delete(streams).where(streams.c.stream.in_(some)))
    connection.execute(
        streams.insert(),
        [
            {"stream": stream, "last_leaf": leaf, "facts": before.get(stream, 0) + added[stream]}
            for stream, leaf in last.items()
        ],
    )
    return len(last) - len(before)


def _count(connection: sa.Connection, rows: Sequence[FactRow], started: int) -> None:
    """Add to the totals, which a page of facts could not be counted for at ten million of them."""
    tallies = tables.TALLIES
    added: Counter[str] = Counter()
    for row in rows:
        added.update(row.mismatches or (Verdict.WITHIN_SCOPE.value,))
    added[EVENTS_TALLY] = len(rows)
    if started:
        added[STREAMS_TALLY] = started
    names = list(added)
    known = connection.execute(sa.select(tallies).where(tallies.c.name.in_(names))).mappings()
    held = {row["name"]: row["count"] for row in known}
    connection.execute(sa.delete(tallies).where(tallies.c.name.in_(names)))
    connection.execute(tallies.insert(), [{"name": name, "count": held.get(name, 0) + added[name]} for name in names])
