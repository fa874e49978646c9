"""Agreements as the public sees them: what is shared, between whom, why, on what basis and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.codes import AgreementStatus, Delivery
from ledger.domain.legal_time import LEGAL_ZONE
from ledger.domain.scalars import OPEN_END, ZERO32
from ledger.service.agreement_views import AGREEMENTS, find_agreement, is_demonstration, resolve_agreement
from ledger.service.pages.listing import Listing, check_cursor
from ledger.service.pages.names import Name, agency_name, code_text, dataset_name, post_name, public_values
from ledger.service.requests import Request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.domain.agreement_state import AgreementState, AgreementVersion, Signature
    from ledger.domain.event_log import Event, Recorded
    from ledger.domain.records import Terms
    from ledger.service.index_rows import AgreementRow
    from ledger.service.services import Services

_MANY = 500
"""More grants or agreements than one page shows."""


class AgreementsPage(Request, frozen=True, kw_only=True):
    """Arguments of `agreements_page`; ``status`` empty lists all."""

    status: str = ""
    after: str = ""
    limit: int = 50


class AgreementPage(Request, frozen=True, kw_only=True):
    """Arguments of `agreement_page`: a reference, an id in hex, or the beginning of one."""

    agreement: str


class SharingPage(Request, frozen=True, kw_only=True):
    """Arguments of `sharing_page`: two agencies by their ids in hex."""

    provider: str
    recipient: str


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """An agreement in a list.

    ``period`` is ENDED or LATER where all its windows are past or to come: expiry is computed, and no status.
    """

    id: str
    reference: str
    title: str
    state: str
    period: str
    version: int
    provider: Name
    parties: tuple[Name, ...]
    demonstration: bool


@dataclass(frozen=True, slots=True)
class GrantLine:
    """What one grant allows; ``valid_to`` None is an open end. ``in_window`` says whether the present lies in it."""

    dataset: Name
    dataset_version: int
    recipient: Name
    purpose: str
    delivery: str
    valid_from: int
    valid_to: int | None
    in_window: bool


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """A party's signature; ``post`` None says that it is missing."""

    party: Name
    post: Name | None
    signer: str
    at: int
    block: int


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version with its terms and signatures; times are 0 where the step has not happened.

    ``zone`` is the time zone in which its windows were written.
    """

    number: int
    state: str
    proposed_at: int
    proposed_by: Name
    activated_at: int
    cancelled_at: int
    terms_hash: str
    text: str
    title: str
    legal_bases: tuple[str, ...]
    zone: str
    texts: tuple[tuple[str, str], ...]
    has_review: bool
    review_valid_until: int
    grants: tuple[GrantLine, ...]
    signatures: tuple[SignatureLine, ...]

    @property
    def signed(self) -> int:
        """How many parties have signed."""
        return sum(1 for signature in self.signatures if signature.post is not None)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One event on chain."""

    event: str
    post: Name | None
    reason: str
    at: int
    block: int
    tx: str


@dataclass(frozen=True, slots=True)
class AgreementView:
    """One agreement, its newest version first."""

    line: AgreementLine
    versions: tuple[VersionView, ...]
    history: tuple[HistoryLine, ...]
    review_expired: bool


@dataclass(frozen=True, slots=True)
class SharedLine:
    """What one agreement lets one agency receive from another; ``in_force`` says whether it does so now."""

    agreement: AgreementLine
    legal_bases: tuple[str, ...]
    zone: str
    has_review: bool
    review_valid_until: int
    grants: tuple[GrantLine, ...]
    in_force: bool


@dataclass(frozen=True, slots=True)
class SharingView:
    """Everything between two agencies, what is in force first."""

    provider: Name
    recipient: Name
    shared: tuple[SharedLine, ...]


def agreements_page(services: Services, request: AgreementsPage) -> Listing[AgreementLine]:
    """List agreements in the order of their proposal.

    Raises:
        InvalidInputError: A cursor that is none.
    """
    status = AgreementStatus.__members__.get(request.status)
    page = services.index.agreements(state=status, after=check_cursor(request.after), limit=request.limit)
    return Listing(_lines(services, page.rows), len(services.state.ids("agreement")), page.next)


def agreements_of(services: Services, party: bytes) -> Listing[AgreementLine]:
    """List the agreements of one party."""
    page = services.index.agreements(party=party, limit=_MANY)
    return Listing(_lines(services, page.rows), len(page.rows), page.next)


def agreement_page(services: Services, request: AgreementPage) -> AgreementView:
    """Show an agreement with every version, signature and event.

    Raises:
        NotFoundError: There is none.
        ConflictError: The beginning of an id fits several.
    """
    state = resolve_agreement(services, request.agreement)
    now = services.now_s()
    counted = state.active_version or state.versions[-1]
    return AgreementView(
        line=_line(services, state),
        versions=tuple(_version(services, state, version, now) for version in reversed(state.versions)),
        history=tuple(_history(services, recorded) for recorded in services.state.history(AGREEMENTS, state.agreement)),
        review_expired=not _is_review_valid(counted.terms, now),
    )


