"""What the reading sides of the index share: the database, and how a table's row becomes a record."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar

from ledger.domain.errors import IntegrityError
from ledger.domain.event_decoding import decode_log
from ledger.domain.event_log import Recorded
from ledger.service.index_rows import Source

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ledger.domain.event_log import Event
    from ledger.store.database import Database

R = TypeVar("R")

_WORD = 32


class Reading:
    """The base of the reading sides."""

    def __init__(self, database: Database) -> None:
        self._database = database


def record_of(kind: type[R], row: sa.RowMapping, /, **others: Any) -> R:
    """Return a record whose fields are columns of the same name, its ``source`` the row's place, and ``others``."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # Every kind of row is a dataclass.
        if field.name in others:
            values[field.name] = others[field.name]
        elif field.name == "source":
            values["source"] = source_of(row)
        else:
            values[field.name] = row[field.name]
    return kind(**values)


def source_of(row: sa.RowMapping) -> Source:
    """Return the event that a row came from."""
    return Source(row["block"], row["block_hash"], row["log_index"], row["tx_hash"], row["recorded_at"])


def recorded_of(row: sa.RowMapping) -> Recorded[Event]:
    """Return the event in a row of ``events``.

    Raises:
        IntegrityError: The row holds no event of ours.
        InvalidInputError: Its bytes are not what the contract emits.
    """
    topics = row["topics"]
    event = decode_log([topics[start : start + _WORD] for start in range(0, len(topics), _WORD)], row["data"])
    if event is None:
        raise IntegrityError("index", "a row of events holds none", block=row["block"], log_index=row["log_index"])
    return Recorded(
        event=event,
        block=row["block"],
        block_hash=row["block_hash"],
        timestamp=row["recorded_at"],
        tx_hash=row["tx_hash"],
        tx_index=row["tx_index"],
        log_index=row["log_index"],
        address=row["address"],
    )


def split(joined: bytes) -> tuple[bytes, ...]:
    """Return the 32-byte values that a column holds one after another."""
    return tuple(joined[start : start + _WORD] for start in range(0, len(joined), _WORD))
