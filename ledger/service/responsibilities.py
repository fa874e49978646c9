"""Responsibilities: assigning a duty, accepting it, handing it over, vacating it; and who answers for it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ledger.domain.codes import Duty, EndCause, ObjectKind, ResponsibilityRole
from ledger.domain.errors import InvalidInputError, NotFoundError
from ledger.domain.events import ResponsibilityAssigned
from ledger.domain.heads import event_digest
from ledger.domain.identifiers import parse_dataset, parse_post
from ledger.domain.keccak import keccak256_text
from ledger.domain.records import Accept, Assign, HandOver, Vacate
from ledger.domain.responsibility_state import fold_responsibility
from ledger.service.agreement_views import reference_of, resolve_agreement, text_or_empty
from ledger.service.catalogue import named
from ledger.service.keys import signer_for_post
from ledger.service.reasons import commit_reason
from ledger.service.requests import Request
from ledger.service.submission import deadline_of, fresh_nonce, relay, sign_request
from ledger.service.times import iso, parse_end, parse_time

if TYPE_CHECKING:
    from ledger.domain.record import Record
    from ledger.domain.responsibility_state import Assignment
    from ledger.service.services import Services

LEDGER = "ResponsibilityLedger"
PLATFORM = "platform"
PLATFORM_ID = keccak256_text(PLATFORM)
"""What a duty about the platform as a whole is about: one object a deployment."""


class AssignDuty(Request, frozen=True, kw_only=True):
    """Arguments of ``responsibility assign``; empty times are now and open-ended."""

    duty: str
    object: str
    assignee: str
    post: str
    role: str = "LEAD"
    share_bps: int = 0
    valid_from: str = ""
    valid_to: str = ""
    basis: str = ""
    key: str = ""


class AcceptDuty(Request, frozen=True, kw_only=True):
    """Arguments of ``responsibility accept``; ``post`` empty is the assignee."""

    assignment: str
    post: str = ""
    key: str = ""


class HandOverDuty(Request, frozen=True, kw_only=True):
    """Arguments of ``responsibility hand-over``."""

    assignment: str
    to: str
    post: str
    at: str = ""
    basis: str = ""
    key: str = ""


class VacateDuty(Request, frozen=True, kw_only=True):
    """Arguments of ``responsibility vacate``."""

    assignment: str
    post: str
    at: str = ""
    reason: str = ""
    key: str = ""


class ListResponsibilities(Request, frozen=True, kw_only=True):
    """Arguments of ``responsibility list``."""

    object: str = ""
    post: str = ""


def resolve_object(services: Services, text: str) -> tuple[ObjectKind, bytes]:
    """Return what a duty is about: an agreement, a dataset (``AGENCY#CODE``) or the platform.

    Raises:
        NotFoundError: There is no such object.
    """
    if text == PLATFORM:
        return ObjectKind.PLATFORM, PLATFORM_ID
    if "#" in text:
        return ObjectKind.DATASET, parse_dataset(text).id
    return ObjectKind.AGREEMENT, resolve_agreement(services, text).agreement


def assign_duty(services: Services, request: AssignDuty) -> dict[str, object]:
    """Assign a duty to a post; it counts once the post accepts.

    Raises:
        InvalidInputError: A bad code, time or id.
        LedgerError: As ``relay``.
    """
    kind, about = resolve_object(services, request.object)
    assignment = secrets.token_bytes(32)
    record = Assign(
        post=parse_post(request.post).id,
        assignment=assignment,
        duty=named(Duty, request.duty, "duty"),
        object_kind=kind,
        object=about,
        assignee=parse_post(request.assignee, "to").id,
        role=named(ResponsibilityRole, request.role, "role"),
        share_bps=request.share_bps,
        valid_from=parse_time(request.valid_from, "from") if request.valid_from else services.now_s(),
        valid_to=parse_end(request.valid_to, "to-time") if request.valid_to else 0,
        basis=commit_reason(services, request.basis, about, "basis"),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return _relay(services, record, request.post, request.key, assignment)


def accept_duty(services: Services, request: AcceptDuty) -> dict[str, object]:
    """Accept an assignment as its assignee. Raises as ``relay``."""
    found = resolve_assignment(services, request.assignment)
    post = parse_post(request.post).id if request.post else found.assignee
    record = Accept(
        post=post,
        assignment=found.assignment,
        content=content_of(services, found.assignment),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return _relay(services, record, post, request.key, found.assignment)


def content_of(services: Services, assignment: bytes) -> bytes:
    """Return what an acceptance of an assignment signs: the digest of the log that proposed it.

    Raises:
        NotFoundError: There is no such assignment.
    """
    for recorded in services.state.assignment(assignment):
        if isinstance(recorded.event, ResponsibilityAssigned):
            return event_digest(*recorded.event.to_log())
    raise NotFoundError("assignment", assignment.hex())


def hand_over_duty(services: Services, request: HandOverDuty) -> dict[str, object]:
    """End an assignment at a time and propose it to another post from then on. Raises as ``relay``."""
    found = resolve_assignment(services, request.assignment)
    successor = secrets.token_bytes(32)
    record = HandOver(
        post=parse_post(request.post).id,
        assignment=found.assignment,
        successor_assignment=successor,
        to_post=parse_post(request.to, "to").id,
        at=parse_time(request.at, "at") if request.at else 0,
        basis=commit_reason(services, request.basis, found.object, "basis"),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return {**_relay(services, record, request.post, request.key, successor), "predecessor": found.assignment.hex()}


def vacate_duty(services: Services, request: VacateDuty) -> dict[str, object]:
    """End an assignment without a successor, or revoke one that nobody accepted. Raises as ``relay``."""
    found = resolve_assignment(services, request.assignment)
    record = Vacate(
        post=parse_post(request.post).id,
        assignment=found.assignment,
        at=parse_time(request.at, "at") if request.at else 0,
        reason=commit_reason(services, request.reason, found.object, "reason"),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return _relay(services, record, request.post, request.key, found.assignment)


def list_responsibilities(services: Services, request: ListResponsibilities) -> dict[str, list[dict[str, object]]]:
    """List the assignments, about one object or of one post if asked."""
    about = resolve_object(services, request.object)[1] if request.object else None
    post = parse_post(request.post).id if request.post else None
    found = (find_assignment(services, known) for known in services.state.ids("assignment"))
    return {
        "items": [
            assignment_json(services, known)
            for known in found
            if known is not None and about in {None, known.object} and post in {None, known.assignee}
        ]
    }


def find_assignment(services: Services, assignment: bytes) -> Assignment | None:
    """Return an assignment, or None if there is none."""
    history = services.state.assignment(assignment)
    return fold_responsibility(history).assignment(assignment) if history else None


def resolve_assignment(services: Services, text: str) -> Assignment:
    """Return the assignment that a person means.

    Raises:
        NotFoundError: None.
        ConflictError: The prefix fits several.
    """
    known = services.directory.resolve(text, services.state.ids("assignment"), "assignment")
    found = find_assignment(services, known)
    if found is None:
        raise NotFoundError("assignment", text)
    return found


def object_text(services: Services, kind: int, about: bytes) -> str:
    """Return the name of what a duty is about."""
    if kind == ObjectKind.PLATFORM:
        return PLATFORM
    if kind == ObjectKind.AGREEMENT:
        return reference_of(services, resolve_agreement(services, about.hex())) or about.hex()
    return services.directory.text(about)


def assignment_json(services: Services, found: Assignment) -> dict[str, object]:
    """Return an assignment as JSON values."""
    return {
        "assignment": found.assignment.hex(),
        "duty": Duty(found.duty).name,
        "object": object_text(services, found.object_kind, found.object),
        "object_id": found.object.hex(),
        "post": services.directory.text(found.assignee),
        "role": ResponsibilityRole(found.role).name,
        "share_bps": found.share_bps,
        "valid_from": iso(found.valid_from),
        "valid_to": iso(found.end),
        "assigned_by": services.directory.text(found.by_post),
        "assigned_at": iso(found.assigned_at),
        "accepted_at": iso(found.accepted_at) if found.accepted_at is not None else "",
        "ended_by": EndCause(found.end_cause).name if found.end_cause is not None else "",
        "basis": text_or_empty(services, found.basis),
        "predecessor": found.predecessor.hex() if any(found.predecessor) else "",
        "recorded_later": found.accepted_at is not None and found.accepted_at > found.valid_from,
    }


def _relay(services: Services, record: Record, post: str | bytes, key: str, assignment: bytes) -> dict[str, object]:
    acting = parse_post(post).id if isinstance(post, str) else post
    receipt = relay(services, sign_request(services, record, signer_for_post(services, acting, key)))
    found = find_assignment(services, assignment)
    if found is None:
        raise InvalidInputError("assignment", assignment, "an assignment that the chain holds")
    return {**assignment_json(services, found), "tx": receipt.tx_hash.hex(), "block": receipt.block_number}
