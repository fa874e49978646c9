"""Agreements: drafting, amending and signing."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ledger.domain.agreement_v1 import parse_draft, review_groups, terms, text_groups
from ledger.domain.codes import AgreementStatus, PostRole, Tier
from ledger.domain.errors import ConflictError, InvalidInputError
from ledger.domain.identifiers import parse_agency, parse_post
from ledger.domain.records import Propose, Sign
from ledger.domain.scalars import ZERO32
from ledger.service import registry_views
from ledger.service.agreement_views import (
    agreement_json,
    find_agreement,
    reference_of,
    resolve_agreement,
)
from ledger.service.catalogue import named
from ledger.service.documents import make_document
from ledger.service.evidence import ExportEvidence, export_evidence
from ledger.service.keys import signer_for_post
from ledger.service.profiles import keep
from ledger.service.requests import Request
from ledger.service.submission import deadline_of, fresh_nonce, relay, sign_request
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.agreement_state import AgreementState, AgreementVersion
    from ledger.domain.agreement_v1 import AgreementDraftV1
    from ledger.domain.records import Terms
    from ledger.service.services import Services
    from ledger.service.submission import SignedRequest

AGREEMENT_BYTES = 32
_HEADS = PostRole.PROVIDER_OFFICE_HEAD | PostRole.REQUESTER_OFFICE_HEAD


class DraftAgreement(Request, frozen=True, kw_only=True):
    """Arguments of ``agreement draft``: the file's text, and the proposing post (found when only one can)."""

    text: str
    post: str = ""
    key: str = ""
    demonstration: bool = False


class AmendAgreement(Request, frozen=True, kw_only=True):
    """Arguments of ``agreement amend``; ``agreement`` empty takes the draft's reference."""

    text: str
    agreement: str = ""
    post: str = ""
    key: str = ""
    demonstration: bool = False


class SignAgreement(Request, frozen=True, kw_only=True):
    """Arguments of ``agreement sign``; ``terms_hash`` is what the signer was shown."""

    agreement: str
    post: str
    key: str = ""
    terms_hash: str = ""


class ShowAgreement(Request, frozen=True, kw_only=True):
    """Arguments of ``agreement show``."""

    agreement: str


class ListAgreements(Request, frozen=True, kw_only=True):
    """Arguments of ``agreement list``."""

    party: str = ""
    status: str = ""


def draft_agreement(services: Services, request: DraftAgreement) -> dict[str, object]:
    """Check a draft, keep its texts, and propose version 1 of a new agreement.

    Raises:
        InvalidInputError: The draft is not well formed, or no post here can propose it.
        ConflictError: Its reference is in use; a reference is never used again.
        LedgerError: As ``relay``.
    """
    draft = parse_draft(request.text.encode())
    known = services.directory.referred(draft.reference, "agreement")
    if known is not None and find_agreement(services, known) is not None:
        raise ConflictError(f"agreement {draft.reference}", "the reference is in use; amend it", agreement=known.hex())
    # A draft that was kept but never reached the chain keeps its id.
    return _propose(services, draft, known or secrets.token_bytes(AGREEMENT_BYTES), 1, request)


def amend_agreement(services: Services, request: AmendAgreement) -> dict[str, object]:
    """Propose the next version of an agreement; all sign again.

    Raises:
        NotFoundError: There is no such agreement.
        LedgerError: As ``draft_agreement``.
    """
    draft = parse_draft(request.text.encode())
    state = resolve_agreement(services, request.agreement or draft.reference)
    if state.active_version is None:
        raise ConflictError(f"agreement {draft.reference}", "only an agreement in force can be amended")
    return _propose(services, draft, state.agreement, state.active_version.version + 1, request)


def sign_agreement(services: Services, request: SignAgreement) -> dict[str, object]:
    """Sign the pending version for a post's agency, and return the receipt.

    Raises:
        NotFoundError: There is no such agreement.
        ConflictError: Nothing waits for signatures, or the terms are not those that were shown.
        LedgerError: As ``relay``.
    """
    view = resolve_agreement(services, request.agreement)
    pending = view.pending_version
    if pending is None:
        raise ConflictError(f"agreement {request.agreement}", "no version waits for signatures")
    if request.terms_hash and request.terms_hash != pending.terms_hash.hex():
        raise ConflictError(
            f"agreement {request.agreement}",
            "the terms are not those that were shown",
            shown=request.terms_hash,
            pending=pending.terms_hash.hex(),
        )
    post = parse_post(request.post)
    receipt = relay(services, signing(services, view.agreement, pending, request.post, request.key))
    signed = resolve_agreement(services, view.agreement.hex())
    return {
        "agreement": view.agreement.hex(),
        "reference": reference_of(services, signed),
        "version": pending.version,
        "status": signed.status.name,
        "post": str(post),
        "tx": receipt.tx_hash.hex(),
        "block": receipt.block_number,
        # What the signer keeps is evidence that anyone can check, of the agreement as it stood after the signature.
        "receipt_bytes": export_evidence(services, ExportEvidence(kind="agreement", id=view.agreement.hex()))[
            "content"
        ],
        "receipt_name": f"agreement-{view.agreement.hex()[:12]}-v{pending.version}-{post.id.hex()[:8]}.json",
    }


