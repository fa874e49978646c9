"""The verdict: whether an event lies within what was agreed, and which post answers for it.

A pure function of the event and of what the chain had recorded by the bound block, so that anyone recomputes
it. Terms and responsibility count at ``occurred_at`` (valid time); both may reach back to before they were
recorded, and are then flagged RECORDED_LATER. The rules are numbered in docs/spec/binding.md, and here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.codes import DUTY_OF_KIND, AgreementStatus, Delivery, Duty, EventKind, Flag, Mismatch, Verdict
from ledger.domain.identifiers import agency_id, code_id, dataset_id
from ledger.domain.scalars import OPEN_END, ZERO32

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.agreement_state import AgreementState, AgreementVersion
    from ledger.domain.event_v1 import EventV1
    from ledger.domain.records import Grant
    from ledger.domain.responsibility_state import Assignment, ResponsibilityState

_ORDER: Final = {code: place for place, code in enumerate(Mismatch)}
_AFTER_THE_END: Final = frozenset(
    {Mismatch.SUSPENDED, Mismatch.TERMINATED, Mismatch.OUTSIDE_WINDOW, Mismatch.REVIEW_EXPIRED}
)
"""What cannot be held against a DESTRUCTION: data are destroyed because the right to them has ended."""

_MAY_LEAVE_OPEN: Final = frozenset({EventKind.STORAGE, EventKind.DESTRUCTION})
"""Kinds that may leave purpose and delivery unstated: nothing is delivered then."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The final block that a binding was read at."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Binding:
    """The bound triple of an event: what was agreed, who answers, at which block; and the verdict.

    ``agreement`` is empty when none was found; ``version`` is then 0 and ``grant`` -1. ``grant`` is the place
    in the version's grants of the one that fits best. ``responsible_post`` is empty when nobody answered.
    """

    verdict: Verdict
    mismatches: tuple[Mismatch, ...]
    flags: tuple[Flag, ...]
    agreement: bytes
    version: int
    grant: int
    duty: Duty
    responsible_post: bytes
    block: int
    block_hash: bytes


def bind(
    event: EventV1,
    agreement: AgreementState | None,
    responsibility: ResponsibilityState,
    block: Bound,
    *,
    demonstration: bool = False,
) -> Binding:
    """Return the binding of an event.

    Args:
        event: a checked event.
        agreement: the agreement that it names, folded from what was recorded by ``block``; None if there is none.
        responsibility: the assignments about that agreement, likewise.
        block: the bound block.
        demonstration: the agreement was signed with generated keys.
    """
    time = event.occurred_at_ms // 1000
    duty = DUTY_OF_KIND[event.kind]
    # 1. The event must name an agreement that was recorded.
    if agreement is None:
        return _binding([Mismatch.NO_AGREEMENT], [], b"", 0, -1, duty, b"", block)
    mismatches: list[Mismatch] = []
    flags: list[Flag] = [Flag.DEMONSTRATION] if demonstration else []
    # 2. A version of it must have been activated by the bound block.
    current = agreement.version_at(time)
    counted, grant = 0, -1
    if current is None:
        mismatches.append(Mismatch.NOT_IN_FORCE)
    else:
        version = _claimed_version(event, agreement, current, mismatches)
        counted = version.version
        # 3. It must not have been suspended or ended when the event occurred.
        mismatches += _status_mismatches(agreement, time)
        # 4. Provider and requester must be who agreed; 5. one grant must cover dataset, recipient, purpose,
        # delivery and time; 6. the security review must not have expired.
        mismatches += _party_mismatches(event, version)
        grant, found = _best_grant(event, version, time)
        mismatches += found
        if version.terms.review == ZERO32:
            flags.append(Flag.NO_SECURITY_REVIEW)
        elif version.terms.review_valid_until <= time:
            mismatches.append(Mismatch.REVIEW_EXPIRED)
        if version.activated_at is not None and version.activated_at > time:
            flags.append(Flag.RECORDED_LATER)
    if event.kind is EventKind.DESTRUCTION:
        mismatches = [code for code in mismatches if code not in _AFTER_THE_END]
    # 7. A post must have answered for the duty, as LEAD.
    lead = responsibility.lead_at(duty, agreement.agreement, time)
    if lead is None:
        mismatches.append(Mismatch.NO_RESPONSIBLE_POST)
    elif _was_accepted_later(lead, time):
        flags.append(Flag.RECORDED_LATER)
    post = lead.assignee if lead is not None else b""
    return _binding(mismatches, flags, agreement.agreement, counted, grant, duty, post, block)


