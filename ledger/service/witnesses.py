"""What an operator is told of the log's witnesses: who cosigned what, and what keeps the others from it.

A witness contradicts the log when it says that it cosigned a later size or another root. One that says so may lie, so
it does not stop a log that meets its policy without it. Where none can meet the policy without those who say so, the
log is an older copy or was rewritten as far as anybody could show, and `ledger.service.standstill` refuses events.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from ledger.service.times import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.log.checkpoint import Checkpoint
    from ledger.log.policy import Policy
    from ledger.log.ports import ProvesConsistency

WHAT_TO_DO: Final = (
    "Stop the service and keep everything. `AHEAD`: this home is an older copy, or runs twice: find the newest home. "
    "`FORKED`: entries were rewritten, here or at the witness: compare this home with its backups. Only if the "
    "witness is proved wrong, take it out of the policy in QUANZE_WITNESSES. Reporters keep their events and send "
    "them again."
)


class Problem(StrEnum):
    """Why a witness did not cosign the last checkpoint that it was asked to."""

    NONE = ""
    UNREACHABLE = "UNREACHABLE"
    UNKNOWN_LOG = "UNKNOWN_LOG"
    KEY_REFUSED = "KEY_REFUSED"
    BAD_ANSWER = "BAD_ANSWER"
    AHEAD = "AHEAD"
    """It cosigned a later size than this log has: the log was restored from an older copy, or runs twice."""
    FORKED = "FORKED"
    """It cosigned another root than this log's: one of the two logs was rewritten."""


@dataclass(frozen=True, slots=True)
class WitnessEra:
    """Whose cosignatures, and how many of them, every checkpoint published from a size on bears."""

    since: int
    keys: tuple[str, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class WitnessStanding:
    """One witness of the policy, as it last answered."""

    name: str
    key_name: str
    url: str
    size: int = 0
    """The size that it is known to have cosigned."""
    cosigned_at: int = 0
    problem: Problem = Problem.NONE
    detail: str = ""


class WitnessedLog(Protocol):
    """The log's witnesses, where it has a policy."""

    @property
    def policy(self) -> Policy:
        """The policy that a checkpoint must meet before it is published."""
        ...

    def standings(self) -> Sequence[WitnessStanding]:
        """Return what each witness last answered."""
        ...

    def unmet_for_s(self) -> float:
        """Return for how long the policy has not been met; 0 while it is."""
        ...

    def ask(self, note: bytes, checkpoint: Checkpoint, log: ProvesConsistency) -> None:
        """Let each witness say what it cosigned last; ``standings`` tells."""
        ...


def contradicting(witnessed: WitnessedLog, size: int) -> list[WitnessStanding]:
    """Return the witnesses that cosigned another log than this one of so many entries, as they say.

    A later size than a checkpoint's, but none above the log's own, is no contradiction: a crash came between the
    cosignature and the publication.
    """
    return [
        one
        for one in witnessed.standings()
        if one.problem is Problem.FORKED or (one.problem is Problem.AHEAD and one.size > size)
    ]


def barring(witnessed: WitnessedLog, size: int) -> list[WitnessStanding]:
    """Return the witnesses that contradict the log, if no checkpoint can meet the policy without them; else nobody."""
    against = contradicting(witnessed, size)
    if not against:
        return []
    names = {one.name for one in against}
    others = frozenset(one.name for one in witnessed.policy.witnesses if one.name not in names)
    return [] if witnessed.policy.is_met_by(others) else against


def said_by(standings: Sequence[WitnessStanding]) -> str:
    """Return in words what witnesses say."""
    return "; ".join(f"{one.name} {one.problem}: {one.detail}" for one in standings)


def alarm_of(witnessed: WitnessedLog, size: int) -> str:
    """Return what the operator must know and do about witnesses that contradict the log; empty if none does."""
    against = contradicting(witnessed, size)
    if not against:
        return ""
    if barring(witnessed, size):
        return f"No events are taken in: witnesses contradict this log ({said_by(against)}). {WHAT_TO_DO}"
    return (
        f"A witness contradicts this log, which goes on with the others ({said_by(against)}). "
        "One of the two is wrong: compare the notes that the witness and this log signed, now."
    )


def witnesses_told(witnessed: WitnessedLog | None, size: int) -> dict[str, Any] | None:
    """Return what status and health say of the witnesses of a log of so many entries; None where it has none."""
    if witnessed is None:
        return None
    return {
        "alarm": alarm_of(witnessed, size),
        "takes_events": not barring(witnessed, size),
        "quorum": witnessed.policy.quorum,
        "needed": witnessed.policy.fewest(),
        "is_met": witnessed.unmet_for_s() == 0,
        "unmet_for_s": round(witnessed.unmet_for_s(), 1),
        "witnesses": [
            {
                "name": one.name,
                "key_name": one.key_name,
                "url": one.url,
                "size": one.size,
                "cosigned_at": iso(one.cosigned_at) if one.cosigned_at else "",
                "problem": one.problem.value,
                "detail": one.detail,
            }
            for one in witnessed.standings()
        ],
    }
