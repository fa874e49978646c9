"""The engine's own durable record: queue, journal, receipts and snapshots, in one SQLite file.

A transaction is a row from the moment it is acknowledged. A block is a row before it is mined, and its transactions are
those that name it, in order; once mined it gains its hash, header, receipts and seal in one commit. Invariants:

- ``synchronous=FULL`` on a write-ahead log: what a method committed is on disk when it returns.
- Only the newest block may lack its hash.
- One live transaction for each sender and nonce; refused ones stay, with the reason.

One connection writes, guarded by ``write_lock``; readers take theirs from a pool and see committed state only.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ledger.chain.engine.block import CheckedBlock
    from ledger.chain.engine.transaction import Transaction

__all__ = ["Entry", "Journal", "JournalledBlock", "Placed", "Snapshot", "StoredReceipt"]

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


@dataclass(frozen=True, slots=True)
class Entry:
    """A queued transaction, as much of it as the sealer needs."""

    seq: int
    hash: bytes
    raw: bytes
    sender: bytes
    nonce: int
    gas: int


@dataclass(frozen=True, slots=True)
class JournalledBlock:
    """A block's row. ``hash`` and what follows are empty until it is mined."""

    number: int
    timestamp: int
    engine: str
    hash: bytes
    header: bytes
    signer: bytes
    seal: bytes


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a known transaction stands: ``block`` is None while pending; ``refusal`` is set if it was refused."""

    block: int | None
    position: int | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class StoredReceipt:
    """A receipt as it is stored, with its place."""

    tx_hash: bytes
    position: int
    rlp: bytes
    gas_used: int
    first_log: int
    revert: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state dump after block ``number``, and the SHA-256 that its file must have."""

    number: int
    file: str
    sha256: bytes
    engine: str


