"""What a verification says: the numbered steps of docs/spec/evidence-v1.md, and the assurance reached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

TITLES: Final = (
    "The file and the trust root are in their one form",
    "The disclosed groups give the commitment, and the log entry holds it",
    "The entry is in the log at the checkpoint's size",
    "The checkpoint is signed by the log, and by witnesses as the policy asks",
    "The checkpoint is anchored on chain, in time for the entry's bound block",
    "Every block is sealed by the validators, and holds the transactions and receipts used",
    "The histories relied on are complete, and their signatures hold",
    "The reporter signed the event, with a key and a role that it had",
    "The verdict or answer is what the histories give",
)
"""Step number → title."""

NONE: Final = "NONE"
"""The assurance of a file that does not hold."""


class Status(Enum):
    """What became of a step."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its number and title, what became of it, and why or with what."""

    number: int
    title: str
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """All steps in their order, and what the file is worth if it holds."""

    steps: tuple[Step, ...]
    assurance: str

    @property
    def holds(self) -> bool:
        """Say whether every step that applies passed."""
        return all(step.status in {Status.PASSED, Status.NOT_APPLICABLE} for step in self.steps)

    @property
    def failed(self) -> Step | None:
        """The step that failed, if one did."""
        return next((step for step in self.steps if step.status is Status.FAILED), None)