def signing(services: Services, agreement: bytes, pending: AgreementVersion, post: str, key: str = "") -> SignedRequest:
    """Return what ``sign_agreement`` relays: a post's signature of the version that waits.

    Raises:
        InvalidInputError: A bad post.
        UnauthorizedError: No key of the post is in this home.
    """
    acting = parse_post(post).id
    record = Sign(
        post=acting,
        agreement=agreement,
        version=pending.version,
        terms_hash=pending.terms_hash,
        nonce=fresh_nonce(),
        deadline=deadline_of(services),
    )
    return sign_request(services, record, signer_for_post(services, acting, key))


def show_agreement(services: Services, request: ShowAgreement) -> dict[str, object]:
    """Show an agreement with every version.

    Raises:
        NotFoundError: There is none.
    """
    return agreement_json(services, resolve_agreement(services, request.agreement))


def list_agreements(services: Services, request: ListAgreements) -> dict[str, list[dict[str, object]]]:
    """List the agreements, of one party or in one status if asked."""
    party = parse_agency(request.party).id if request.party else None
    status = named(AgreementStatus, request.status, "status") if request.status else None
    items: list[dict[str, object]] = []
    for agreement in services.state.ids("agreement"):
        view = find_agreement(services, agreement)
        if view is None or (status is not None and view.status is not status):
            continue
        if party is not None and party not in view.versions[-1].terms.parties:
            continue
        items.append(agreement_row(services, view))
    return {"items": items}


def agreement_row(services: Services, view: AgreementState) -> dict[str, object]:
    """Return an agreement as one row of a list."""
    newest, active = view.versions[-1], view.active_version
    return {
        "agreement": view.agreement.hex(),
        "reference": reference_of(services, view),
        "status": view.status.name,
        "version": active.version if active else newest.version,
        "provider": services.directory.text(newest.terms.provider),
        "parties": len(newest.terms.parties),
        "grants": len(newest.terms.grants),
        "signed": len(newest.signatures),
        "proposed_at": iso(newest.proposed_at),
    }


def _propose(
    services: Services,
    draft: AgreementDraftV1,
    agreement: bytes,
    version: int,
    request: DraftAgreement | AmendAgreement,
) -> dict[str, object]:
    post = parse_post(request.post).id if request.post else _proposer(services, draft)
    signed, proposed = proposal(
        services, draft, agreement, version, post=post, key=request.key, demonstration=request.demonstration
    )
    receipt = relay(services, signed)
    return {
        "agreement": agreement.hex(),
        "reference": draft.reference,
        "version": version,
        "proposed_by": services.directory.text(post),
        "tx": receipt.tx_hash.hex(),
        "block": receipt.block_number,
        "to_sign": [services.directory.text(party) for party in proposed.parties],
    }


def proposal(
    services: Services,
    draft: AgreementDraftV1,
    agreement: bytes,
    version: int,
    *,
    post: bytes,
    key: str = "",
    demonstration: bool = False,
) -> tuple[SignedRequest, Terms]:
    """Return what proposing a draft relays, and its terms; the draft's texts are on disk.

    Raises:
        UnauthorizedError: No key of the post is in this home.
    """
    signer = signer_for_post(services, post, key)
    about = {"about": agreement.hex(), "reference": draft.reference, "demonstration": demonstration}
    review, given = ZERO32, {}
    if (stated := draft.security_review) is not None:
        if stated.commitment:
            review, given = bytes.fromhex(stated.commitment), {"review": "given"}  # Its document stays elsewhere.
        else:
            groups = review_groups(stated)
            review = keep(services, make_document("agreement", Tier.PARTIES, groups, extra={"about": agreement.hex()}))
    # The texts of published agreements are public here: who shares what with whom, why and until when.
    document = make_document(
        "agreement", Tier.PUBLIC, text_groups(draft), texts=_texts(draft), extra={**about, "version": version, **given}
    )
    text = keep(services, document)
    proposed = terms(draft, agreement=agreement, version=version, text=text, review=review)
    record = Propose(post=post, terms=proposed, nonce=fresh_nonce(), deadline=deadline_of(services))
    return sign_request(services, record, signer), proposed


def _texts(draft: AgreementDraftV1) -> dict[str, list[str]]:
    return {
        "agency": [party.agency for party in draft.parties],
        "dataset": [grant.dataset for grant in draft.grants],
        "code": [*(grant.purpose for grant in draft.grants), *draft.legal_bases],
    }


def _proposer(services: Services, draft: AgreementDraftV1) -> bytes:
    """Return the one office head of a party, the provider's first, whose key is in this home."""
    here = {services.keyring.address(name) for name in services.keyring.names()}
    now = services.now_s()
    agencies = [draft.provider, *(party.agency for party in draft.parties if party.agency != draft.provider)]
    for agency in agencies:
        wanted = parse_agency(agency).id
        for post in services.state.ids("post"):
            view = registry_views.find_post(services, post)
            if view is None or view.agency != wanted or not view.roles_at(now) & _HEADS:
                continue
            if any(binding.key in here for binding in view.keys_at(now)):
                return post
    raise InvalidInputError("as", "", "an office head of a party whose key is in this home")
