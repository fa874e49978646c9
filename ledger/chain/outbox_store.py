"""What the outbox knows on disk: intents by the caller's key, and the signed attempts at each nonce.

Every method is one transaction that is on disk when it returns. A nonce is given out in the same
transaction that stores the intent and its signed bytes, so nonces have no gaps whatever is killed, and
no bytes leave the process that a restart would not know of.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.domain.errors import ConflictError, IntegrityError, RefusedError
from ledger.service.ports import ChainReceipt
from ledger.sqlite import copy_database, open_durable, transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.chain.raw_transaction import RawTransaction

_SCHEMA = """
CREATE TABLE IF NOT EXISTS senders (address BLOB PRIMARY KEY, next_nonce INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS intents (
    key TEXT PRIMARY KEY,
    digest BLOB NOT NULL,
    target BLOB NOT NULL,
    data BLOB NOT NULL,
    gas INTEGER NOT NULL,
    state TEXT NOT NULL,
    sender BLOB NOT NULL,
    nonce INTEGER NOT NULL,
    outcome BLOB,
    UNIQUE (sender, nonce)
) STRICT;
CREATE TABLE IF NOT EXISTS attempts (
    sender BLOB NOT NULL,
    nonce INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    tx_hash BLOB NOT NULL UNIQUE,
    raw BLOB NOT NULL,
    filler TEXT,
    PRIMARY KEY (sender, nonce, ordinal)
) STRICT;
CREATE INDEX IF NOT EXISTS pending_intents ON intents (sender, nonce) WHERE state = 'PENDING';
"""
_INTENT = "key, digest, target, data, gas, state, sender, nonce, outcome"


class IntentState(StrEnum):
    """PENDING until one attempt at its nonce is final; then DONE or REFUSED while the chain has it."""

    PENDING = "PENDING"
    DONE = "DONE"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that was accepted: what to call, and at which nonce of which sender."""

    key: str
    digest: bytes
    target: bytes
    data: bytes
    gas: int
    state: IntentState
    sender: bytes
    nonce: int
    outcome: bytes | None

    def receipt(self) -> ChainReceipt:
        """Return the receipt of a DONE intent."""
        return msgspec.msgpack.decode(self.outcome or b"", type=ChainReceipt)

    def refusal(self) -> RefusedError:
        """Return the error of a REFUSED intent."""
        name, arguments, contract = msgspec.msgpack.decode(self.outcome or b"")
        return RefusedError(name, arguments, contract)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Signed bytes sent at a nonce; ``filler`` is why the nonce was given to a no-op, else None."""

    ordinal: int
    tx_hash: bytes
    raw: bytes
    filler: str | None


class OutboxStore:
    """The outbox's SQLite file."""

    def __init__(self, path: Path) -> None:
        self._connection = open_durable(path)
        self._connection.executescript(_SCHEMA)
        self._lock = threading.RLock()

    def intent(self, key: str) -> Intent | None:
        """Return the intent under a key."""
        with self._lock:
            row = self._connection.execute(f"SELECT {_INTENT} FROM intents WHERE key = ?", (key,)).fetchone()  # noqa: S608
        return None if row is None else _intent_of(row)

    def add(
        self,
        key: str,
        *,
        digest: bytes,
        target: bytes,
        data: bytes,
        gas: int,
        sender: bytes,
        nonce_on_chain: int,
        sign: Callable[[int], RawTransaction],
    ) -> tuple[Intent, bool]:
        """Store an intent with the sender's next nonce and its signed bytes.

        Returns:
            The intent, and whether it is new: under a known key the stored one is returned unchanged.

        Raises:
            ConflictError: the key is known with other content; names both digests.
        """
        with self._lock, transaction(self._connection):
            known = self.intent(key)
            if known is not None:
                if known.digest != digest:
                    raise ConflictError(
                        f"outbox key {key}",
                        "the key was used for other content",
                        stored=known.digest,
                        given=digest,
                    )
                return known, False
            nonce = self._take_nonce(sender, nonce_on_chain)
            signed = sign(nonce)
            self._connection.execute(
                f"INSERT INTO intents ({_INTENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",  # noqa: S608
                (key, digest, target, data, gas, IntentState.PENDING, sender, nonce),
            )
            self._insert_attempt(sender, nonce, signed, None)
        return Intent(key, digest, target, data, gas, IntentState.PENDING, sender, nonce, None), True

    def move(self, intent: Intent, nonce_on_chain: int, sign: Callable[[int], RawTransaction]) -> None:
        """Give a pending intent a new nonce, because a transaction not ours took its own for good."""
        with self._lock, transaction(self._connection):
            nonce = self._take_nonce(intent.sender, nonce_on_chain)
            self._connection.execute(
                "UPDATE intents SET nonce = ? WHERE key = ? AND state = 'PENDING'", (nonce, intent.key)
            )
            self._insert_attempt(intent.sender, nonce, sign(nonce), None)

    def add_attempt(self, intent: Intent, signed: RawTransaction, filler: str | None) -> None:
        """Store another transaction for the same nonce before it is sent."""
        with self._lock, transaction(self._connection):
            self._insert_attempt(intent.sender, intent.nonce, signed, filler)

    def attempts(self, intent: Intent) -> list[Attempt]:
        """Return all attempts at the intent's nonce, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT ordinal, tx_hash, raw, filler FROM attempts WHERE sender = ? AND nonce = ? ORDER BY ordinal",
                (intent.sender, intent.nonce),
            ).fetchall()
        return [Attempt(*row) for row in rows]

    def key_of(self, tx_hash: bytes) -> str | None:
        """Return the key of the intent at whose nonce a transaction was attempted."""
        with self._lock:
            row = self._connection.execute(
                "SELECT key FROM attempts JOIN intents USING (sender, nonce) WHERE tx_hash = ?", (tx_hash,)
            ).fetchone()
        return None if row is None else str(row[0])

    def pending(self, sender: bytes | None = None) -> list[Intent]:
        """Return pending intents, lowest nonce first."""
        condition, values = ("AND sender = ?", (sender,)) if sender is not None else ("", ())
        with self._lock:
            rows = self._connection.execute(
                f"SELECT {_INTENT} FROM intents WHERE state = 'PENDING' {condition} ORDER BY sender, nonce",  # noqa: S608
                values,
            ).fetchall()
        return [_intent_of(row) for row in rows]

    def settle_done(self, intent: Intent, receipt: ChainReceipt) -> None:
        """Record that the write is done; the first outcome stays."""
        self._settle(intent, IntentState.DONE, msgspec.msgpack.encode(receipt))

    def settle_refused(self, intent: Intent, refusal: RefusedError) -> None:
        """Record that the write was refused; the first outcome stays."""
        outcome = msgspec.msgpack.encode([refusal.error, dict(refusal.arguments), refusal.fields["contract"]])
        self._settle(intent, IntentState.REFUSED, outcome)

    def reopen_from(self, sender: bytes, nonce: int) -> int:
        """Make pending again what was settled from a nonce on, and return how many writes that were.

        Raises:
            IntegrityError: a nonce from there on was given out and no write has it, so that none after it can be mined.
        """
        with self._lock, transaction(self._connection):
            row = self._connection.execute("SELECT next_nonce FROM senders WHERE address = ?", (sender,)).fetchone()
            held = self._connection.execute(
                "SELECT count(*) FROM intents WHERE sender = ? AND nonce >= ?", (sender, nonce)
            ).fetchone()[0]
            if row is not None and row[0] - nonce > held:
                raise IntegrityError(
                    "outbox", "a nonce was given out that no write has", sender=sender, chain=nonce, next_nonce=row[0]
                )
            changed = self._connection.execute(
                "UPDATE intents SET state = 'PENDING', outcome = NULL"
                " WHERE sender = ? AND nonce >= ? AND state != 'PENDING'",
                (sender, nonce),
            )
            return changed.rowcount

    def backup(self, target: Path) -> None:
        """Write a consistent copy to a new file."""
        with self._lock:
            copy_database(self._connection, target)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _settle(self, intent: Intent, state: IntentState, outcome: bytes) -> None:
        with self._lock, transaction(self._connection):
            self._connection.execute(
                "UPDATE intents SET state = ?, outcome = ? WHERE key = ? AND state = 'PENDING'",
                (state, outcome, intent.key),
            )

    def _take_nonce(self, sender: bytes, nonce_on_chain: int) -> int:
        row = self._connection.execute("SELECT next_nonce FROM senders WHERE address = ?", (sender,)).fetchone()
        nonce = max(nonce_on_chain, 0 if row is None else int(row[0]))
        self._connection.execute(
            "INSERT INTO senders VALUES (?, ?) ON CONFLICT (address) DO UPDATE SET next_nonce = excluded.next_nonce",
            (sender, nonce + 1),
        )
        return nonce

    def _insert_attempt(self, sender: bytes, nonce: int, signed: RawTransaction, filler: str | None) -> None:
        self._connection.execute(
            "INSERT INTO attempts SELECT ?, ?, coalesce(max(ordinal) + 1, 0), ?, ?, ? FROM attempts"
            " WHERE sender = ? AND nonce = ?",
            (sender, nonce, signed.hash, signed.raw, filler, sender, nonce),
        )


def _intent_of(row: tuple[Any, ...]) -> Intent:
    key, digest, target, data, gas, state, sender, nonce, outcome = row
    return Intent(key, digest, target, data, gas, IntentState(state), sender, nonce, outcome)
