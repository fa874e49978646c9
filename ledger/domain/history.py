"""What every fold of events has in common: the order on chain, and what was known when.

Valid time is when something counted in the world; known time is when the ledger recorded it. A fold of the
events up to a known point is the state as it was known then, so a bitemporal question is two steps:

    state = fold_agreement(known_by_block(events, block))     # what was known
    state.status_at(valid_time)                               # what counted
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ledger.domain.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ledger.domain.event_log import Event, Recorded

E = TypeVar("E", bound="Event")


def known_by_block(events: Iterable[Recorded[E]], block: int) -> Iterator[Recorded[E]]:
    """Yield the events recorded in blocks up to ``block``, included."""
    return (recorded for recorded in events if recorded.block <= block)


def known_at(events: Iterable[Recorded[E]], timestamp: int) -> Iterator[Recorded[E]]:
    """Yield the events whose blocks' time is ``timestamp`` or before, in Unix seconds."""
    return (recorded for recorded in events if recorded.timestamp <= timestamp)


def in_order(events: Iterable[Recorded[E]], what: str) -> Iterator[Recorded[E]]:
    """Yield the events, checking that they stand in chain order with times that do not decrease.

    Raises:
        IntegrityError: an event stands before one that the chain has later, or stands twice.
    """
    position, timestamp = (-1, -1), -1
    for recorded in events:
        if recorded.position <= position or recorded.timestamp < timestamp:
            raise IntegrityError(what, "events out of chain order", block=recorded.block, log_index=recorded.log_index)
        position, timestamp = recorded.position, recorded.timestamp
        yield recorded
