"""Recognising a home that was restored from an older copy, or whose log was rewritten: somebody knows better.

Three may know: a network's chain (its last anchor), the witnesses (what they cosigned last) and a high-water record
outside the home. The embedded chain is restored with the home and knows nothing. An index that was issued once must
never be issued again with other content, so such a home does not write; it may still be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ledger.domain.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable


class RestoredOlderCopyError(IntegrityError):
    """Somebody outside knows a later size of this log than the home holds."""

    code = "restored_older_copy"
    meaning = "This home is an older copy: somebody outside it knows a later size of its log."
    remedy = (
        "Do not write with it. Find the newest home or a later backup, or the disk that was lost. To read what this "
        "copy holds, run `quanze up --read-only`. If the later entries are lost for good, make a new deployment that "
        "names this one's last anchor: indexes that were issued are never issued again."
    )

    def __init__(self, known_by: str, log: int, known: int) -> None:
        super().__init__(
            "log",
            f"it is shorter than its last size known to {known_by}: this home is an older copy, and does not write",
            log=log,
            known=known,
            known_by=known_by,
        )


class LogRewrittenError(IntegrityError):
    """Somebody outside knows another root for a size of this log."""

    code = "log_rewritten"
    meaning = "The log's entries are not those that somebody outside the home knows."
    remedy = (
        "Do not write with it. Keep this home as it is, and compare it with an older backup: one of the two was "
        "altered. Whoever watches the log has notes that say which."
    )

    def __init__(self, known_by: str, size: int, found: bytes, known: bytes) -> None:
        super().__init__(
            "log",
            f"its root is not the one known to {known_by}",
            size=size,
            found=found,
            known=known,
            known_by=known_by,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """A size of the log that somebody outside the home knows, and its root if they said it."""

    by: str
    size: int
    root: bytes | None = None


class _Log(Protocol):
    def size(self) -> int: ...
    def root(self, size: int) -> bytes: ...


def check_newest(log: _Log, known: Iterable[Known]) -> None:
    """Return if the log has all that is known of it outside.

    Raises:
        RestoredOlderCopyError: It is shorter than somebody knows.
        LogRewrittenError: It has another root at a size that somebody knows.
    """
    for one in sorted(known, key=lambda one: -one.size):
        if one.size > log.size():
            raise RestoredOlderCopyError(one.by, log.size(), one.size)
        if one.root is not None and (found := log.root(one.size)) != one.root:
            raise LogRewrittenError(one.by, one.size, found, one.root)
