"""``import violation-cases``: published decisions become leads, sealed like every case; never a finding of ours.

A decision is known by its authority and number. Its lead says what the record says: whom it is about, which
articles, and where it was published. Filing it is a step that a post of an authority takes afterwards.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.codes import PostRole
from ledger.domain.errors import LedgerError
from ledger.domain.identifiers import PostRef, parse_post
from ledger.service.case_documents import filing_of
from ledger.service.case_views import find_case
from ledger.service.cases import lead
from ledger.service.documents import values_of
from ledger.service.importing.demonstration import prepare_posts
from ledger.service.importing.tally import ImportRecords, Tally, check_signers, parse_all
from ledger.service.importing.violation_cases import PublishedDecision, parse_decision
from ledger.service.profiles import DEMONSTRATION
from ledger.service.submission import relay_all

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.domain.canonical import Json
    from ledger.service.services import Services

_INSPECTOR: Final = "inspector"
_CAPACITIES: Final = PostRole.SHARING_AUTHORITY | PostRole.INSPECTOR | PostRole.REVIEWER
_STEPS: Final = 3
_CASE_BYTES: Final = 32


def import_decisions(
    services: Services, request: ImportRecords, progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """Import records of published decisions.

    Raises:
        InvalidInputError: Neither an importing post nor demonstration keys.
        UnavailableError: The chain does not answer; the same import may be repeated.
    """
    check_signers(request)
    tally = Tally()
    sources = parse_all(request.records, parse_decision, tally)
    found = _sift(services, [(item.record, item.value) for item in sources], tally)
    progress("decisions", 1, _STEPS)
    if request.demo_keys:
        failures = prepare_posts(
            services,
            {_inspector(source): PostRole.INSPECTOR for _, source in found},
            capacities=_CAPACITIES,
        )
        for record, source in found:
            if (error := failures.get(str(_inspector(source)))) is not None:
                tally.refuse(record, error, field_name="authority")
        found = [(record, source) for record, source in found if str(_inspector(source)) not in failures]
    progress("decisions", 2, _STEPS)
    _record_leads(services, found, request, tally)
    progress("decisions", _STEPS, _STEPS)
    return tally.result(request)


def reference_of(source: PublishedDecision) -> str:
    """Return what a decision's case is called: its authority's name in the register, and its number there."""
    return f"{source.authority.value}/{source.number}"


def _inspector(source: PublishedDecision) -> PostRef:
    return PostRef(_INSPECTOR, source.authority)


def _values(source: PublishedDecision, *, demonstration: bool) -> dict[str, Json]:
    violations: list[Json] = [*source.violations]
    external: dict[str, Json] = {
        "authority": str(source.authority),
        "number": source.number,
        "decided": source.decided.isoformat() if source.decided is not None else "",
        "kind": source.kind,
        "fine_eur": source.fine_eur,
        "source": source.source,
    }
    return {
        "respondent": str(source.respondent),
        "violations": violations,
        "facts": source.facts,
        "reference": reference_of(source),
        "external_record": external,
        **({"demonstration": DEMONSTRATION} if demonstration else {}),
    }


def _sift(
    services: Services, sources: Sequence[tuple[int, PublishedDecision]], tally: Tally
) -> list[tuple[int, PublishedDecision]]:
    """Return what is new; what the ledger holds is counted, what differs from it is rejected."""
    found: dict[str, tuple[int, PublishedDecision]] = {}
    for record, source in sources:
        given = _values(source, demonstration=False)
        reference = reference_of(source)
        case = services.directory.referred(reference, "case")
        if (twin := found.get(reference)) is not None:
            held, reason = _values(twin[1], demonstration=False), "the file holds it already with other content"
        elif case is not None and find_case(services, case) is not None:
            held = dict(values_of(filing_of(services, case)))  # type: ignore[arg-type] # JSON values.
            reason = "the ledger holds it with other content"
        else:
            found[reference] = (record, source)
            continue
        differs = next(
            (name for name in given if (given[name] or held.get(name)) and given[name] != held.get(name)), ""
        )
        if differs:
            tally.reject(record, reason, field_name=differs)
        else:
            tally.unchanged += 1
    return list(found.values())


def _record_leads(
    services: Services, found: Sequence[tuple[int, PublishedDecision]], request: ImportRecords, tally: Tally
) -> None:
    requests, items = [], []
    for record, source in found:
        reference = reference_of(source)
        post = _inspector(source) if request.demo_keys else parse_post(request.post, "as")
        case = services.directory.referred(reference, "case") or secrets.token_bytes(_CASE_BYTES)
        values = _values(source, demonstration=request.demo_keys)
        try:
            requests.append(lead(services, case, str(post), values, reference=reference, key=request.key))
        except LedgerError as error:
            tally.refuse(record, error, field_name="as")
            continue
        items.append(
            {
                "record": record,
                "reference": reference,
                "case": case.hex(),
                "respondent": str(source.respondent),
                "post": str(post),
            }
        )
    for item, outcome in zip(items, relay_all(services, requests), strict=True):
        if isinstance(outcome, LedgerError):
            tally.refuse(int(str(item["record"])), outcome, field_name="as")
        else:
            tally.items.append(item)