def sharing_page(services: Services, request: SharingPage) -> SharingView:
    """Show what one agency may receive from another, by which agreements, why, on what basis and until when.

    Raises:
        NotFoundError: One of them is not on this ledger.
        ConflictError: The beginning of an id fits several.
    """
    known = services.state.ids("agency")
    provider = services.directory.resolve(request.provider, known, "agency")
    recipient = services.directory.resolve(request.recipient, known, "agency")
    rows = services.index.grants(provider=provider, recipient=recipient, limit=_MANY).rows
    states = (find_agreement(services, agreement) for agreement in dict.fromkeys(row.agreement for row in rows))
    shared = [_shared(services, state, recipient) for state in states if state is not None]
    shared.sort(key=lambda line: not line.in_force)
    return SharingView(agency_name(services, provider), agency_name(services, recipient), tuple(shared))


def _shared(services: Services, state: AgreementState, recipient: bytes) -> SharedLine:
    now = services.now_s()
    counted = state.active_version or state.versions[-1]
    view = _version(services, state, counted, now)
    grants = tuple(grant for grant in view.grants if grant.recipient.id == recipient.hex())
    is_open = state.status is AgreementStatus.ACTIVE and _is_review_valid(counted.terms, now)
    return SharedLine(
        agreement=_line(services, state),
        legal_bases=view.legal_bases,
        zone=view.zone,
        has_review=view.has_review,
        review_valid_until=view.review_valid_until,
        grants=grants,
        in_force=is_open and any(grant.in_window for grant in grants),
    )


def _period(terms: Terms, now: int) -> str:
    if all(now >= (grant.valid_to or OPEN_END) for grant in terms.grants):
        return "ENDED"
    return "LATER" if all(now < grant.valid_from for grant in terms.grants) else ""


def _is_review_valid(terms: Terms, now: int) -> bool:
    return terms.review == ZERO32 or now < terms.review_valid_until


def _lines(services: Services, rows: Iterable[AgreementRow]) -> tuple[AgreementLine, ...]:
    states = (find_agreement(services, row.agreement) for row in rows)
    return tuple(_line(services, state) for state in states if state is not None)


def _line(services: Services, state: AgreementState) -> AgreementLine:
    counted = state.active_version or state.versions[-1]
    text = public_values(services, counted.terms.text)
    return AgreementLine(
        id=state.agreement.hex(),
        reference=str(text.get("reference", "")) or state.agreement.hex()[:12],
        title=str(text.get("title", "")),
        state=state.status.name,
        period=_period(counted.terms, services.now_s()),
        version=counted.version,
        provider=agency_name(services, counted.terms.provider),
        parties=tuple(agency_name(services, party) for party in counted.terms.parties),
        demonstration=is_demonstration(services, state.agreement),
    )


def _version(services: Services, state: AgreementState, version: AgreementVersion, now: int) -> VersionView:
    terms, text = version.terms, public_values(services, version.terms.text)
    signed = {signature.party: signature for signature in version.signatures}
    bases = text.get("legal_bases")
    return VersionView(
        number=version.version,
        state=_version_state(state, version),
        proposed_at=version.proposed_at,
        proposed_by=post_name(services, version.proposed_by),
        activated_at=version.activated_at or 0,
        cancelled_at=version.cancelled_at or 0,
        terms_hash=version.terms_hash.hex(),
        text=terms.text.hex(),
        title=str(text.get("title", "")),
        legal_bases=tuple(str(basis) for basis in bases) if isinstance(bases, list | tuple) else (),
        zone=str(text.get("zone", "")) or LEGAL_ZONE,
        texts=tuple((name.removeprefix("text."), str(v)) for name, v in text.items() if name.startswith("text.")),
        has_review=terms.review != ZERO32,
        review_valid_until=terms.review_valid_until,
        grants=tuple(
            GrantLine(
                dataset=dataset_name(services, grant.dataset, grant.dataset_version),
                dataset_version=grant.dataset_version,
                recipient=agency_name(services, grant.recipient),
                purpose=code_text(services, grant.purpose) or grant.purpose.hex(),
                delivery=Delivery(grant.delivery).name,
                valid_from=grant.valid_from,
                valid_to=None if grant.valid_to in {0, OPEN_END} else grant.valid_to,
                in_window=grant.valid_from <= now < (grant.valid_to or OPEN_END),
            )
            for grant in terms.grants
        ),
        signatures=tuple(_signature(services, party, signed.get(party)) for party in terms.parties),
    )


def _signature(services: Services, party: bytes, signature: Signature | None) -> SignatureLine:
    if signature is None:
        return SignatureLine(agency_name(services, party), None, "", 0, 0)
    return SignatureLine(
        party=agency_name(services, party),
        post=post_name(services, signature.post),
        signer="0x" + signature.signer.hex(),
        at=signature.signed_at,
        block=signature.block,
    )


def _version_state(state: AgreementState, version: AgreementVersion) -> str:
    if version.cancelled_at is not None:
        return AgreementStatus.CANCELLED.name
    if version.activated_at is None:
        return AgreementStatus.PROPOSED.name
    return state.status.name if version == state.active_version else "REPLACED"


def _history(services: Services, recorded: Recorded[Event]) -> HistoryLine:
    post = getattr(recorded.event, "post", None)
    return HistoryLine(
        event=type(recorded.event).__name__,
        post=post_name(services, post) if post else None,
        reason=code_text(services, getattr(recorded.event, "reason", ZERO32)),
        at=recorded.timestamp,
        block=recorded.block,
        tx=recorded.tx_hash.hex(),
    )
