"""Two monitors' memories, put side by side: how a log that shows two people two logs is caught.

The notes of each are enough where both saw the same size. For two sizes a proof is needed; it is asked of the log as
either of the two reads it, and it is checked against what both were shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.errors import LedgerError, VerificationError
from ledger.monitor.evidence import FORMAT, Alarm, Kind, open_note
from ledger.monitor.watching import prove_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.evidence.trust_root import Log
    from ledger.log.checkpoint import Checkpoint
    from ledger.log.ports import Fetcher
    from ledger.monitor.evidence import Prefix
    from ledger.monitor.state import Seen


@dataclass(frozen=True, slots=True)
class Compared:
    """What two memories say together.

    ``common`` sizes were seen by both with one root. ``joined`` is the pair of newest sizes that a proof joined, empty
    if none was to be had: then nothing was found out about what lies beyond the largest common size.
    """

    common: int
    largest_common: int
    joined: tuple[int, int] | tuple[()]
    alarm: Alarm | None


def compare_notes(
    log: Log,
    ours: Sequence[Seen],
    theirs: Sequence[Seen],
    *,
    fetchers: Sequence[Fetcher],
    now_ms: int,
) -> Compared:
    """Compare all notes of two memories.

    Args:
        log: the log's name and keys; notes that they did not sign are left out.
        ours: one memory.
        theirs: the other.
        fetchers: places to ask for a proof between two sizes.
        now_ms: the time of the alarm, if one is made.
    """
    first, second = _by_size(log, ours), _by_size(log, theirs)

    def alarm(one: Seen, other: Seen, detail: str, prefix: Prefix | None = None) -> Alarm:
        return Alarm(
            anchor=None,
            detail=detail,
            format=FORMAT,
            kind=Kind.FORK,
            log=log,
            made_at_ms=now_ms,
            notes=[one.shown(), other.shown()],
            prefix=prefix,
        )

    common = sorted(first.keys() & second.keys())
    for size in common:
        (one, seen), (other, shown) = first[size], second[size]
        if one.root != other.root:
            told = alarm(seen, shown, f"two people were shown two roots of {size} entries")
            return Compared(len(common), common[0], (), told)
    largest = common[-1] if common else 0
    if not first or not second:
        return Compared(len(common), largest, (), None)
    (one, seen), (other, shown) = sorted((first[max(first)], second[max(second)]), key=lambda pair: pair[0].size)
    if one.size in {other.size, 0}:
        return Compared(len(common), largest, (one.size, other.size), None)
    for fetcher in fetchers:
        try:
            prefix = prove_prefix(fetcher, one.size, other.size, other.root)
        except LedgerError:
            continue
        if prefix.root == one.root.hex():
            return Compared(len(common), largest, (one.size, other.size), None)
        told = alarm(seen, shown, f"what one was shown ({one.size} entries) is not in what the other was", prefix)
        return Compared(len(common), largest, (one.size, other.size), told)
    return Compared(len(common), largest, (), None)


def _by_size(log: Log, notes: Sequence[Seen]) -> dict[int, tuple[Checkpoint, Seen]]:
    found: dict[int, tuple[Checkpoint, Seen]] = {}
    for seen in notes:
        try:
            checkpoint = open_note(log, seen.note)
        except VerificationError:
            continue
        found.setdefault(checkpoint.size, (checkpoint, seen))
    return found
