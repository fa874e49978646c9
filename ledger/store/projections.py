"""What stands after an object's events: its rows, as a pure function of its whole history.

An object is an agency, a post, a version of an entry, an agreement, an assignment, a case or an anchor. Its rows
are made by the domain's own folds, so that the index can only say what a fold says; after a reorganisation the
same function over the shorter history gives the rows as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import sqlalchemy as sa

from ledger.domain import events
from ledger.domain.agreement_state import fold_agreement
from ledger.domain.case_state import fold_case
from ledger.domain.codes import AgreementStatus, CaseStep
from ledger.domain.errors import IntegrityError
from ledger.domain.history import in_order
from ledger.domain.identifiers import entry_key
from ledger.domain.key_state import fold_agency, fold_post
from ledger.domain.responsibility_state import fold_responsibility
from ledger.domain.scalars import OPEN_END, ZERO32
from ledger.store import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.domain.event_log import Event, Recorded

History: TypeAlias = "Sequence[Recorded[Event]]"
Rows: TypeAlias = "list[tuple[sa.Table, dict[str, Any]]]"

OWNERS: Final[dict[str, tuple[sa.Column[Any], ...]]] = {
    "agency": (tables.AGENCIES.c.agency,),
    "post": (tables.POSTS.c.post, tables.KEYS.c.post),
    "entry": (tables.ENTRIES.c.entry,),
    "agreement": (
        tables.AGREEMENTS.c.agreement,
        tables.AGREEMENT_PARTIES.c.agreement,
        tables.GRANTS.c.agreement,
        tables.SIGNATURES.c.agreement,
        tables.STATUSES.c.agreement,
    ),
    "assignment": (tables.RESPONSIBILITIES.c.assignment,),
    "case": (tables.CASES.c.case_id, tables.SEALED_CASES.c.case_id),
    "anchor": (tables.ANCHORS.c.root,),
}
"""Kind of object → the columns, each of another table, by which its rows are found."""


def object_of(event: Event) -> tuple[str, bytes]:
    """Return the kind and key of the object whose rows an event changes; empty if it changes none."""
    match event:
        case events.PostRegistered() | events.PostRolesSet() | events.PostRetired():
            return "post", event.post
        case events.KeyBound() | events.KeyRetired():
            return "post", event.post
        case (
            events.AgencyAdmitted()
            | events.AgencyCapacitiesSet()
            | events.AgencySuspended()
            | events.AgencyReinstated()
            | events.RootReplacementAnnounced()
            | events.RootReplacementCancelled()
            | events.RootKeyChanged()
            | events.AgencySucceeded()
        ):
            return "agency", event.agency
        case events.EntryPublished() | events.EntryWithdrawn():
            return "entry", entry_key(event.dataset, event.version)
        case (
            events.AgreementProposed()
            | events.AgreementSigned()
            | events.AgreementActivated()
            | events.AgreementSuspended()
            | events.AgreementResumed()
            | events.AgreementTerminated()
            | events.ProposalCancelled()
            | events.DisposalCertified()
            | events.AgreementDisposed()
        ):
            return "agreement", event.agreement
        case events.ResponsibilityAssigned() | events.ResponsibilityAccepted() | events.ResponsibilityEnded():
            return "assignment", event.assignment
        case events.CaseAdvanced() | events.CaseOpened():
            return "case", event.case_id
        case events.CheckpointAnchored():
            return "anchor", event.root
        case _:
            return "", b""


def valid_from(event: Event, recorded_at: int) -> int:
    """Return since when an event counts in the world: what it states, else when it was recorded."""
    match event:
        case events.KeyBound() | events.ResponsibilityAssigned():
            return event.valid_from
        case events.KeyRetired() | events.ResponsibilityEnded():
            return event.at
        case events.RootReplacementAnnounced() | events.AgencySucceeded():
            return event.effective_at
        case _:
            return recorded_at


def project(kind: str, history: History) -> Rows:
    """Return all rows of one object after its events.

    Raises:
        IntegrityError: Events that the contract could not have emitted in this order.
    """
    return _PROJECTIONS[kind](history) if history else []


def place(recorded: Recorded[Event], since: int | None = None, until: int = OPEN_END) -> dict[str, Any]:
    """Return the columns that say where a row comes from and when it counts."""
    return {
        "block": recorded.block,
        "log_index": recorded.log_index,
        "block_hash": recorded.block_hash,
        "tx_hash": recorded.tx_hash,
        "recorded_at": recorded.timestamp,
        "valid_from": recorded.timestamp if since is None else since,
        "valid_to": until,
    }


def _agency(history: History) -> Rows:
    state = fold_agency(history)
    if state is None:
        return []
    row = {
        "agency": state.agency,
        "scheme": state.scheme,
        "root_key": state.roots[-1].key,
        "capacities": state.capacities[-1].value,
        "profile": state.profile,
        "suspended": bool(state.suspensions and state.suspensions[-1].value),
        "successor": state.succession.successor if state.succession else ZERO32,
    }
    return [(tables.AGENCIES, row | place(history[0]))]


def _post(history: History) -> Rows:
    state = fold_post(history)
    if state is None:
        return []
    until = OPEN_END if state.retired_at is None else state.retired_at
    row = {
        "post": state.post,
        "agency": state.agency,
        "roles": state.roles[-1].value,
        "profile": state.profile,
        "retired": state.retired_at is not None,
    }
    bound = [recorded for recorded in history if isinstance(recorded.event, events.KeyBound)]
    keys = [
        (tables.KEYS, {"post": state.post, "key": key.key} | place(recorded, key.valid_from, key.end))
        for key, recorded in zip(state.keys, bound, strict=True)
    ]
    return [(tables.POSTS, row | place(history[0], until=until)), *keys]


def _entry(history: History) -> Rows:
    first, *others = in_order(history, "catalogue")
    event = first.event
    withdrawn = [recorded for recorded in others if isinstance(recorded.event, events.EntryWithdrawn)]
    if not isinstance(event, events.EntryPublished) or len(others) > len(withdrawn) or len(withdrawn) > 1:
        raise IntegrityError("catalogue", "an entry is published once and withdrawn once", block=history[-1].block)
    row = {
        "entry": entry_key(event.dataset, event.version),
        "dataset": event.dataset,
        "version": event.version,
        "agency": event.agency,
        "post": event.post,
        "dataset_code": event.code,
        "attribute": event.attribute,
        "grade": event.grade,
        "review_required": event.review_required,
        "law": event.law,
        "content": event.content,
        "withdrawn": bool(withdrawn),
    }
    until = withdrawn[0].timestamp if withdrawn else OPEN_END
    return [(tables.ENTRIES, row | place(first, until=until))]


def _agreement(history: History) -> Rows:
    state = fold_agreement(history)
    if state is None:
        return []
    newest, active = state.versions[-1], state.active_version
    row = {
        "agreement": state.agreement,
        "version": newest.version,
        "version_in_force": active.version if active and state.status is AgreementStatus.ACTIVE else 0,
        "state": state.status.value,
        "provider": newest.terms.provider,
        "parties": b"".join(newest.terms.parties),
        "terms_hash": newest.terms_hash,
        "text": newest.terms.text,
        "review": newest.terms.review,
        "review_valid_until": newest.terms.review_valid_until,
    }
    parties = dict.fromkeys(party for version in state.versions for party in version.terms.parties)
    rows: Rows = [(tables.AGREEMENTS, row | place(history[0]))]
    rows += [
        (tables.AGREEMENT_PARTIES, {"agreement": state.agreement, "party": party} | place(history[0]))
        for party in parties
    ]
    for recorded in history:
        match recorded.event:
            case events.AgreementProposed() as event:
                rows += _grants(event, recorded)
            case events.AgreementSigned() as event:
                signed = {name: getattr(event, name) for name in ("agreement", "version", "post", "party", "signer")}
                rows.append((tables.SIGNATURES, signed | place(recorded)))
            case _:
                pass
    return rows + _statuses(history)


def _grants(event: events.AgreementProposed, recorded: Recorded[Event]) -> Rows:
    return [
        (
            tables.GRANTS,
            {
                "agreement": event.agreement,
                "version": event.version,
                "ordinal": ordinal,
                "provider": event.terms.provider,
                "dataset": grant.dataset,
                "dataset_version": grant.dataset_version,
                "recipient": grant.recipient,
                "purpose": grant.purpose,
                "delivery": grant.delivery,
            }
            | place(recorded, grant.valid_from, grant.valid_to),
        )
        for ordinal, grant in enumerate(event.terms.grants)
    ]


def _statuses(history: History) -> Rows:
    """Return a row for each status, and for each version that came into force under one."""
    entered: list[tuple[AgreementStatus, int, Recorded[Event]]] = []
    for recorded in history:
        status, version = (entered[-1][0], entered[-1][1]) if entered else (AgreementStatus.NONE, 0)
        match recorded.event:
            case events.AgreementProposed() as event if not entered:
                entered.append((AgreementStatus.PROPOSED, event.version, recorded))
            case events.AgreementActivated() as event:
                first = status is AgreementStatus.PROPOSED
                entered.append((AgreementStatus.ACTIVE if first else status, event.version, recorded))
            case events.ProposalCancelled() if status is AgreementStatus.PROPOSED:
                entered.append((AgreementStatus.CANCELLED, version, recorded))
            case events.AgreementSuspended():
                entered.append((AgreementStatus.SUSPENDED, version, recorded))
            case events.AgreementResumed():
                entered.append((AgreementStatus.ACTIVE, version, recorded))
            case events.AgreementTerminated():
                entered.append((AgreementStatus.TERMINATED, version, recorded))
            case events.AgreementDisposed():
                entered.append((AgreementStatus.DISPOSED, version, recorded))
            case _:
                pass
    ends = [recorded.timestamp for _, _, recorded in entered[1:]] + [OPEN_END]
    return [
        (
            tables.STATUSES,
            {
                "agreement": getattr(recorded.event, "agreement", ZERO32),
                "state": status.value,
                "version": version,
                "post": getattr(recorded.event, "post", ZERO32),
                "reason": getattr(recorded.event, "reason", ZERO32),
                "by_authority": getattr(recorded.event, "by_authority", False),
            }
            | place(recorded, until=until),
        )
        for (status, version, recorded), until in zip(entered, ends, strict=True)
    ]


def _assignment(history: History) -> Rows:
    (held,) = fold_responsibility(history).assignments
    row = {
        "assignment": held.assignment,
        "object": held.object,
        "duty": held.duty,
        "object_kind": held.object_kind,
        "by_post": held.by_post,
        "assignee": held.assignee,
        "role": held.role,
        "share_bps": held.share_bps,
        "basis": held.basis,
        "predecessor": held.predecessor,
        "accepted_at": held.accepted_at or 0,
        "ended_at": held.ended_at or 0,
        "end_cause": held.end_cause.value if held.end_cause is not None else 0,
    }
    return [(tables.RESPONSIBILITIES, row | place(history[0], held.valid_from, held.valid_to))]


def _case(history: History) -> Rows:
    state = fold_case(history)
    if state is None:
        return []
    row = {"case_id": state.case_id, "step": state.step.value, "steps": len(state.entries)} | place(history[0])
    if state.is_sealed:
        return [(tables.SEALED_CASES, row)]
    opened = {
        "respondent": state.respondent,
        "filing": state.filing,
        "noticed": any(entry.step is CaseStep.NOTICE_ISSUED for entry in state.entries),
    }
    return [(tables.CASES, row | opened)]


def _anchor(history: History) -> Rows:
    rows: Rows = []
    for recorded in in_order(history, "anchors"):
        if isinstance(event := recorded.event, events.CheckpointAnchored):
            row = {"size": event.size, "root": event.root, "note_hash": event.note_hash}
            rows.append((tables.ANCHORS, row | place(recorded)))
    return rows


_PROJECTIONS: Final[dict[str, Callable[[History], Rows]]] = {
    "agency": _agency,
    "post": _post,
    "entry": _entry,
    "agreement": _agreement,
    "assignment": _assignment,
    "case": _case,
    "anchor": _anchor,
}
