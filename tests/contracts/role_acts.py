"""Each act of the role tables, tried by a post of one role; and each that an agency's root key signs."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from ledger.domain.codes import CaseStep, ObjectKind, PostRole
from ledger.domain.heads import event_digest
from ledger.domain.keccak import keccak256_text
from ledger.domain.records import (
    Accept,
    Assign,
    BindKey,
    CancelProposal,
    CancelRootReplacement,
    Dispose,
    HandOver,
    Propose,
    PublishEntry,
    RegisterPost,
    Resume,
    RetireKey,
    RetirePost,
    RotateKey,
    RotateRoot,
    SetPostRoles,
    Sign,
    Suspend,
    Terminate,
    Terms,
    Vacate,
    WithdrawEntry,
)
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import struct_hash
from tests.contracts.agreements import grant, terms
from tests.contracts.deployed import FAR, DeployedLedger, Post, fresh_nonce
from tests.contracts.role_cast import OPENING, REASON, Cast, advance, answer, make_filing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.domain.record import Record

OPENING_STEPS = (CaseStep.NOTICE_ISSUED, CaseStep.CLOSED, CaseStep.WITHDRAWN)


def _act(record: type[Record], **fields: Any) -> Callable[[Cast, PostRole], str]:
    """Return the act of the provider's post of a role; the fields may be functions of the cast."""

    def ask(cast: Cast, role: PostRole) -> str:
        values = {name: value(cast) if callable(value) else value for name, value in fields.items()}
        post = (cast.recipient_posts if record is Dispose else cast.provider_posts)[role]
        made = record(post=post.id, nonce=fresh_nonce(), deadline=FAR, **values)  # type: ignore[call-arg]
        return answer(cast.ledger, made, post.key)

    return ask


def _assign(kind: ObjectKind, about: Callable[[Cast], bytes]) -> Callable[[Cast, PostRole], str]:
    return _act(
        Assign,
        assignment=lambda _cast: secrets.token_bytes(32),
        duty=7,
        object_kind=int(kind),
        object=about,
        assignee=lambda cast: cast.provider.head.id,
        role=2,
        share_bps=0,
        valid_from=1,
        valid_to=0,
        basis=REASON,
    )


def _assigned(cast: Cast, assignee: Post, *, accepted: bool) -> tuple[bytes, bytes]:
    """Have a duty about the dataset mined for a post; return its id and what an acceptance signs."""
    assignment = secrets.token_bytes(32)
    receipt = cast.ledger.act(
        cast.provider.head,
        Assign,
        assignment=assignment,
        duty=7,
        object_kind=int(ObjectKind.DATASET),
        object=cast.dataset,
        assignee=assignee.id,
        role=2,
        share_bps=0,
        valid_from=1,
        valid_to=0,
        basis=REASON,
    )
    content = event_digest(receipt.logs[0].topics, receipt.logs[0].data)
    if accepted:
        cast.ledger.act(assignee, Accept, assignment=assignment, content=content)
    return assignment, content


def _accept(cast: Cast, role: PostRole) -> str:
    assignment, content = _assigned(cast, cast.provider_posts[role], accepted=False)
    return _act(Accept, assignment=assignment, content=content)(cast, role)


def _vacate_own(cast: Cast, role: PostRole) -> str:
    assignment, _ = _assigned(cast, cast.provider_posts[role], accepted=True)
    return _act(Vacate, assignment=assignment, at=0, reason=REASON)(cast, role)


def _of_another(record: type[Record], **fields: Any) -> Callable[[Cast, PostRole], str]:
    def ask(cast: Cast, role: PostRole) -> str:
        assignment, _ = _assigned(cast, cast.provider.dept, accepted=True)
        return _act(record, assignment=assignment, **fields)(cast, role)

    return ask


def _step(before: CaseStep | None, step: CaseStep) -> Callable[[Cast, PostRole], str]:
    def ask(cast: Cast, role: PostRole) -> str:
        case_id, filing = cast.cases[before] if before else (secrets.token_bytes(32), make_filing())
        post = cast.provider_posts[role]
        opening = [(OPENING, filing.opening)] if step in OPENING_STEPS else []
        return answer(cast.ledger, advance(post, case_id, step, filing), post.key, opening=opening)

    return ask


def _named(step: CaseStep) -> str:
    return f"{'openNoticeBySig' if step in OPENING_STEPS else 'advanceBySig'} {step.name}"


def _proposed(cast: Cast) -> Terms:
    parties = (cast.provider, cast.recipient)
    return terms(parties, (grant(cast.dataset, cast.recipient),), agreement=secrets.token_bytes(32))


