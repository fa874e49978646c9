"""Whether an agreement gave a right over a dataset at a time, and if not, why not.

Pure, over one agreement folded from what was known: the ledger's answer and an auditor's recomputation call the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.codes import AgreementStatus, Mismatch
from ledger.domain.scalars import OPEN_END, ZERO32

if TYPE_CHECKING:
    from ledger.domain.agreement_state import AgreementState
    from ledger.domain.records import Grant


def reasons_against(state: AgreementState, *, recipient: bytes, dataset: bytes, time: int) -> list[Mismatch]:
    """Return why an agreement gave the recipient no right over the dataset at a time; nothing if it did."""
    version = state.version_at(time)
    if version is None:
        return [Mismatch.NOT_IN_FORCE]
    reasons: list[Mismatch] = []
    match state.status_at(time):
        case AgreementStatus.SUSPENDED:
            reasons.append(Mismatch.SUSPENDED)
        case AgreementStatus.TERMINATED | AgreementStatus.DISPOSED:
            reasons.append(Mismatch.TERMINATED)
        case _:
            pass
    grants = granted(state, recipient=recipient, dataset=dataset, time=time)
    if not grants:
        reasons.append(Mismatch.DATASET_NOT_GRANTED)
    elif not any(is_in_window(grant, time) for grant in grants):
        reasons.append(Mismatch.OUTSIDE_WINDOW)
    if version.terms.review != ZERO32 and version.terms.review_valid_until <= time:
        reasons.append(Mismatch.REVIEW_EXPIRED)
    return reasons


def granted(state: AgreementState, *, recipient: bytes, dataset: bytes, time: int) -> list[Grant]:
    """Return the grants of the dataset to the recipient in the version that counts at a time."""
    version = state.version_at(time)
    grants = version.terms.grants if version is not None else ()
    return [grant for grant in grants if grant.recipient == recipient and grant.dataset == dataset]


def is_in_window(grant: Grant, time: int) -> bool:
    """Say whether a grant's window holds a time; an end of 0 is open."""
    return grant.valid_from <= time < (grant.valid_to or OPEN_END)
