"""Whether the chain still has the blocks that somebody holds: a pure comparison, with every case named.

Held are the blocks from the newest one that is final (F) to the tip (T); shown are the node's blocks of the
same numbers, fewer if its chain is shorter.

    1. Every held block is shown with the same hash                        Accepted
    2. A block above F is shown with another hash                          Reorged to the one below it
    3. The node's chain ends below T, and is the same up to its end        Reorged to its end
    4. F itself is shown with another hash                                 Finalized
    5. The node's chain ends below F                                       Finalized

A reorganisation is ordinary. Finalized is not: either the node lies, or what was called final was not, and
nobody may go on silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.service.following import Mark
    from ledger.service.ports import BlockHeader


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is held is on the chain."""


@dataclass(frozen=True, slots=True)
class Reorged:
    """What is held above ``to`` is on the chain no longer."""

    to: Mark


@dataclass(frozen=True, slots=True)
class Finalized:
    """The chain contradicts a block that was final; ``shown`` is empty where it has no such block."""

    held: Mark
    shown: bytes


Outcome: TypeAlias = Accepted | Reorged | Finalized


def compare(held: Sequence[Mark], shown: Sequence[BlockHeader]) -> Outcome:
    """Return what became of the held blocks. Both are in order, and ``held[0]`` is final."""
    for place, mark in enumerate(held):
        if place == len(shown):
            return Reorged(held[place - 1]) if place else Finalized(mark, b"")
        if shown[place].hash != mark.hash:
            return Reorged(held[place - 1]) if place else Finalized(mark, shown[place].hash)
    return Accepted()
