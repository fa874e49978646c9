"""Who may report an event: the one rule that acceptance and evidence hold to.

A reporter tells its own agency's side of an exchange, or that of an agency which entrusted it with the duty RECORD over
the agreement. A record that names nobody on its side, as of a request refused before it named a client, speaks for
its reporter alone: whoever made the record is all that it says.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from ledger.domain.codes import Duty, PostRole, ResponsibilityRole, Side
from ledger.domain.history import known_by_block
from ledger.domain.identifiers import duty_key
from ledger.domain.responsibility_state import fold_responsibility

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ledger.domain.event_log import Event, Recorded
    from ledger.domain.event_v1 import EventV1
    from ledger.domain.identifiers import PostRef

MAY_REPORT: Final = PostRole.REPORTER | PostRole.PLATFORM_OPERATOR
"""Roles, one of which a reporter holds."""

EVENT_DEADLINE_MAX_S: Final = 3_600
"""A batch's deadline is at most this long after the bound block's time: fixed by the formats.

Until its deadline an operator can put a signed event on record at a block of its choice.
"""


class Standing(Enum):
    """By what right a post reports an event."""

    OWN = "its own agency's side"
    NOBODY = "a side that names nobody"
    ENTRUSTED = "entrusted with the records of the agreement"


def standing(
    event: EventV1,
    reporter: PostRef,
    read: Callable[[bytes], Iterable[Recorded[Event]]],
    *,
    block: int,
    time: int,
) -> Standing | None:
    """Return by what right a post reports an event; None if it has none.

    Args:
        event: The event.
        reporter: The post.
        read: Gives the history of a duty over an object, by its key.
        block: The bound block: what is recorded after it does not count.
        time: The bound block's time.

    Raises:
        IntegrityError: The history is one that no contract would have made.
    """
    side = event.provider if event.side is Side.PROVIDER else event.requester
    if side == str(reporter.agency):
        return Standing.OWN
    if not side:
        return Standing.NOBODY
    if not event.agreement:
        return None
    about = bytes.fromhex(event.agreement)
    state = fold_responsibility(known_by_block(read(duty_key(Duty.RECORD, about)), block))
    holders = state.holders_at(Duty.RECORD, about, time)
    trusted = any(held.role == ResponsibilityRole.ENTRUSTED and held.assignee == reporter.id for held in holders)
    return Standing.ENTRUSTED if trusted else None
