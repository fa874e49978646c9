"""Two indexes compared row by row: the one that is served, and one just made from chain, log and vault."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.types import NullType

from ledger.service.following import LeafMark, Mark
from ledger.store.columns import UINT64_BYTES, TextId, Uint64
from ledger.store.tables import CURSOR, METADATA, RECENT_BLOCKS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPARED: Final = tuple(table for table in METADATA.sorted_tables if table is not RECENT_BLOCKS)
"""Every table but the follower's memory of blocks that are not final, which depends on when it looked."""
_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """The first row of a table that differs, by its key."""

    table: str
    key: str
    reason: str


def differences(held: sa.Connection, made: sa.Connection) -> Iterator[Difference]:
    """Yield for each table its first row that is not in both, or not the same in both."""
    for table in COMPARED:
        for one, other in zip_longest(_rows(held, table), _rows(made, table)):
            if one != other:
                yield _difference(table, _Side(held, one), _Side(made, other))
                break


def count_rows(connection: sa.Connection) -> int:
    """Return the number of rows that are compared."""
    return sum(
        int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()) for table in COMPARED
    )


def cursor_in(connection: sa.Connection) -> tuple[Mark, LeafMark]:
    """Return how far chain and log are indexed in the state that a connection reads."""
    row = connection.execute(sa.select(CURSOR)).one()
    return Mark(row.block, row.block_hash), LeafMark(row.leaves, row.last_leaf)


def _rows(connection: sa.Connection, table: sa.Table) -> Iterator[tuple[Any, ...]]:
    """Yield the rows as the database holds them: a value of another type must differ, not fail to be read."""
    plain = (sa.type_coerce(column, NullType()).label(column.name) for column in table.columns)
    wanted = sa.select(*plain).order_by(*table.primary_key.columns).execution_options(yield_per=_AT_ONCE)
    for row in connection.execute(wanted):
        yield tuple(row)


@dataclass(frozen=True, slots=True)
class _Side:
    """A row of one of the two indexes, if it has it."""

    connection: sa.Connection
    row: tuple[Any, ...] | None

    def shown(self, place: int, column: sa.Column[Any]) -> str:
        """Return a value as a person reads it."""
        value = self.row[place] if self.row else None
        match column.type:
            case TextId() if isinstance(value, int):
                text = self.connection.execute(sa.select(TEXTS.c.text).where(TEXTS.c.id == value)).scalar()
                return f"no text {value}" if text is None else str(text)
            case Uint64() if isinstance(value, bytes) and len(value) == UINT64_BYTES:
                return str(int.from_bytes(value, "big"))
            case sa.Boolean() if value in {0, 1}:
                return str(bool(value))
            case _:
                return _text(value)


def _difference(table: sa.Table, held: _Side, made: _Side) -> Difference:
    keys = [place for place, column in enumerate(table.columns) if column.primary_key]
    one, other = held.row, made.row
    if one is None or (other is not None and _key(other, keys) < _key(one, keys)):
        assert other is not None  # noqa: S101 - of two different rows, one is there
        return Difference(table.name, _shown(_key(other, keys)), "the row is missing")
    if other is None or _key(one, keys) < _key(other, keys):
        return Difference(table.name, _shown(_key(one, keys)), "no source gives this row")
    place, column = next(
        (place, column)
        for place, (column, left, right) in enumerate(zip(table.columns, one, other, strict=True))
        if left != right
    )
    reason = f"{column.name} is {held.shown(place, column)}, and its sources give {made.shown(place, column)}"
    return Difference(table.name, _shown(_key(one, keys)), reason)


def _key(row: tuple[Any, ...], keys: list[int]) -> tuple[tuple[str, Any], ...]:
    """Return a row's key; values of different types can be ordered too, by the types' names."""
    return tuple((type(row[place]).__name__, row[place]) for place in keys)


def _shown(key: tuple[tuple[str, Any], ...]) -> str:
    return "/".join(_text(value) for _, value in key)


def _text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