def _claimed_version(
    event: EventV1, agreement: AgreementState, current: AgreementVersion, mismatches: list[Mismatch]
) -> AgreementVersion:
    """Return the version to measure by: the claimed one if it counts, else the current one.

    A claimed version counts if it is the current one, or if it was activated later and its terms reach back.
    """
    if event.version in {0, current.version}:
        return current
    claimed = agreement.version(event.version)
    if claimed is not None and claimed.activated_at is not None and claimed.version > current.version:
        return claimed
    mismatches.append(Mismatch.WRONG_VERSION)
    return current


def _status_mismatches(agreement: AgreementState, time: int) -> list[Mismatch]:
    match agreement.status_at(time):
        case AgreementStatus.SUSPENDED:
            return [Mismatch.SUSPENDED]
        case AgreementStatus.TERMINATED | AgreementStatus.DISPOSED:
            return [Mismatch.TERMINATED]
        case AgreementStatus.NONE | AgreementStatus.PROPOSED | AgreementStatus.ACTIVE | AgreementStatus.CANCELLED:
            return []


def _party_mismatches(event: EventV1, version: AgreementVersion) -> list[Mismatch]:
    found = []
    if not event.provider or agency_id(event.provider) != version.terms.provider:
        found.append(Mismatch.PROVIDER_MISMATCH)
    requester = agency_id(event.requester) if event.requester else b""
    if requester not in version.terms.parties or requester == version.terms.provider:
        found.append(Mismatch.REQUESTER_NOT_PARTY)
    return found


def _best_grant(event: EventV1, version: AgreementVersion, time: int) -> tuple[int, list[Mismatch]]:
    """Return the grant that the event departs from least, and in what; the first one among equals.

    A stated grant is the only one measured by. Without a grant of the dataset none is returned.
    """
    grants = version.terms.grants
    dataset = dataset_id(event.dataset) if event.dataset else b""
    recipient = agency_id(event.recipient or event.requester) if event.recipient or event.requester else b""
    purpose = code_id(event.purpose) if event.purpose else b""
    delivery = Delivery[event.delivery].value if event.delivery else 0
    leaves_open = event.kind in _MAY_LEAVE_OPEN
    best: tuple[int, list[Mismatch]] = (-1, [Mismatch.DATASET_NOT_GRANTED])
    places: Sequence[int] = range(len(grants))
    if event.grant >= 0:
        places = [event.grant] if event.grant < len(grants) else []
    for place in places:
        grant = grants[place]
        if grant.dataset != dataset:
            continue
        departs = _departures(grant, recipient, purpose, delivery, time, leaves_open=leaves_open)
        if best[0] < 0 or len(departs) < len(best[1]):
            best = (place, departs)
            if not departs:
                break
    return best


def _departures(
    grant: Grant, recipient: bytes, purpose: bytes, delivery: int, time: int, *, leaves_open: bool
) -> list[Mismatch]:
    found = []
    if recipient != grant.recipient:
        found.append(Mismatch.RECIPIENT_NOT_GRANTED)
    if purpose != grant.purpose and not (leaves_open and not purpose):
        found.append(Mismatch.PURPOSE_NOT_GRANTED)
    if delivery != grant.delivery and not (leaves_open and not delivery):
        found.append(Mismatch.DELIVERY_NOT_GRANTED)
    if not grant.valid_from <= time < (grant.valid_to or OPEN_END):
        found.append(Mismatch.OUTSIDE_WINDOW)
    return found


def _was_accepted_later(lead: Assignment, time: int) -> bool:
    return lead.accepted_at is not None and lead.accepted_at > time


def _binding(
    mismatches: list[Mismatch],
    flags: list[Flag],
    agreement: bytes,
    version: int,
    grant: int,
    duty: Duty,
    responsible_post: bytes,
    block: Bound,
) -> Binding:
    return Binding(
        verdict=Verdict.MISMATCH if mismatches else Verdict.WITHIN_SCOPE,
        mismatches=tuple(sorted(mismatches, key=_ORDER.__getitem__)),
        flags=tuple(flag for flag in Flag if flag in flags),
        agreement=agreement,
        version=version,
        grant=grant,
        duty=duty,
        responsible_post=responsible_post,
        block=block.number,
        block_hash=block.hash,
    )
