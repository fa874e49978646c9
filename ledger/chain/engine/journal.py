"""The engine's own durable record: queue, journal, receipts and snapshots, in one SQLite file.

A transaction is a row from the moment it is acknowledged. A block is a row before it is mined, and its transactions are
those that name it, in order; once mined it gains its hash, header, receipts and seal in one commit. Invariants:

- ``synchronous=FULL`` on a write-ahead log: what a method committed is on disk when it returns.
- Only the newest block may lack its hash.
- One live transaction for each sender and nonce; refused ones stay, with the reason.

``ledger.chain.engine.journal_file`` keeps the first, and what readers see meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.chain.engine.journal_file import JournalFile
from ledger.chain.engine.journal_rows import Entry, JournalledBlock, Placed, Snapshot, StoredReceipt
from ledger.domain.errors import IntegrityError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ledger.chain.engine.block import CheckedBlock
    from ledger.chain.engine.transaction import Transaction

__all__ = ["Journal"]


class Journal:
    """The database. Methods that write commit before they return.

    Args:
        path: The database file; it is made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self._file = JournalFile(path)

    @property
    def write_lock(self) -> threading.RLock:
        """Held by whoever writes; hold it to let several writes be one step to other threads."""
        return self._file.write_lock

    def close(self) -> None:
        """Close every connection."""
        self._file.close()

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the database while it is in use."""
        self._file.copy_to(path)

    # What the deployment is.

    def fix(self, name: str, value: int | bytes | str) -> None:
        """Record a value that never changes.

        Raises:
            IntegrityError: Another value is recorded already.
        """
        with self._file.write() as db:
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
        with self._file.write() as db:
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
        with self._file.write() as db:
            db.executemany(
                "UPDATE transactions SET refusal = ? WHERE seq = ? AND block IS NULL",
                [(reason, entry.seq) for entry, reason in refusals],
            )

    def pending(self) -> list[Entry]:
        """Return the queue in the order of arrival."""
        with self._file.read() as db:
            rows = db.execute(
                "SELECT seq, hash, raw, sender, nonce, gas FROM transactions"
                " WHERE block IS NULL AND refusal IS NULL ORDER BY seq"
            )
            return [Entry(*row) for row in rows]

    def find(self, tx_hash: bytes) -> Placed | None:
        """Return where a transaction stands, or None if it was never acknowledged."""
        with self._file.read() as db:
            row = db.execute("SELECT block, position, refusal FROM transactions WHERE hash = ?", (tx_hash,)).fetchone()
        return None if row is None else Placed(*row)

    def raw_transaction(self, tx_hash: bytes) -> bytes | None:
        """Return the bytes of an acknowledged transaction."""
        with self._file.read() as db:
            row = db.execute("SELECT raw FROM transactions WHERE hash = ?", (tx_hash,)).fetchone()
        return None if row is None else row[0]

    def holder(self, sender: bytes, nonce: int) -> bytes | None:
        """Return the hash of the live transaction with this sender and nonce."""
        with self._file.read() as db:
            row = db.execute(
                "SELECT hash FROM transactions WHERE sender = ? AND nonce = ? AND refusal IS NULL", (sender, nonce)
            ).fetchone()
        return None if row is None else row[0]

    def placed_nonce(self, sender: bytes) -> int:
        """Return the nonce after the sender's last one in a block."""
        with self._file.read() as db:
            row = db.execute(
                "SELECT nonce FROM transactions WHERE sender = ? AND refusal IS NULL AND block IS NOT NULL"
                " ORDER BY nonce DESC LIMIT 1",
                (sender,),
            ).fetchone()
        return 0 if row is None else row[0] + 1

    # The journal.

    def begin_block(self, number: int, timestamp: int, engine: str, entries: Sequence[Entry]) -> None:
        """Commit what block ``number`` will be, before it is mined."""
        with self._file.write() as db:
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
        with self._file.write() as db:
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
        with self._file.read() as db:
            row = db.execute(f"{_BLOCK} ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else _block(row)

    def tip(self) -> JournalledBlock | None:
        """Return the newest block that is mined and stored."""
        with self._file.read() as db:
            row = db.execute(f"{_BLOCK} WHERE hash IS NOT NULL ORDER BY number DESC LIMIT 1").fetchone()
        return None if row is None else _block(row)

    def blocks(self, first: int, last: int) -> list[JournalledBlock]:
        """Return the blocks of a range, both ends included."""
        with self._file.read() as db:
            rows = db.execute(f"{_BLOCK} WHERE number BETWEEN ? AND ? ORDER BY number", (first, last))
            return [_block(row) for row in rows]

    def block_number(self, block_hash: bytes) -> int | None:
        """Return the number of the stored block with this hash."""
        with self._file.read() as db:
            row = db.execute("SELECT number FROM blocks WHERE hash = ?", (block_hash,)).fetchone()
        return None if row is None else row[0]

    def raw_transactions(self, number: int) -> list[bytes]:
        """Return a block's transactions in order."""
        with self._file.read() as db:
            rows = db.execute("SELECT raw FROM transactions WHERE block = ? ORDER BY position", (number,))
            return [row[0] for row in rows]

    def receipts(self, first: int, last: int) -> Iterator[tuple[int, bytes, list[StoredReceipt]]]:
        """Yield number, hash and receipts of each stored block of a range that has any."""
        with self._file.read() as db:
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
        with self._file.read() as db:
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
        with self._file.read() as db:
            row = db.execute("SELECT count(*) FROM transactions WHERE block > ?", (after,)).fetchone()
        return int(row[0])

    # Snapshots.

    def record_snapshot(self, snapshot: Snapshot) -> None:
        """Record a snapshot whose file is on disk already."""
        with self._file.write() as db:
            db.execute(
                "INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)",
                (snapshot.number, snapshot.file, snapshot.sha256, snapshot.engine),
            )

    def forget_snapshots(self, below: int) -> None:
        """Forget the snapshots of blocks under ``below``."""
        with self._file.write() as db:
            db.execute("DELETE FROM snapshots WHERE number < ?", (below,))

    def snapshots(self) -> list[Snapshot]:
        """Return the recorded snapshots, newest first."""
        with self._file.read() as db:
            rows = db.execute("SELECT number, file, sha256, engine FROM snapshots ORDER BY number DESC")
            return [Snapshot(*row) for row in rows]


_BLOCK: Final = (
    "SELECT number, timestamp, engine, coalesce(hash, x''), coalesce(header, x''), coalesce(signer, x''),"
    " coalesce(seal, x'') FROM blocks"
)


def _block(row: tuple[int, int, str, bytes, bytes, bytes, bytes]) -> JournalledBlock:
    return JournalledBlock(*row)
