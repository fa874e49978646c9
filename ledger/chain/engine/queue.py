"""The order in which acknowledged transactions enter blocks: arrival, but never a sender's nonce out of turn.

This is the index in memory over the journal's pending rows. Rebuilding it from those rows gives a valid order again;
the order that counts is the journal's, once a block is begun. Not safe for threads: the engine's lock guards it.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.chain.engine.journal_rows import Entry

__all__ = ["Queue"]


class Queue:
    """Transactions that may be mined now, and those that wait for a smaller nonce.

    Args:
        placed_nonce: Returns the nonce after a sender's last one in a block.
    """

    def __init__(self, placed_nonce: Callable[[bytes], int]) -> None:
        self._placed_nonce = placed_nonce
        self._ready: deque[Entry] = deque()
        self._waiting: dict[bytes, dict[int, Entry]] = {}
        self._next: dict[bytes, int] = {}
        self._held: Counter[bytes] = Counter()

    def __len__(self) -> int:
        return self._held.total()

    def held_of(self, sender: bytes) -> int:
        """Return how many of a sender's transactions are here."""
        return self._held[sender]

    @property
    def ready_count(self) -> int:
        """Transactions that may be mined now."""
        return len(self._ready)

    def next_nonce(self, sender: bytes) -> int:
        """Return the nonce that the sender's next transaction should carry."""
        known = self._next.get(sender)
        if known is None:
            known = self._next[sender] = self._placed_nonce(sender)
        return known

    def admit(self, entry: Entry) -> None:
        """Take in a durable transaction; it and those that waited for it become ready."""
        self._held[entry.sender] += 1
        self._waiting.setdefault(entry.sender, {})[entry.nonce] = entry
        self._promote(entry.sender)

    def _promote(self, sender: bytes) -> None:
        waiting = self._waiting.get(sender, {})
        nonce = self.next_nonce(sender)
        while nonce in waiting:
            self._ready.append(waiting.pop(nonce))
            nonce += 1
        self._next[sender] = nonce
        if not waiting:
            self._waiting.pop(sender, None)

    def take(self, *, count_max: int, gas_max: int) -> list[Entry]:
        """Remove and return the next batch: a prefix of what is ready, within a block's bounds."""
        batch: list[Entry] = []
        gas = 0
        while self._ready and len(batch) < count_max and gas + self._ready[0].gas <= gas_max:
            entry = self._ready.popleft()
            gas += entry.gas
            batch.append(entry)
        self._release(batch)
        return batch

    def put_back(self, batch: Sequence[Entry]) -> None:
        """Return a batch that was not begun to the head of the queue."""
        self._ready.extendleft(reversed(batch))
        self._held.update(entry.sender for entry in batch)

    def drop(self, refused: Sequence[Entry]) -> None:
        """Forget refused transactions that were ``put_back``; later ones of their senders wait for a replacement."""
        gone = {entry.seq for entry in refused}
        lowest: dict[bytes, int] = {}
        for entry in refused:
            lowest[entry.sender] = min(entry.nonce, lowest.get(entry.sender, entry.nonce))
        kept: deque[Entry] = deque()
        for entry in self._ready:
            if entry.seq in gone:
                self._release([entry])
            elif entry.nonce > lowest.get(entry.sender, entry.nonce):
                self._waiting.setdefault(entry.sender, {})[entry.nonce] = entry
            else:
                kept.append(entry)
        self._ready = kept
        for sender, nonce in lowest.items():
            self._next[sender] = nonce
            self._promote(sender)

    def _release(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._held[entry.sender] -= 1
            if not self._held[entry.sender]:
                del self._held[entry.sender]
