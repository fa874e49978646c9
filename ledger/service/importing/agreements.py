"""``import nhs-dsa``: the register's agreements become proposals; with demonstration keys, signed agreements.

A register's agreement is known by its reference. One that the ledger holds with the same terms is left as it
is, one with other terms is rejected: an import never amends.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.domain import canonical
from ledger.domain.agreement_v1 import FORMAT, AgreementDraftV1, text_groups
from ledger.domain.codes import PostRole
from ledger.domain.errors import LedgerError
from ledger.domain.identifiers import DatasetRef, PostRef, parse_post
from ledger.service import registry_views
from ledger.service.agreement_views import find_agreement
from ledger.service.agreements import AGREEMENT_BYTES, proposal, signing
from ledger.service.documents import values_of
from ledger.service.importing.demonstration import prepare_entries, prepare_posts
from ledger.service.importing.nhs_dsa import ZONE, RegisteredAgreement, parse_agreement
from ledger.service.importing.tally import ImportRecords, Tally, check_signers, parse_all
from ledger.service.profiles import DEMONSTRATION
from ledger.service.submission import relay_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ledger.domain.canonical import Json
    from ledger.domain.identifiers import AgencyRef
    from ledger.service.importing.demonstration import Failures
    from ledger.service.services import Services

_HEAD: Final = "office-head"
_HEAD_ROLES: Final = PostRole.PROVIDER_OFFICE_HEAD | PostRole.REQUESTER_OFFICE_HEAD | PostRole.DEPT_HEAD
_STEPS: Final = 5


@dataclass(slots=True)
class _Found:
    """A record that can be imported: its draft, and the agreement's id here."""

    record: int
    source: RegisteredAgreement
    draft: AgreementDraftV1
    agreement: bytes
    is_proposed: bool


