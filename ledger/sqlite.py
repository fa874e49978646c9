"""One way to open a SQLite file whose commits survive a kill and a power cut: WAL with synchronous FULL.

Connections are in autocommit mode, so that every transaction is visible as a ``with transaction(…)``.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.domain.errors import IntegrityError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BUSY_TIMEOUT_S = 30.0
_FULL = 2


def open_durable(path: Path) -> sqlite3.Connection:
    """Open or create a database that answers a commit only when it is on disk.

    The file is readable by its owner alone. The connection may be shared by threads that lock around it.

    Raises:
        UnavailableError: the file cannot be opened.
        IntegrityError: it is no database, or does not take the durable settings.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.OperationalError) as error:
        raise UnavailableError(str(path), str(error)) from error
    try:
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        level = connection.execute("PRAGMA synchronous").fetchone()[0]
    except sqlite3.OperationalError as error:
        connection.close()
        raise UnavailableError(str(path), str(error)) from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise IntegrityError(path.name, "it is not a SQLite database", detail=str(error)) from error
    if (mode, level) != ("wal", _FULL):
        connection.close()
        raise IntegrityError(path.name, "it does not take WAL with synchronous FULL", mode=mode, level=level)
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block as one write transaction: all of it on disk afterwards, or none of it.

    Raises:
        UnavailableError: the disk is full or fails, or another process holds the database; nothing was written.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException as error:  # Also when interrupted: half a transaction must not stay open.
        if connection.in_transaction:  # SQLite itself has rolled back after some errors.
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError):
            raise UnavailableError(_name_of(connection), str(error)) from error
        raise


def _name_of(connection: sqlite3.Connection) -> str:
    return Path(connection.execute("PRAGMA database_list").fetchone()[2]).name


def copy_database(connection: sqlite3.Connection, target: Path) -> None:
    """Write a consistent copy while others read and write: what a backup takes."""
    copy = sqlite3.connect(target)
    try:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        copy.close()
