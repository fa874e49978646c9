"""The index's database: its engine, its schema, and transactions that one writer and many readers share.

SQLite runs in WAL mode with synchronous NORMAL: a power cut may take back the last commits, never break one,
and what is taken back is read again from chain and log, which are durable.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any, Final, Self

import sqlalchemy as sa
from sqlalchemy import event

from ledger.domain.errors import IntegrityError, LedgerError, UnavailableError
from ledger.store.tables import CURSOR, METADATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD: Final = "index_0002"
"""The newest migration; a test compares it with the folder of migrations."""

_VERSION_TABLE: Final = "alembic_version"
_PRAGMAS: Final = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "temp_store=MEMORY")
_READER_PRAGMAS: Final = ("cache_size=-8192",)
# The writer touches a page of each index for every fact; and a larger log of changes folds more changes of one page
# into one write of it.
_WRITER_PRAGMAS: Final = ("cache_size=-32768", "wal_autocheckpoint=8192")


class Database:
    """One index database: many connections that read, and one that writes."""

    def __init__(self, readers: sa.Engine, writer: sa.Engine) -> None:
        """Take the two engines; whoever makes them decides how their transactions begin."""
        self._readers = readers
        self._writer = writer
        self._write_lock = threading.RLock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open or create the index in a SQLite file.

        Raises:
            UnavailableError: The file cannot be opened.
            IntegrityError: It is no database, or none of ours.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise UnavailableError(str(path), str(error)) from error
        readers = _sqlite(path, "BEGIN", _PRAGMAS + _READER_PRAGMAS, pool_size=8, max_overflow=24)
        writer = _sqlite(path, "BEGIN IMMEDIATE", _PRAGMAS + _WRITER_PRAGMAS, pool_size=1, max_overflow=0)
        database = cls(readers, writer)
        try:
            database.make_schema()
        except LedgerError:
            database.close()
            raise
        return database

    def make_schema(self) -> None:
        """Bring the schema to the newest migration.

        Raises:
            IntegrityError: It is of a later version than this program's.
        """
        with self.write() as connection:
            revision = _revision(connection)
            if revision != HEAD:
                _migrate(connection, revision)

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Run the block on one consistent state.

        Raises:
            UnavailableError: The database cannot be read at present.
            IntegrityError: It is damaged.
        """
        with _translated(), self._readers.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Run the block as the one write transaction: all of it, or none. Raises as `read`."""
        with _translated(), self._write_lock, self._writer.begin() as connection:
            yield connection

    def reset(self) -> None:
        """Drop every table and make them again, in one transaction; readers see the old rows until it ends."""
        with self.write() as connection:
            inspected = sa.inspect(connection)
            for name in inspected.get_table_names():
                connection.execute(sa.schema.DropTable(sa.Table(name, sa.MetaData())))
            _migrate(connection, None)

    def close(self) -> None:
        """Close every connection."""
        self._readers.dispose()
        self._writer.dispose()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.exc.OperationalError as error:
        raise UnavailableError("index", str(error.orig)) from error
    except sa.exc.DatabaseError as error:
        reason = "its database is damaged; stop, delete the file, and start again to make it anew"
        raise IntegrityError("index", reason, detail=str(error.orig)) from error


def _sqlite(path: Path, begin: str, pragmas: tuple[str, ...], *, pool_size: int, max_overflow: int) -> sa.Engine:
    """Return an engine whose transactions begin as said, and not when the driver thinks so."""
    url = sa.URL.create("sqlite", database=str(path))
    engine = sa.create_engine(url, pool_size=pool_size, max_overflow=max_overflow)

    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    return engine


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(_VERSION_TABLE):
        return None
    return connection.execute(sa.text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def _migrate(connection: sa.Connection, revision: str | None) -> None:
    # Alembic is slow to import, and most openings find the schema as it should be.
    from ledger.store.migrations import upgrade  # noqa: PLC0415

    upgrade(connection, revision, HEAD)
    if connection.execute(sa.select(sa.func.count()).select_from(CURSOR)).scalar_one() == 0:
        start = {"id": 1, "block": -1, "block_hash": bytes(32), "timestamp": 0, "leaves": 0, "last_leaf": b""}
        connection.execute(CURSOR.insert(), start)


def row_counts(connection: sa.Connection) -> dict[str, int]:
    """Return the number of rows by table."""
    return {
        table.name: int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())
        for table in METADATA.sorted_tables
    }
