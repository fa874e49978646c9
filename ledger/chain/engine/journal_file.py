"""The SQLite file under the engine's journal: its schema, its one writer, and its readers.

What ``write`` committed is on disk when it returns: ``synchronous=FULL`` on a write-ahead log. One connection writes,
guarded by ``write_lock``; readers take theirs from a pool and see committed state only.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["JournalFile"]

_SCHEMA_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE transactions(
    seq INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, raw BLOB NOT NULL, sender BLOB NOT NULL, nonce INTEGER NOT NULL,
    gas INTEGER NOT NULL, block INTEGER, position INTEGER, refusal TEXT
) STRICT;
CREATE UNIQUE INDEX one_for_each_nonce ON transactions(sender, nonce) WHERE refusal IS NULL;
CREATE UNIQUE INDEX placed ON transactions(block, position) WHERE block IS NOT NULL;
CREATE INDEX pending ON transactions(seq) WHERE block IS NULL AND refusal IS NULL;
CREATE TABLE blocks(
    number INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, engine TEXT NOT NULL,
    hash BLOB UNIQUE, header BLOB, signer BLOB, seal BLOB
) STRICT;
CREATE TABLE receipts(
    block INTEGER NOT NULL, position INTEGER NOT NULL, rlp BLOB NOT NULL, gas_used INTEGER NOT NULL,
    first_log INTEGER NOT NULL, revert BLOB NOT NULL, PRIMARY KEY (block, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE snapshots(
    number INTEGER PRIMARY KEY, file TEXT NOT NULL, sha256 BLOB NOT NULL, engine TEXT NOT NULL
) STRICT;
"""
_READERS_MAX: Final = 8


class JournalFile:
    """The open file.

    Args:
        path: The database file; it is made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.write_lock = threading.RLock()
        self._pool: list[sqlite3.Connection] = []
        self._pool_lock = threading.Lock()
        self._closed = False
        self._make_private()
        self._writer = self._connect()
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._writer.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {_SCHEMA_VERSION}; COMMIT;")
        elif version != _SCHEMA_VERSION:
            self._writer.close()
            raise IntegrityError("the chain's journal", "its format is of another version", found=version)

    def _make_private(self) -> None:
        """Make the file for its owner alone; SQLite gives its mode to the files beside it.

        Only before the first connection: closing a file gives up the locks that a process has on it.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.fchmod(descriptor, 0o600)
            os.close(descriptor)
        except OSError as error:
            raise UnavailableError("the chain's journal", str(error), path=str(self._path)) from error

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=30.0)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            raise UnavailableError("the chain's journal", str(error), path=str(self._path)) from error
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Open a transaction, committed at the end of the block and undone by whatever leaves it.

        Raises:
            UnavailableError: The disk is full, or the file is locked or closed.
        """
        with self.write_lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException as error:  # Also when interrupted: half a transaction must not stay open.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):  # full, locked, closed
                    raise UnavailableError("the chain's journal", str(error)) from error
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees committed state only.

        Raises:
            UnavailableError: The file is closed, or cannot be opened.
        """
        with self._pool_lock:
            if not self._is_open():
                raise UnavailableError("the chain's journal", "the engine is closed")
            connection = self._pool.pop() if self._pool else None
        if connection is None:
            connection = self._connect()
        try:
            yield connection
        finally:
            with self._pool_lock:
                keep = self._is_open() and len(self._pool) < _READERS_MAX
                if keep:
                    self._pool.append(connection)
            if not keep:
                connection.close()

    def _is_open(self) -> bool:
        return not self._closed

    def close(self) -> None:
        """Close every connection."""
        with self._pool_lock:
            self._closed = True
            pool, self._pool = self._pool, []
        for connection in pool:
            connection.close()
        with self.write_lock:
            self._writer.close()

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the database while it is in use."""
        with self.read() as source:
            target = sqlite3.connect(path)
            try:
                source.backup(target)
            finally:
                target.close()