class Journal:
    """The database. Methods that write commit before they return.

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
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self.write_lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException as error:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError | sqlite3.ProgrammingError):  # full, locked, closed
                    raise UnavailableError("the chain's journal", str(error)) from error
                raise

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
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
        with self._read() as source:
            target = sqlite3.connect(path)
            try:
                source.backup(target)
            finally:
                target.close()

    # What the deployment is.

    def fix(self, name: str, value: int | bytes | str) -> None:
        """Record a value that never changes.

        Raises:
            IntegrityError: Another value is recorded already.
        """
        with self._write() as db:
            row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
            if row is None:
                db.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
            elif row[0] != value:
                raise IntegrityError(
                    "the chain's journal", f"it was made with another {name}", recorded=row[0], given=value
                )

    # The queue.

    def enqueue(self, transactions: Iterable[Transaction]) -> list[Entry]:
        """Append transactions to the queue in one commit, so that one fsync serves all of them."""
        with self._write() as db:
            entries: list[Entry] = []
            for tx in transactions:
                cursor = db.execute(
                    "INSERT INTO transactions(hash, raw, sender, nonce, gas) VALUES (?, ?, ?, ?, ?)",
                    (tx.hash, tx.raw, tx.sender, tx.nonce, tx.gas),
                )
                seq = cursor.lastrowid
                assert seq is not None  # noqa: S101 - an INSERT has one
                entries.append(Entry(seq, tx.hash, tx.raw, tx.sender, tx.nonce, tx.gas))
            return entries

    def refuse(self, refusals: Iterable[tuple[Entry, str]]) -> None:
        """Mark transactions that the node's pool refuses; they never enter a block."""
        with self._write() as db:
            db.executemany(
                "UPDATE transactions SET refusal = ? WHERE seq = ? AND block IS NULL",
                [(reason, entry.seq) for entry, reason in refusals],
            )

    def pending(self) -> list[Entry]:
        """Return the queue in the order of arrival."""
        with self._read() as db:
            rows = db.execute(
                "SELECT seq, hash, raw, sender, nonce, gas FROM transactions"
                " WHERE block IS NULL AND refusal IS NULL ORDER BY seq"
            )
            return [Entry(*row) for row in rows]

    def find(self, tx_hash: bytes) -> Placed | None:
        """Return where a transaction stands, or None if it was never acknowledged."""
        with self._read() as db:
            row = db.execute("SELECT block, position, refusal FROM transactions WHERE hash = ?", (tx_hash,)).fetchone()
        return None if row is None else Placed(*row)

    def raw_transaction(self, tx_hash: bytes) -> bytes | None:
        """Return the bytes of an acknowledged transaction."""
        with self._read() as db:
            row = db.execute("SELECT raw FROM transactions WHERE hash = ?", (tx_hash,)).fetchone()
        return None if row is None else row[0]

    def holder(self, sender: bytes, nonce: int) -> bytes | None:
        """Return the hash of the live transaction with this sender and nonce."""
        with self._read() as db:
            row = db.execute(
                "SELECT hash FROM transactions WHERE sender = ? AND nonce = ? AND refusal IS NULL", (sender, nonce)
            ).fetchone()
        return None if row is None else row[0]

    def placed_nonce(self, sender: bytes) -> int:
        """Return the nonce after the sender's last one in a block."""
        with self._read() as db:
            row = db.execute(
                "SELECT nonce FROM transactions WHERE sender = ? AND refusal IS NULL AND block IS NOT NULL"
                " ORDER BY nonce DESC LIMIT 1",
                (sender,),
            ).fetchone()
        return 0 if row is None else row[0] + 1

    # The journal.

    def begin_block(self, number: int, timestamp: int, engine: str, entries: Sequence[Entry]) -> None:
        """Commit what block ``number`` will be, before it is mined."""
        with self._write() as db:
            db.execute("INSERT INTO blocks(number, timestamp, engine) VALUES (?, ?, ?)", (number, timestamp, engine))
            changed = db.executemany(
                "UPDATE transactions SET block = ?, position = ? WHERE seq = ? AND block IS NULL AND refusal IS NULL",
                [(number, position, entry.seq) for position, entry in enumerate(entries)],
            ).rowcount
            if changed != len(entries) and entries:
                raise IntegrityError(f"block {number}", "a transaction of its batch is not pending", block=number)

    def finish_block(self, block: CheckedBlock, reverts: Sequence[bytes], signer: bytes, seal: bytes) -> None:
        """Commit what block became: header, receipts and seal."""
        number = block.header.number
        with self._write() as db:
            db.executemany(
                "INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (number, position, receipt.rlp, receipt.gas_used, receipt.first_log, revert)
                    for position, (receipt, revert) in enumerate(zip(block.receipts, reverts, strict=True))
                ],
            )
            changed = db.execute(
                "UPDATE blocks SET hash = ?, header = ?, signer = ?, seal = ? WHERE number = ? AND hash IS NULL",
                (block.header.hash, block.header.rlp, signer, seal, number),
            ).rowcount
            if changed != 1:
                raise IntegrityError(f"block {number}", "it was finished twice", block=number)

    def newest(self) -> JournalledBlock | None:
        """Return the newest block, mined or not."""
        with self._read() as db:
            row = db.execute(f"{_BLOCK} ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else _block(row)

    def tip(self) -> JournalledBlock | None:
        """Return the newest block that is mined and stored."""
        with self._read() as db:
            row = db.execute(f"{_BLOCK} WHERE hash IS NOT NULL ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else _block(row)

    def blocks(self, first: int, last: int) -> list[JournalledBlock]:
        """Return the blocks of a range, both ends included."""
        with self._read() as db:
            rows = db.execute(f"{_BLOCK} WHERE number BETWEEN ? AND ? ORDER BY number", (first, last))
            return [_block(row) for row in rows]

    def block_number(self, block_hash: bytes) -> int | None:
        """Return the number of the stored block with this hash."""
        with self._read() as db:
            row = db.execute("SELECT number FROM blocks WHERE hash = ?", (block_hash,)).fetchone()
        return None if row is None else row[0]

    def raw_transactions(self, number: int) -> list[bytes]:
        """Return a block's transactions in order."""
        with self._read() as db:
            rows = db.execute("SELECT raw FROM transactions WHERE block = ? ORDER BY position", (number,))
            return [row[0] for row in rows]

    def receipts(self, first: int, last: int) -> Iterator[tuple[int, bytes, list[StoredReceipt]]]:
        """Yield number, hash and receipts of each stored block of a range that has any."""
        with self._read() as db:
            rows = db.execute(
                "SELECT b.number, b.hash, t.hash, r.position, r.rlp, r.gas_used, r.first_log, r.revert FROM receipts r"
                " JOIN blocks b ON b.number = r.block"
                " JOIN transactions t ON t.block = r.block AND t.position = r.position"
                " WHERE r.block BETWEEN ? AND ? AND b.hash IS NOT NULL ORDER BY r.block, r.position",
                (first, last),
            )
            number, block_hash, found = -1, b"", list[StoredReceipt]()
            for row in rows:
                if row[0] != number:
                    if found:
                        yield number, block_hash, found
                    number, block_hash, found = row[0], row[1], []
                found.append(StoredReceipt(*row[2:]))
            if found:
                yield number, block_hash, found

    def receipt(self, tx_hash: bytes) -> tuple[int, bytes, StoredReceipt] | None:
        """Return block number, block hash and receipt of a transaction whose block is stored."""
        with self._read() as db:
            row = db.execute(
                "SELECT b.number, b.hash, t.hash, r.position, r.rlp, r.gas_used, r.first_log, r.revert"
                " FROM transactions t JOIN blocks b ON b.number = t.block"
                " JOIN receipts r ON r.block = t.block AND r.position = t.position"
                " WHERE t.hash = ? AND b.hash IS NOT NULL",
                (tx_hash,),
            ).fetchone()
        return None if row is None else (row[0], row[1], StoredReceipt(*row[2:]))

    def count_placed(self, after: int) -> int:
        """Return how many transactions stand in blocks above ``after``."""
        with self._read() as db:
            row = db.execute("SELECT count(*) FROM transactions WHERE block > ?", (after,)).fetchone()
        return int(row[0])

    # Snapshots.

    def record_snapshot(self, snapshot: Snapshot) -> None:
        """Record a snapshot whose file is on disk already."""
        with self._write() as db:
            db.execute(
                "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)",
                (snapshot.number, snapshot.file, snapshot.sha256, snapshot.engine),
            )

    def forget_snapshots(self, below: int) -> None:
        """Forget the snapshots of blocks under ``below``."""
        with self._write() as db:
            db.execute("DELETE FROM snapshots WHERE number < ?", (below,))

    def snapshots(self) -> list[Snapshot]:
        """Return the recorded snapshots, newest first."""
        with self._read() as db:
            rows = db.execute("SELECT number, file, sha256, engine FROM snapshots ORDER BY number DESC")
            return [Snapshot(*row) for row in rows]


_BLOCK: Final = (
    "SELECT number, timestamp, engine, coalesce(hash, x''), coalesce(header, x''), coalesce(signer, x''),"
    " coalesce(seal, x'') FROM blocks"
)


def _block(row: tuple[int, int, str, bytes, bytes, bytes, bytes]) -> JournalledBlock:
    return JournalledBlock(*row)
