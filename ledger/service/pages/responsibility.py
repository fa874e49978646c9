"""Who answered for what, as the public sees it: every assignment of an object by duty, and when nobody was LEAD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.codes import DUTY_OF_KIND, Duty, EndCause, ObjectKind, ResponsibilityRole
from ledger.domain.events import ResponsibilityAssigned
from ledger.domain.identifiers import duty_key
from ledger.domain.legal_time import LEGAL_ZONE
from ledger.domain.responsibility_state import fold_responsibility
from ledger.domain.scalars import OPEN_END
from ledger.service.agreement_views import is_demonstration, resolve_agreement
from ledger.service.pages.names import Name, code_text, dataset_name, post_name, public_values
from ledger.service.requests import Request
from ledger.service.responsibilities import LEDGER, PLATFORM, resolve_object

if TYPE_CHECKING:
    from ledger.domain.responsibility_state import Assignment, ResponsibilityState
    from ledger.service.services import Services

_LISTED = 200
"""Objects that the choice lists."""


class ResponsibilityPage(Request, frozen=True, kw_only=True):
    """Arguments of `responsibility_page`: an agreement, a dataset (``AGENCY#CODE``) or ``platform``."""

    object: str


@dataclass(frozen=True, slots=True)
class ObjectLine:
    """What a duty is about: what to ask for it by, its kind and what to call it."""

    key: str
    kind: str
    label: str
    name: Name | None


@dataclass(frozen=True, slots=True)
class HoldingLine:
    """One assignment; ``valid_to`` None is an open end, ``accepted_at`` 0 says that it never counted."""

    post: Name
    role: str
    share_bps: int
    valid_from: int
    valid_to: int | None
    assigned_by: Name
    assigned_at: int
    accepted_at: int
    ended_by: str
    basis: str

    @property
    def counts(self) -> bool:
        """Say whether its assignee accepted it."""
        return self.accepted_at != 0

    @property
    def recorded_later(self) -> bool:
        """Say whether it reaches back to before it was accepted."""
        return self.accepted_at > self.valid_from


@dataclass(frozen=True, slots=True)
class DutyView:
    """One duty: its assignments, and the times in which nobody was LEAD from the first LEAD until now.

    Where no LEAD ever accepted, that is from when the first one should have been.
    """

    duty: str
    holdings: tuple[HoldingLine, ...]
    vacancies: tuple[tuple[int, int], ...]
    lead: Name | None


@dataclass(frozen=True, slots=True)
class ResponsibilityView:
    """All duties of one object. ``never`` lists the duties that its events would need and that nobody ever took."""

    object: ObjectLine
    duties: tuple[DutyView, ...]
    never: tuple[str, ...]
    now: int
    zone: str
    demonstration: bool


def all_objects(services: Services) -> tuple[ObjectLine, ...]:
    """Return the objects that a duty was ever assigned for, the newest first."""
    found: dict[bytes, ObjectLine] = {}
    for assignment in reversed(services.state.ids("assignment")):
        event = services.state.assignment(assignment)[0].event
        if isinstance(event, ResponsibilityAssigned) and event.object not in found:
            found[event.object] = _object(services, ObjectKind(event.object_kind), event.object)
        if len(found) == _LISTED:
            break
    return tuple(found.values())


def responsibility_page(services: Services, request: ResponsibilityPage) -> ResponsibilityView:
    """Show who answered for an object, duty by duty.

    Raises:
        InvalidInputError: A bad dataset id.
        NotFoundError: There is no such object.
        ConflictError: The beginning of an id fits several.
    """
    kind, about = resolve_object(services, request.object)
    now = services.now_s()
    duties = []
    for duty in Duty:
        state = fold_responsibility(services.state.history(LEDGER, duty_key(duty, about)))
        if state.assignments:
            duties.append(_duty(services, state, duty, about, now))
    held = {view.duty for view in duties}
    needed = DUTY_OF_KIND.values() if kind is ObjectKind.AGREEMENT else ()
    return ResponsibilityView(
        object=_object(services, kind, about),
        duties=tuple(duties),
        never=tuple(duty.name for duty in needed if duty.name not in held),
        now=now,
        zone=LEGAL_ZONE,
        demonstration=services.deployment.demonstration or is_demonstration(services, about),
    )


def _duty(services: Services, state: ResponsibilityState, duty: Duty, about: bytes, now: int) -> DutyView:
    wanted = [held for held in state.assignments if held.role == ResponsibilityRole.LEAD and held.valid_from < held.end]
    leads = [held for held in wanted if held.accepted_at is not None] or wanted
    start = min((held.valid_from for held in leads), default=now)
    gaps = state.lead_gaps(duty, about, start=start, end=max(now, start))
    lead = state.lead_at(duty, about, now)
    return DutyView(
        duty=duty.name,
        holdings=tuple(_holding(services, held) for held in state.assignments),
        vacancies=tuple((gap.start, gap.end) for gap in gaps),
        lead=post_name(services, lead.assignee) if lead else None,
    )


def _holding(services: Services, held: Assignment) -> HoldingLine:
    return HoldingLine(
        post=post_name(services, held.assignee),
        role=ResponsibilityRole(held.role).name,
        share_bps=held.share_bps,
        valid_from=held.valid_from,
        valid_to=None if held.end == OPEN_END else held.end,
        assigned_by=post_name(services, held.by_post),
        assigned_at=held.assigned_at,
        accepted_at=held.accepted_at or 0,
        ended_by=EndCause(held.end_cause).name if held.end_cause is not None else "",
        basis=code_text(services, held.basis),
    )


def _object(services: Services, kind: ObjectKind, about: bytes) -> ObjectLine:
    if kind is ObjectKind.PLATFORM:
        return ObjectLine(PLATFORM, kind.name, "", None)
    if kind is ObjectKind.DATASET:
        name = dataset_name(services, about)
        return ObjectLine(name.text, kind.name, name.text, name)
    state = resolve_agreement(services, about.hex())
    text = public_values(services, state.versions[-1].terms.text)
    return ObjectLine(about.hex(), kind.name, str(text.get("reference", "")) or about.hex()[:12], None)
