"""By what right did an agency hold a dataset at a time?

Every agreement that ever proposed to grant the dataset to the agency stands under one head on chain, so the
list is complete, and "no right existed" is proved by the same records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.agreement_state import fold_agreement
from ledger.domain.events import AgreementProposed
from ledger.domain.identifiers import parse_agency, parse_dataset, recipient_key
from ledger.domain.rights import granted, is_in_window, reasons_against
from ledger.domain.scalars import ZERO32
from ledger.service import registry_views
from ledger.service.agreement_views import AGREEMENTS, grant_json, is_demonstration, reference_of, version_json
from ledger.service.answers import as_of, frame, known, known_by
from ledger.service.catalogue import entry_json
from ledger.service.requests import Request
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.agreement_state import AgreementState, AgreementVersion
    from ledger.domain.event_log import Event, Recorded
    from ledger.domain.records import Grant
    from ledger.service.services import Services


class AskRight(Request, frozen=True, kw_only=True):
    """Arguments of ``ask right``."""

    agency: str
    dataset: str
    at: str = ""
    known_at: str = ""


def ask_right(services: Services, request: AskRight) -> dict[str, Any]:
    """Return every right that the agency held over the dataset then, and every claim that gave none.

    Raises:
        InvalidInputError: A bad id or time.
    """
    agency, dataset = parse_agency(request.agency), parse_dataset(request.dataset)
    at, known_at = as_of(services, request.at), known_by(services, request.known_at)
    proposals = known(services.state.history(AGREEMENTS, recipient_key(agency.id, dataset.id)), known_at)
    rights: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    sources: list[Recorded[Event]] = list(proposals)
    for agreement in dict.fromkeys(
        recorded.event.agreement for recorded in proposals if isinstance(recorded.event, AgreementProposed)
    ):
        history = known(services.state.history(AGREEMENTS, agreement), known_at)
        state = fold_agreement(history)
        if state is None:
            continue
        sources += [recorded for recorded in history if recorded not in sources]
        version = state.version_at(at)
        reasons = reasons_against(state, recipient=agency.id, dataset=dataset.id, time=at)
        if reasons:
            others.append(
                {
                    "agreement": agreement.hex(),
                    "reference": reference_of(services, state),
                    "why_not": [reason.value for reason in reasons],
                }
            )
        elif version is not None:
            grants = granted(state, recipient=agency.id, dataset=dataset.id, time=at)
            rights.append(_right(services, state, version, [grant for grant in grants if is_in_window(grant, at)], at))
    if not rights:
        # What a "no" rests on besides: the entry that could have been granted, and the agency that could have been.
        sources += known(services.state.history(registry_views.CATALOGUE, dataset.id), known_at)
        sources += known(services.state.history(registry_views.REGISTRY, agency.id), known_at)
    sources.sort(key=lambda recorded: recorded.position)
    question = {"ask": "right", "agency": str(agency), "dataset": str(dataset)}
    entries = registry_views.entries_of(services, dataset.id)
    when = iso(at)
    return {
        "answer": (
            f"{agency} held {dataset} on {when} by {len(rights)} agreement(s): "
            + ", ".join(str(right["reference"] or right["agreement"]) for right in rights)
            if rights
            else f"No right of {agency} over {dataset} existed on {when}"
        ),
        "held": bool(rights),
        "rights": rights,
        "without_effect": others,
        "catalogue": entry_json(services, entries[-1]) if entries else None,
        **frame(services, question, at=at, known_at=known_at, sources=sources, gaps=_gaps(services, agency.id)),
    }


def _right(
    services: Services, state: AgreementState, version: AgreementVersion, grants: list[Grant], at: int
) -> dict[str, Any]:
    flags = []
    if version.activated_at is not None and version.activated_at > at:
        flags.append("RECORDED_LATER")
    if version.terms.review == ZERO32:
        flags.append("NO_SECURITY_REVIEW")
    if is_demonstration(services, state.agreement):
        flags.append("DEMONSTRATION")
    shown = version_json(services, version)
    return {
        "agreement": state.agreement.hex(),
        "reference": reference_of(services, state),
        "version": version.version,
        "provider": services.directory.text(version.terms.provider),
        "legal_bases": shown["text"].get("legal_bases", []) if isinstance(shown["text"], dict) else [],
        "grants": [grant_json(services, grant) for grant in grants],
        "signed_by": [
            {"post": services.directory.text(signature.post), "at": iso(signature.signed_at)}
            for signature in version.signatures
        ],
        "security_review": shown["security_review"],
        "flags": flags,
    }


def _gaps(services: Services, agency: bytes) -> list[str]:
    if registry_views.find_agency(services, agency) is None:
        return ["the agency is not on this ledger: what it holds by other ways is unknown here"]
    return []
