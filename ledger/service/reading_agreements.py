"""Agreements as anyone may read them: who shares what with whom, on what basis, until when, signed by whom.

An agreement's text is public (`ledger.service.agreements` keeps it so, and a text sent from elsewhere must be);
what a party keeps private stands here as the commitment that the chain holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.codes import AgreementStatus
from ledger.domain.errors import NotFoundError
from ledger.domain.identifiers import parse_agency, parse_dataset
from ledger.service.agreement_views import (
    AGREEMENTS,
    agreement_json,
    find_agreement,
    grant_json,
    is_demonstration,
    reference_of,
    resolve_agreement,
    version_json,
)
from ledger.service.agreements import ShowAgreement, agreement_row
from ledger.service.answers import source_json
from ledger.service.catalogue import named
from ledger.service.paging import Paged, page_of, read_at
from ledger.service.requests import Request

if TYPE_CHECKING:
    from ledger.domain.agreement_state import AgreementState
    from ledger.service.services import Services


class PageAgreements(Paged, frozen=True, kw_only=True):
    """Which agreements: all, of one party, in one status."""

    party: str = ""
    status: str = ""


class ShowVersion(Request, frozen=True, kw_only=True):
    """One version of an agreement."""

    agreement: str
    version: int


class PageGrants(Paged, frozen=True, kw_only=True):
    """Which grants, by agreement: narrowed by provider, recipient and dataset; ``in_force`` leaves out what is not."""

    provider: str = ""
    recipient: str = ""
    dataset: str = ""
    in_force: bool = False


def page_agreements(services: Services, request: PageAgreements) -> dict[str, object]:
    """List agreements in the order of their proposal. Raises as ``page_of``."""
    party = parse_agency(request.party).id if request.party else None
    status = named(AgreementStatus, request.status, "status") if request.status else None

    def view(agreement: bytes) -> dict[str, object] | None:
        found = find_agreement(services, agreement)
        if found is None or (status is not None and found.status is not status):
            return None
        if party is not None and party not in found.versions[-1].terms.parties:
            return None
        return agreement_row(services, found)

    return {**page_of(services.state.ids("agreement"), request, view), "read_at": read_at(services)}


def public_agreement(services: Services, request: ShowAgreement) -> dict[str, object]:
    """Show an agreement with all its versions and the chain events that say so.

    Raises:
        NotFoundError: There is none.
    """
    state = resolve_agreement(services, request.agreement)
    return {**agreement_json(services, state), **_sourced(services, state)}


def public_version(services: Services, request: ShowVersion) -> dict[str, object]:
    """Show one version of an agreement.

    Raises:
        NotFoundError: There is no such agreement or version.
    """
    state = resolve_agreement(services, request.agreement)
    version = next((known for known in state.versions if known.version == request.version), None)
    if version is None:
        raise NotFoundError(f"version of {request.agreement}", request.version)
    return {
        "agreement": state.agreement.hex(),
        "reference": reference_of(services, state),
        "demonstration": is_demonstration(services, state.agreement),
        **version_json(services, version),
        **_sourced(services, state),
    }


def public_signatures(services: Services, request: ShowAgreement) -> dict[str, object]:
    """List who signed which version of an agreement, with which key, and in which block.

    Raises:
        NotFoundError: There is none.
    """
    state = resolve_agreement(services, request.agreement)
    items = [
        {
            "version": version.version,
            "terms_hash": version.terms_hash.hex(),
            "party": services.directory.text(signature.party),
            "post": services.directory.text(signature.post),
            "signer": "0x" + signature.signer.hex(),
            "block": signature.block,
        }
        for version in state.versions
        for signature in version.signatures
    ]
    return {
        "agreement": state.agreement.hex(),
        "demonstration": is_demonstration(services, state.agreement),
        "items": items,
        **_sourced(services, state),
    }


def page_grants(services: Services, request: PageGrants) -> dict[str, object]:
    """List the agreements that grant something, each with the grants asked for: what, to whom, for what, until when.

    Raises:
        InvalidInputError: A bad id, cursor or length.
    """
    provider = parse_agency(request.provider, "provider").id if request.provider else None
    recipient = parse_agency(request.recipient, "recipient").id if request.recipient else None
    dataset = parse_dataset(request.dataset).id if request.dataset else None
    now = services.now_s()

    def view(agreement: bytes) -> dict[str, object] | None:
        state = find_agreement(services, agreement)
        if state is None:
            return None
        version = state.version_at(now) or state.versions[-1]
        if provider not in {None, version.terms.provider}:
            return None
        in_force = state.status_at(now) is AgreementStatus.ACTIVE
        grants = [
            {
                **grant_json(services, grant),
                "in_force": in_force and grant.valid_from <= now < (grant.valid_to or 2**64),
            }
            for grant in version.terms.grants
            if recipient in {None, grant.recipient} and dataset in {None, grant.dataset}
        ]
        shown = [grant for grant in grants if grant["in_force"] or not request.in_force]
        if not shown:
            return None
        text = version_json(services, version)["text"]
        return {
            "agreement": state.agreement.hex(),
            "reference": reference_of(services, state),
            "version": version.version,
            "status": state.status.name,
            "provider": services.directory.text(version.terms.provider),
            "legal_bases": text.get("legal_bases", []) if isinstance(text, dict) else [],
            "demonstration": is_demonstration(services, state.agreement),
            "grants": shown,
        }

    return {**page_of(services.state.ids("agreement"), request, view), "read_at": read_at(services)}


def _sourced(services: Services, state: AgreementState) -> dict[str, object]:
    history = services.state.history(AGREEMENTS, state.agreement)
    return {"sources": [source_json(services, recorded) for recorded in history], "read_at": read_at(services)}