ASKED: dict[str, Callable[[Cast, PostRole], str]] = {
    "publishEntryBySig": _act(
        PublishEntry,
        code=lambda _cast: secrets.token_bytes(32),
        version=1,
        attribute=1,
        grade=1,
        review_required=False,
        law=ZERO32,
        content=REASON,
    ),
    "withdrawEntryBySig": _act(WithdrawEntry, dataset=lambda cast: cast.dataset, version=1, reason=REASON),
    "proposeBySig": _act(Propose, terms=_proposed),
    "signBySig": _act(
        Sign,
        agreement=lambda cast: cast.waiting.agreement,
        version=1,
        terms_hash=lambda cast: struct_hash(cast.waiting),
    ),
    "cancelProposalBySig": _act(
        CancelProposal, agreement=lambda cast: cast.waiting.agreement, version=1, reason=REASON
    ),
    "suspendBySig": _act(Suspend, agreement=lambda cast: cast.active.agreement, reason=REASON),
    "resumeBySig": _act(Resume, agreement=lambda cast: cast.suspended.agreement, reason=REASON),
    "terminateBySig": _act(Terminate, agreement=lambda cast: cast.active.agreement, reason=REASON),
    "disposeBySig": _act(Dispose, agreement=lambda cast: cast.ended.agreement, certificate=REASON),
    "assignBySig of a dataset": _assign(ObjectKind.DATASET, lambda cast: cast.dataset),
    "assignBySig of an agreement": _assign(ObjectKind.AGREEMENT, lambda cast: cast.active.agreement),
    "assignBySig of the platform": _assign(ObjectKind.PLATFORM, lambda _cast: keccak256_text("platform")),
    "acceptBySig": _accept,
    "handOverBySig": _of_another(
        HandOver,
        successor_assignment=lambda _cast: secrets.token_bytes(32),
        to_post=lambda cast: cast.provider.head.id,
        at=0,
        basis=REASON,
    ),
    "vacateBySig of another's": _of_another(Vacate, at=0, reason=REASON),
    "vacateBySig of its own": _vacate_own,
    **{
        _named(step): _step(before, step)
        for before, step in (
            (None, CaseStep.LEAD),
            (None, CaseStep.FILED),
            (CaseStep.LEAD, CaseStep.NO_ACTION),
            (CaseStep.FILED, CaseStep.FACTS_TOLD),
            (CaseStep.FACTS_TOLD, CaseStep.DECIDED),
            (CaseStep.DECIDED, CaseStep.RECTIFYING),
            (CaseStep.DECIDED, CaseStep.NOTICE_ISSUED),
            (CaseStep.DECIDED, CaseStep.CLOSED),
            (CaseStep.FILED, CaseStep.WITHDRAWN),
            (CaseStep.RECTIFYING, CaseStep.EVIDENCE_FILED),
            (CaseStep.EVIDENCE_FILED, CaseStep.VERIFIED),
            (CaseStep.EVIDENCE_FILED, CaseStep.REWORK),
            (CaseStep.CLOSED, CaseStep.REOPENED),
            (CaseStep.DECIDED, CaseStep.APPEAL_FILED),
            (CaseStep.APPEAL_FILED, CaseStep.APPEAL_UPHELD),
            (CaseStep.APPEAL_FILED, CaseStep.APPEAL_VARIED),
            (CaseStep.APPEAL_FILED, CaseStep.APPEAL_REVOKED),
        )
    },
}


PREPARED_BY_THE_POST = {"acceptBySig", "vacateBySig of its own"}
"""What is tried needs an earlier act of the same post, and so its true key."""


def root_acts(ledger: DeployedLedger, cast: Cast, agency: bytes) -> dict[str, tuple[Record, str]]:
    post, new = cast.provider_posts[PostRole.REPORTER], ledger.keyring.signer("role-table:new")
    signing = {"agency": agency, "nonce": fresh_nonce(), "deadline": FAR}
    return {
        "registerPostBySig": (RegisterPost(code=secrets.token_bytes(32), roles=1, profile=ZERO32, **signing), ""),
        "setPostRolesBySig": (SetPostRoles(post=post.id, roles=1, **signing), ""),
        "retirePostBySig": (RetirePost(post=post.id, reason=REASON, **signing), ""),
        "bindKeyBySig": (BindKey(post=post.id, key=new.address, valid_from=0, valid_to=0, **signing), ""),
        "rotateKeyBySig": (
            RotateKey(post=post.id, old_key=post.key.address, new_key=new.address, valid_to=0, **signing),
            "",
        ),
        "retireKeyBySig": (RetireKey(post=post.id, key=post.key.address, reason=REASON, **signing), ""),
        "rotateRootBySig": (RotateRoot(new_root=new.address, **signing), ""),
        # Nothing is announced, and that is said only to the root key.
        "cancelRootReplacementBySig": (CancelRootReplacement(**signing), "NoRootReplacement"),
    }
