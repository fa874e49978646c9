"""An agreement for showing: the domain's fold of its events, with names and opened texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.agreement_state import fold_agreement
from ledger.domain.agreement_v1 import RESERVED_TEXTS
from ledger.domain.codes import Delivery
from ledger.domain.errors import NotFoundError
from ledger.domain.scalars import ZERO32
from ledger.service import registry_views
from ledger.service.documents import values_of
from ledger.service.profiles import names_of
from ledger.service.stated_dates import stated_dates
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.agreement_state import AgreementState, AgreementVersion
    from ledger.domain.records import Grant, Terms
    from ledger.service.services import Services

AGREEMENTS = "AgreementLedger"


def find_agreement(services: Services, agreement: bytes) -> AgreementState | None:
    """Return an agreement, or None if it was never proposed."""
    return fold_agreement(services.state.history(AGREEMENTS, agreement))


def resolve_agreement(services: Services, text: str) -> AgreementState:
    """Return the agreement that a person means.

    Raises:
        NotFoundError: None.
        ConflictError: The prefix fits several.
    """
    agreement = services.directory.resolve(text, services.state.ids("agreement"), "agreement")
    state = find_agreement(services, agreement)
    if state is None:
        raise NotFoundError("agreement", text)
    return state


def reference_of(services: Services, state: AgreementState) -> str:
    """Return the reference that the newest version's text states, empty if its text is not here."""
    document = services.directory.public_document(state.versions[-1].terms.text)
    return str(values_of(document).get("reference", "")) if document is not None else ""


def is_demonstration(services: Services, agreement: bytes) -> bool:
    """Say whether the agreement was signed with keys generated for a demonstration."""
    if services.deployment.demonstration:
        return True
    return any(bool(document.extra.get("demonstration")) for document in services.directory.documents_about(agreement))


def agreement_json(services: Services, state: AgreementState) -> dict[str, object]:
    """Return an agreement with all its versions as JSON values."""
    pending, active = state.pending_version, state.active_version
    return {
        "agreement": state.agreement.hex(),
        "reference": reference_of(services, state),
        "status": state.status.name,
        "version_in_force": active.version if active else 0,
        "pending_version": pending.version if pending else 0,
        "pending_terms_hash": pending.terms_hash.hex() if pending else "",
        "demonstration": is_demonstration(services, state.agreement),
        "versions": [
            {**version_json(services, version), "stated": stated_dates(services, version)} for version in state.versions
        ],
        "periods": [
            {
                "status": period.status.name,
                "since": iso(period.since),
                "block": period.block,
                "post": text_or_empty(services, period.post),
                "reason": text_or_empty(services, period.reason),
            }
            for period in state.periods
        ],
        "disposals": [
            {
                "party": services.directory.text(disposal.party),
                "post": services.directory.text(disposal.post),
                "certificate": disposal.certificate.hex(),
                "certified_at": iso(disposal.certified_at),
            }
            for disposal in state.disposals
        ],
    }


def text_or_empty(services: Services, identifier: bytes) -> str:
    """Return the text of an id, empty where none is stated."""
    return services.directory.text(identifier) if identifier and identifier != ZERO32 else ""


def version_json(services: Services, version: AgreementVersion) -> dict[str, object]:
    """Return one version as JSON values, its text opened where the vault holds it."""
    document = services.directory.public_document(version.terms.text)
    text = values_of(document) if document is not None else {}
    shown = {name.removeprefix("text."): value for name, value in text.items() if name.startswith("text.")}
    # The draft's own fields last: no text that somebody named like one may stand in its place before a signer.
    shown |= {name: text[name] for name in RESERVED_TEXTS if text.get(name)}
    return {
        "version": version.version,
        "terms_hash": version.terms_hash.hex(),
        "proposed_at": iso(version.proposed_at),
        "proposed_by": services.directory.text(version.proposed_by),
        "activated_at": iso(version.activated_at) if version.activated_at is not None else "",
        "cancelled_at": iso(version.cancelled_at) if version.cancelled_at is not None else "",
        "text_commitment": version.terms.text.hex(),
        "text": shown,
        "security_review": _review(version.terms),
        "parties": [_party(services, version, party) for party in version.terms.parties],
        "grants": [grant_json(services, grant) for grant in version.terms.grants],
    }


def grant_json(services: Services, grant: Grant) -> dict[str, object]:
    """Return a grant as JSON values; an empty ``valid_to`` is an open end."""
    return {
        "dataset": services.directory.text(grant.dataset),
        "dataset_version": grant.dataset_version,
        "recipient": services.directory.text(grant.recipient),
        "purpose": services.directory.text(grant.purpose),
        "delivery": Delivery(grant.delivery).name,
        "valid_from": iso(grant.valid_from),
        "valid_to": iso(grant.valid_to),
    }


def _review(terms: Terms) -> dict[str, str] | None:
    if terms.review == ZERO32:
        return None
    return {"commitment": terms.review.hex(), "valid_until": iso(terms.review_valid_until)}


def _party(services: Services, version: AgreementVersion, party: bytes) -> dict[str, str]:
    signature = next((known for known in version.signatures if known.party == party), None)
    agency = registry_views.find_agency(services, party)
    return {
        "agency": services.directory.text(party),
        **(names_of(services, agency.profile) if agency else {"name_zh": "", "name_en": ""}),
        "signed_by": services.directory.text(signature.post) if signature else "",
        "signed_at": iso(signature.signed_at) if signature else "",
        "signer": "0x" + signature.signer.hex() if signature else "",
    }
