"""Agreements after signing: suspend, resume, terminate, cancel, dispose. Each is one signed record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.codes import Tier
from ledger.domain.errors import ConflictError, InvalidInputError
from ledger.domain.identifiers import parse_post
from ledger.domain.records import CancelProposal, Dispose, Resume, Suspend, Terminate
from ledger.domain.scalars import ZERO32
from ledger.service.agreement_views import reference_of, resolve_agreement
from ledger.service.documents import make_document
from ledger.service.keys import signer_for_post
from ledger.service.profiles import keep
from ledger.service.reasons import commit_reason
from ledger.service.requests import Request
from ledger.service.submission import deadline_of, fresh_nonce, relay, sign_request

if TYPE_CHECKING:
    from ledger.domain.agreement_state import AgreementState
    from ledger.domain.record import Record
    from ledger.service.services import Services


class ChangeAgreement(Request, frozen=True, kw_only=True):
    """Arguments of suspend, resume, terminate and cancel."""

    agreement: str
    post: str
    reason: str = ""
    key: str = ""


class DisposeAgreement(Request, frozen=True, kw_only=True):
    """Arguments of ``agreement dispose``; the certificate is a private text."""

    agreement: str
    post: str
    certificate: str
    key: str = ""


def suspend_agreement(services: Services, request: ChangeAgreement) -> dict[str, object]:
    """Suspend an agreement in force. Raises as ``relay``."""
    state, post = _find(services, request)
    reason = commit_reason(services, _needed(request), state.agreement, "reason")
    record = Suspend(
        post=post, agreement=state.agreement, reason=reason, nonce=fresh_nonce(), deadline=deadline_of(services)
    )
    return _relay(services, request, record)


def resume_agreement(services: Services, request: ChangeAgreement) -> dict[str, object]:
    """Put a suspended agreement in force again. Raises as ``relay``."""
    state, post = _find(services, request)
    reason = commit_reason(services, request.reason, state.agreement, "reason")
    record = Resume(
        post=post, agreement=state.agreement, reason=reason, nonce=fresh_nonce(), deadline=deadline_of(services)
    )
    return _relay(services, request, record)


def terminate_agreement(services: Services, request: ChangeAgreement) -> dict[str, object]:
    """End an agreement. Raises as ``relay``."""
    state, post = _find(services, request)
    reason = commit_reason(services, _needed(request), state.agreement, "reason")
    record = Terminate(
        post=post, agreement=state.agreement, reason=reason, nonce=fresh_nonce(), deadline=deadline_of(services)
    )
    return _relay(services, request, record)


def cancel_proposal(services: Services, request: ChangeAgreement) -> dict[str, object]:
    """Withdraw the version that waits for signatures.

    Raises:
        ConflictError: None waits.
        LedgerError: As ``relay``.
    """
    state, post = _find(services, request)
    pending = state.pending_version
    if pending is None:
        raise ConflictError(f"agreement {request.agreement}", "no version waits for signatures")
    record = CancelProposal(
        post=post,
        agreement=state.agreement,
        version=pending.version,
        reason=commit_reason(services, _needed(request), state.agreement, "reason"),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return _relay(services, request, record)


def dispose_agreement(services: Services, request: DisposeAgreement) -> dict[str, object]:
    """Certify that a party disposed of what it received. Raises as ``relay``."""
    state = resolve_agreement(services, request.agreement)
    if not request.certificate.strip():
        raise InvalidInputError("certificate", "", "the certificate's text")
    certificate = make_document(
        "reason", Tier.PARTIES, {"certificate": request.certificate}, extra={"about": state.agreement.hex()}
    )
    record = Dispose(
        post=parse_post(request.post).id,
        agreement=state.agreement,
        certificate=keep(services, certificate),
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return _relay(services, request, record)


def _find(services: Services, request: ChangeAgreement) -> tuple[AgreementState, bytes]:
    return resolve_agreement(services, request.agreement), parse_post(request.post).id


def _needed(request: ChangeAgreement) -> str:
    if not request.reason.strip():
        raise InvalidInputError("reason", "", "scheme:value, or a text that stays private")
    return request.reason


def _relay(services: Services, request: ChangeAgreement | DisposeAgreement, record: Record) -> dict[str, object]:
    post = parse_post(request.post)
    receipt = relay(services, sign_request(services, record, signer_for_post(services, post.id, request.key)))
    state = resolve_agreement(services, getattr(record, "agreement", ZERO32).hex())
    return {
        "agreement": state.agreement.hex(),
        "reference": reference_of(services, state),
        "status": state.status.name,
        "post": str(post),
        "tx": receipt.tx_hash.hex(),
        "block": receipt.block_number,
    }