def import_agreements(
    services: Services, request: ImportRecords, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """Import records of the register.

    Raises:
        InvalidInputError: Neither an importing post nor demonstration keys.
        UnavailableError: The chain does not answer; the same import may be repeated.
    """
    check_signers(request)
    tally = Tally()
    sources = parse_all(request.records, parse_agreement, tally)
    found = _sift(services, [(item.record, item.value) for item in sources], request, tally)
    progress("agreements", 1, _STEPS)
    if request.demo_keys:
        found = _prepare(services, found, tally)
    progress("agreements", 2, _STEPS)
    found = _propose(services, found, request, tally)
    progress("agreements", 3, _STEPS)
    if request.demo_keys:
        _sign(services, found, tally)
    progress("agreements", _STEPS, _STEPS)
    rejected = {rejection.record for rejection in tally.rejected}
    for item in found:
        if item.record in rejected:
            continue
        state = find_agreement(services, item.agreement)
        tally.items.append(
            {
                "record": item.record,
                "reference": item.draft.reference,
                "agreement": item.agreement.hex(),
                "status": state.status.name if state is not None else "NONE",
                "parties": len(item.draft.parties),
                "grants": len(item.draft.grants),
            }
        )
    return tally.result(request)


def draft_of(services: Services, source: RegisteredAgreement, *, demonstration: bool) -> AgreementDraftV1:
    """Return the register's agreement as a draft: what it says, in our terms, and nothing more.

    Raises:
        InvalidInputError: A party that shares with itself alone, or more grants than an agreement may have.
    """
    texts: dict[str, Json] = {
        "register": "NHS England, Data Uses Register",
        **dict(source.texts),
        **{name: "; ".join(values) for name, values in source.lists if values and name != "legal_bases"},
        **({"processors": "; ".join(agency.name for agency in source.processors)} if source.processors else {}),
        **({"demonstration": DEMONSTRATION} if demonstration else {}),
    }
    texts.pop("title", None)
    grants: list[Json] = [
        {
            "dataset": str(dataset),
            "version": _version(services, dataset),
            "recipient": str(recipient),
            "purpose": source.purpose,
            "delivery": delivery.name,
            "starts": source.starts.isoformat(),
            "ends": source.ends.isoformat() if source.ends is not None else None,
        }
        for dataset in _datasets(source)
        for delivery in source.deliveries
        for recipient in source.recipients
    ]
    parties: list[Json] = [
        {"agency": str(party), "role": "PROVIDER" if party == source.provider else "REQUESTER"}
        for party in source.parties
    ]
    # Through the drafts' own reader, so that an import makes nothing that a person could not have drafted.
    return AgreementDraftV1.from_object(
        {
            "format": FORMAT,
            "reference": source.reference,
            "provider": str(source.provider),
            "parties": parties,
            "grants": grants,
            "title": source.title,
            "zone": ZONE,
            "legal_bases": [f"nhs-dars:{text}" for text in dict(source.lists).get("legal_bases", ())],
            "texts": texts,
        }
    )


def _datasets(source: RegisteredAgreement) -> Iterable[DatasetRef]:
    return (DatasetRef(source.provider, name) for name in source.datasets)


def _version(services: Services, dataset: DatasetRef) -> int:
    entries = registry_views.entries_of(services, dataset.id)
    return entries[-1].version if entries else 1


def _sift(
    services: Services, sources: Sequence[tuple[int, RegisteredAgreement]], request: ImportRecords, tally: Tally
) -> list[_Found]:
    """Return what is new or unfinished; what the ledger holds is counted, what differs from it is rejected."""
    found: dict[str, _Found] = {}
    for record, source in sources:
        try:
            draft = draft_of(services, source, demonstration=request.demo_keys)
        except LedgerError as error:
            tally.refuse(record, error, field_name="record")
            continue
        if (twin := found.get(draft.reference)) is not None:
            _compare(tally, record, twin.draft, draft, "the file holds it already with other terms")
            continue
        known = services.directory.referred(draft.reference, "agreement")
        state = find_agreement(services, known) if known is not None else None
        if state is None:
            found[draft.reference] = _Found(record, source, draft, known or secrets.token_bytes(AGREEMENT_BYTES), False)
            continue
        document = services.directory.document(state.versions[0].terms.text)
        held = dict(values_of(document)) if document is not None else {}
        if differs := _difference(held, dict(text_groups(draft))):
            tally.reject(record, "the ledger holds the reference with other terms; amend it", field_name=differs)
        elif request.demo_keys and state.pending_version is not None and "text.demonstration" in held:
            found[draft.reference] = _Found(record, source, draft, state.agreement, True)
        else:
            tally.unchanged += 1
    return list(found.values())


def _compare(tally: Tally, record: int, first: AgreementDraftV1, second: AgreementDraftV1, reason: str) -> None:
    differs = _difference(dict(text_groups(first)), dict(text_groups(second)))
    if differs:
        tally.reject(record, reason, field_name=differs)
    else:
        tally.unchanged += 1


def _difference(held: dict[str, Any], given: dict[str, Any]) -> str:
    """Return the first field in which two agreements differ, but for what the source does not say."""
    for groups in (held, given):
        groups.pop("text.demonstration", None)
        groups["grants"] = [{**grant, "version": 0} for grant in groups.get("grants", [])]
    # By their canonical bytes, so that a list read back equals the tuple that was written.
    texts = [{name: canonical.encode_checked(value) for name, value in groups.items()} for groups in (held, given)]
    return next((name for name in sorted({*held, *given}) if texts[0].get(name) != texts[1].get(name)), "")


def _head_of(agency: AgencyRef) -> PostRef:
    return PostRef(_HEAD, agency)


def _prepare(services: Services, found: Sequence[_Found], tally: Tally) -> list[_Found]:
    """Admit the parties and publish the datasets; a record whose bodies cannot be used is rejected."""
    parties = dict.fromkeys(party for item in found for party in item.source.parties)
    failures = prepare_posts(services, {_head_of(party): _HEAD_ROLES for party in parties})
    datasets = [
        dataset
        for item in found
        if str(_head_of(item.source.provider)) not in failures
        for dataset in _datasets(item.source)
    ]
    failures |= prepare_entries(services, datasets, _head_of)
    return [item for item in found if _is_usable(item, failures, tally)]


def _is_usable(item: _Found, failures: Failures, tally: Tally) -> bool:
    for field_name, needed in (
        ("provider", [_head_of(item.source.provider)]),
        ("controllers", [_head_of(party) for party in item.source.controllers]),
        ("recipients", [_head_of(party) for party in item.source.recipients]),
        ("datasets", list(_datasets(item.source))),
    ):
        for thing in needed:
            if (error := failures.get(str(thing))) is not None:
                tally.refuse(item.record, error, field_name=field_name)
                return False
    return True


def _unknown_body(services: Services, item: _Found) -> tuple[str, AgencyRef] | None:
    """Return the first body of a record that was never admitted, with the record's field that names it."""
    for field_name, bodies in (
        ("provider", (item.source.provider,)),
        ("controllers", item.source.controllers),
        ("recipients", item.source.recipients),
    ):
        for body in bodies:
            if registry_views.find_agency(services, body.id) is None:
                return field_name, body
    return None


def _propose(services: Services, found: Sequence[_Found], request: ImportRecords, tally: Tally) -> list[_Found]:
    missing: list[_Found] = []
    requests = []
    refused: set[int] = set()
    for item in found:
        if item.is_proposed:
            continue
        if not request.demo_keys and (unknown := _unknown_body(services, item)) is not None:
            field_name, body = unknown
            tally.reject(item.record, f"{body} is not on this ledger: admit it first", field_name=field_name)
            refused.add(item.record)
            continue
        post = _head_of(item.source.provider) if request.demo_keys else parse_post(request.post, "as")
        key = "" if request.demo_keys else request.key
        try:
            signed, _ = proposal(
                services, item.draft, item.agreement, 1, post=post.id, key=key, demonstration=request.demo_keys
            )
        except LedgerError as error:
            tally.refuse(item.record, error, field_name="as")
            refused.add(item.record)
            continue
        requests.append(signed)
        missing.append(item)
    for item, outcome in zip(missing, relay_all(services, requests), strict=True):
        if isinstance(outcome, LedgerError):
            tally.refuse(item.record, outcome, field_name="agreement")
            refused.add(item.record)
    return [item for item in found if item.record not in refused]


def _sign(services: Services, found: Sequence[_Found], tally: Tally) -> None:
    owners: list[_Found] = []
    requests = []
    for item in found:
        state = find_agreement(services, item.agreement)
        pending = state.pending_version if state is not None else None
        if pending is None:
            continue
        signed = {signature.party for signature in pending.signatures}
        for party in item.source.parties:
            if party.id not in signed:
                requests.append(signing(services, item.agreement, pending, str(_head_of(party))))
                owners.append(item)
    for item, outcome in zip(owners, relay_all(services, requests), strict=True):
        if isinstance(outcome, LedgerError):
            tally.refuse(item.record, outcome, field_name="agreement")
