"""What an operator is told of the log's witnesses: who cosigned what, and what keeps the others from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from ledger.service.times import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.log.policy import Policy


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


def witnesses_told(witnessed: WitnessedLog | None) -> dict[str, Any] | None:
    """Return what status and health say of the witnesses; None for a log that has none."""
    if witnessed is None:
        return None
    return {
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
