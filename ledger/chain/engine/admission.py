"""From a transaction's bytes to its place in the durable queue, or a reason why not.

Everything that anvil's pool would refuse later is refused here first, before anything is acknowledged. Concurrent
callers share one commit: whoever gets the journal's lock writes what all of them brought.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from ledger.chain.engine.transaction import parse
from ledger.domain.errors import ConflictError, InvalidInputError, LedgerError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.chain.engine.config import EngineConfig
    from ledger.chain.engine.journal import Journal
    from ledger.chain.engine.queue import Queue
    from ledger.chain.engine.transaction import Transaction

__all__ = ["Admission", "check_admissible"]


def check_admissible(raw: bytes, config: EngineConfig) -> Transaction:
    """Return the transaction if a London chain without money can ever take it.

    Raises:
        InvalidInputError: It is no signed transaction, is for another chain, or breaks a bound; never to be taken.
    """
    if len(raw) > config.transaction_bytes_max:
        raise InvalidInputError("raw_transaction", len(raw), f"at most {config.transaction_bytes_max} bytes")
    tx = parse(raw)
    if tx.chain_id != config.chain_id:
        raise InvalidInputError("chain_id", tx.chain_id, f"{config.chain_id}, this chain's id")
    if not tx.intrinsic_gas() <= tx.gas <= config.transaction_gas_max:
        raise InvalidInputError("gas", tx.gas, f"{tx.intrinsic_gas()} (what it needs) to {config.transaction_gas_max}")
    if tx.value or tx.fee_max:
        field, value = ("value", tx.value) if tx.value else ("fee", tx.fee_max)
        raise InvalidInputError(field, value, "0: nobody has money on this chain")
    return tx


class _Asked(NamedTuple):
    """A transaction that somebody waits to see acknowledged."""

    tx: Transaction
    done: Future[None]
    held_max: int | None


class Admission:
    """The way into the queue.

    Args:
        config: The chain's bounds.
        journal: Where a transaction is durable.
        queue: Where the sealer finds it.
        changed: Guards the queue; notified when it grew.
        crash_point: Told of each step, for kill tests.
    """

    def __init__(
        self,
        config: EngineConfig,
        journal: Journal,
        queue: Queue,
        changed: threading.Condition,
        crash_point: Callable[[str], None],
    ) -> None:
        self._config = config
        self._journal = journal
        self._queue = queue
        self._changed = changed
        self._crash_point = crash_point
        self._incoming: list[_Asked] = []
        self._incoming_lock = threading.Lock()

    def submit(self, raw: bytes, held_max: int | None = None) -> bytes:
        """Return the transaction's hash once it is in the queue on disk (or was there, or in a block, before).

        Args:
            raw: The signed transaction.
            held_max: How many of its sender's transactions the queue may hold, this one counted.

        Raises:
            InvalidInputError: It can never be taken.
            ConflictError: Another transaction of the sender has its nonce.
            RefusedError: It was refused before.
            UnavailableError: The queue is full or holds enough of the sender, or the nonce is too far ahead at present.
        """
        tx = check_admissible(raw, self._config)
        done: Future[None] = Future()
        with self._incoming_lock:
            self._incoming.append(_Asked(tx, done, held_max))
        with self._journal.write_lock:
            if not done.done():
                self._admit_all()
        done.result()
        return tx.hash

    def _admit_all(self) -> None:
        """Write everything that came in with one commit. The journal's lock is held."""
        with self._incoming_lock:
            incoming, self._incoming = self._incoming, []
        try:
            accepted = self._sift(incoming)
            entries = self._journal.enqueue([asked.tx for asked in accepted])
        except BaseException as error:  # Whatever it is: those who wait must not wait for ever.
            for asked in incoming:
                if not asked.done.done():
                    asked.done.set_exception(error)
            raise
        self._crash_point("queued")
        with self._changed:
            for entry in entries:
                self._queue.admit(entry)
            self._changed.notify_all()
        for asked in incoming:
            if not asked.done.done():
                asked.done.set_result(None)

    def _sift(self, incoming: list[_Asked]) -> list[_Asked]:
        """Answer those that need no writing, and return the rest, each at most once."""
        accepted: list[_Asked] = []
        taken: dict[tuple[bytes, int], bytes] = {}
        for asked in incoming:
            tx = asked.tx
            try:
                if taken.get((tx.sender, tx.nonce)) == tx.hash or self._is_known(tx):
                    continue  # Answered together with the others, after the commit.
                self._check_place(tx, taken, len(accepted))
                if asked.held_max is not None:
                    self._check_held(tx.sender, asked.held_max, sum(sender == tx.sender for sender, _ in taken))
            except LedgerError as error:
                asked.done.set_exception(error)
                continue
            taken[tx.sender, tx.nonce] = tx.hash
            accepted.append(asked)
        return accepted

    def _is_known(self, tx: Transaction) -> bool:
        placed = self._journal.find(tx.hash)
        if placed is not None and placed.refusal is not None:
            raise RefusedError("TransactionRefused", {"transaction": "0x" + tx.hash.hex(), "reason": placed.refusal})
        return placed is not None

    def _check_place(self, tx: Transaction, taken: dict[tuple[bytes, int], bytes], added: int) -> None:
        holder = taken.get((tx.sender, tx.nonce)) or self._journal.holder(tx.sender, tx.nonce)
        if holder is not None:
            raise ConflictError(
                "nonce", "another transaction has it", sender=tx.sender, nonce=tx.nonce, held_by=holder, given=tx.hash
            )
        with self._changed:
            due, size = self._queue.next_nonce(tx.sender), len(self._queue) + added
        if tx.nonce < due:
            raise ConflictError("nonce", "it is used up", sender=tx.sender, nonce=tx.nonce, next=due)
        if tx.nonce - due > self._config.nonce_gap_max + added:
            raise UnavailableError("the queue", "the nonce is too far ahead", nonce=tx.nonce, next=due)
        if size >= self._config.pending_max:
            raise UnavailableError("the queue", "it is full", pending=size)

    def _check_held(self, sender: bytes, held_max: int, added: int) -> None:
        with self._changed:
            held = self._queue.held_of(sender) + added
        if held >= held_max:
            raise UnavailableError("the queue", "it holds as many of this sender as it may", sender=sender, held=held)
