"""What a follower of the chain gives, and what keeps the index must take: the ports between the two.

Stretch   blocks that follow what is held, each the child of the one before, with every log of our contracts
Retreat   the newest held block that the chain still has; what is above it was replaced
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ledger.service.index import Index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.service.index_rows import FactRow
    from ledger.service.ports import BlockHeader, RawLog


@dataclass(frozen=True, slots=True)
class Mark:
    """A block by number and hash: what a cursor holds."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """Blocks that follow ``parent``, and their logs in chain order; ``final`` is the newest final block's number."""

    parent: Mark
    headers: tuple[BlockHeader, ...]
    logs: tuple[RawLog, ...]
    final: int

    @property
    def tip(self) -> Mark:
        """The last block of the stretch."""
        return Mark(self.headers[-1].number, self.headers[-1].hash)


@dataclass(frozen=True, slots=True)
class Retreat:
    """The chain was reorganised: everything above ``to`` is no longer on it."""

    to: Mark


class Follower(Protocol):
    """Reads the chain forward from what somebody holds of it, believing nothing that does not fit together."""

    def next(self, held: Sequence[Mark], until: int | None = None) -> Stretch | Retreat | None:
        """Return what comes after ``held``, up to the block ``until``; None if nothing does.

        Args:
            held: The holder's blocks in order, from the newest one that is final to its cursor; empty at the start.
            until: No block above this one.

        Raises:
            UnavailableError: The node did not answer, or its answers are of different moments; try again.
            IntegrityError: The chain contradicts a final block, or the node's answers contradict each other.
        """
        ...


@dataclass(frozen=True, slots=True)
class LeafMark:
    """How far the log is indexed: so many leaves, and the RFC 6962 hash of the last one (empty for none)."""

    leaves: int
    last: bytes


class IndexStore(Index, Protocol):
    """The index with its other side: what may be written to it, each call in one transaction."""

    def held(self) -> list[Mark]:
        """Return the blocks from the newest held one that is final to the cursor."""
        ...

    def apply(self, stretch: Stretch) -> None:
        """Take a stretch: rows and cursor together. Blocks that are held already change nothing.

        Raises:
            IntegrityError: The stretch does not follow the cursor, or holds what our contracts cannot emit.
        """
        ...

    def retreat(self, to: Mark) -> None:
        """Take back every block above ``to``.

        Raises:
            IntegrityError: ``to`` is no block that is held.
        """
        ...

    def leaf_mark(self) -> LeafMark:
        """Return how far the log is indexed."""
        ...

    def add_facts(self, rows: Sequence[FactRow], mark: LeafMark) -> None:
        """Take the facts of the next leaves, and the mark that they lead to. Facts that are held change nothing."""
        ...

    def reset(self) -> None:
        """Drop everything and begin anew."""
        ...

    def row_counts(self) -> Mapping[str, int]:
        """Return the number of rows by table."""
        ...
