"""``evidence export`` and ``trust-root export``: what proves a record to somebody who trusts nothing of ours.

Nothing leaves that our own verifier, with the trust root of this deployment, does not accept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ledger.domain.case_state import fold_case
from ledger.domain.codes import Duty, Tier
from ledger.domain.errors import InvalidInputError, NotFoundError, UnavailableError, VerificationError
from ledger.domain.identifiers import duty_key
from ledger.domain.legal_time import window_end
from ledger.domain.responsibility_state import fold_responsibility
from ledger.evidence import file, fingerprint, trust_root, verify
from ledger.evidence.answers import FIELDS
from ledger.evidence.histories import AGREEMENTS, CASES, RESPONSIBILITIES
from ledger.service.agreement_views import resolve_agreement
from ledger.service.anchoring import covering_anchor, note_of
from ledger.service.answers import question_of
from ledger.service.case_views import resolve_case
from ledger.service.event_views import find_leaf
from ledger.service.evidence_files import (
    HeldEvent,
    answer_file,
    event_file,
    make_trust_root,
    object_file,
    shown_groups,
)
from ledger.service.requests import Nothing, Request
from ledger.service.responsibilities import resolve_object
from ledger.service.times import iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.domain.leaf import LeafV1
    from ledger.service.ports import VaultDocument
    from ledger.service.services import Services


class ExportEvidence(Request, frozen=True, kw_only=True):
    """Arguments of ``evidence export``; ``disclose`` names the groups to open, all that may be by default."""

    kind: str
    id: str
    disclose: list[str] = msgspec.field(default_factory=list)


def export_evidence(services: Services, request: ExportEvidence) -> dict[str, Any]:
    """Return an evidence file as text, with what it shows.

    Raises:
        InvalidInputError: Another kind, or a group that there is not or that may not be shown.
        NotFoundError: There is no such object.
        UnavailableError: The event is not anchored yet; try again.
        VerificationError: The evidence would not hold, as of an event that was anchored too late.
    """
    if request.disclose and request.kind not in {"event", "case"}:
        raise InvalidInputError("disclose", ", ".join(request.disclose), "nothing, but for an event or a case")
    match request.kind:
        case "event":
            made = _event(services, request.id, request.disclose)
        case "agreement":
            made = _agreement(services, request.id)
        case "responsibility":
            made = _responsibility(services, request.id)
        case "case":
            made = _case(services, request.id, request.disclose)
        case "answer":
            made = _answer(services, request.id)
        case _:
            raise InvalidInputError("kind", request.kind, ", ".join(file.KINDS))
    return _checked(services, made)


def export_entry(
    services: Services, index: int, leaf: LeafV1, document: VaultDocument, disclose: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the evidence file of an event that was found, as text. Raises as ``export_evidence``."""
    return _checked(services, _entry(services, index, leaf, document, disclose))


def export_trust_root(services: Services, _request: Nothing) -> dict[str, Any]:
    """Return the trust root as text, with its fingerprint for comparing by telephone."""
    root = _trust_root(services)
    content = trust_root.print_trust_root(root)
    return {
        "content": content.decode(),
        "fingerprint": fingerprint(content),
        "chain_id": root.chain_id,
        "validators": len(root.validators.keys),
        "witnesses": len(root.witnesses[-1].keys) if root.witnesses else 0,
        "agencies": len(root.agencies),
        "demonstration": root.demonstration,
    }


def _event(services: Services, text: str, disclose: Sequence[str]) -> file.Evidence:
    return _entry(services, *find_leaf(services, text), disclose)


def _entry(
    services: Services, index: int, leaf: LeafV1, document: VaultDocument, disclose: Sequence[str]
) -> file.Evidence:
    anchored = covering_anchor(services, index)
    if anchored is None:
        raise UnavailableError("evidence", "the event is not anchored yet; `quanze anchor` does it now", index=index)
    path = services.log.inclusion_proof(index, anchored.event.size)
    held = HeldEvent(index, leaf, document, anchored, note_of(services, anchored.event), path)
    return event_file(services, held, disclose)


def _agreement(services: Services, text: str) -> file.Evidence:
    state = resolve_agreement(services, text)
    texts = [services.directory.document(version.terms.text) for version in state.versions]
    public = [found for found in texts if found is not None and found.tier == Tier.PUBLIC]
    documents = [shown_groups(found, found.groups) for found in _distinct(public)]
    subject = {"agreement": state.agreement.hex()}
    return object_file(services, "agreement", subject, (AGREEMENTS, state.agreement), documents)


def _responsibility(services: Services, text: str) -> file.Evidence:
    assignment = services.directory.resolve(text, services.state.ids("assignment"), "responsibility")
    (known,) = fold_responsibility(services.state.assignment(assignment)).assignments
    subject = {"duty": Duty(known.duty).name, "object": known.object.hex()}
    return object_file(services, "responsibility", subject, (RESPONSIBILITIES, duty_key(known.duty, known.object)))


def _case(services: Services, text: str, disclose: Sequence[str]) -> file.Evidence:
    case = resolve_case(services, text)
    state = fold_case(services.state.history(CASES, case))
    if state is None:
        raise NotFoundError("case", text)
    if state.is_sealed and "respondent" in disclose:
        raise InvalidInputError("disclose", "respondent", "nothing of whom a sealed case is about, before its notice")
    documents: list[list[file.Group]] = []
    every = [services.directory.document(entry.commitment) for entry in state.entries]
    for document in _distinct(found for found in every if found is not None):
        shown = [name for name in document.groups if name in disclose]
        if not disclose and document.tier == Tier.PUBLIC:
            shown = list(document.groups)
        if shown:
            documents.append(shown_groups(document, shown))
    return object_file(services, "case", {"case": case.hex()}, (CASES, case), documents)


def _answer(services: Services, text: str) -> file.Evidence:
    question = question_of(text)
    asked = question.get("ask", "")
    if asked == "prove":
        return _event(services, question.get("event", ""), ())
    if asked not in FIELDS or tuple(sorted(question)) != FIELDS[asked]:
        raise NotFoundError("answer", text)
    if asked == "responsible":
        question["object"] = resolve_object(services, question["object"])[1].hex()
    question["known_at"] = _provable(services, question["known_at"])
    return answer_file(services, question)


def _provable(services: Services, known_at: str) -> str:
    """Return up to when a question's answer can be proved: the newest final block, where it asks about a time since.

    Of a time to come nobody can prove what will have been recorded by then.
    """
    asked, newest = window_end(known_at, field="known_at"), services.state.refresh().timestamp
    if asked > max(newest, services.now_s()):
        raise InvalidInputError("known_at", known_at, f"at most now, {iso(services.now_s())}")
    return known_at if asked <= newest else iso(newest)


def _trust_root(services: Services) -> trust_root.TrustRoot:
    return make_trust_root(services.deployment, services.state, services.witness_eras)


def _checked(services: Services, made: file.Evidence) -> dict[str, Any]:
    """Return the file as text, once our own verifier accepts it."""
    content = file.print_evidence(made)
    report = verify(content, trust_root.print_trust_root(_trust_root(services)))
    if (failed := report.failed) is not None:
        raise VerificationError(failed.number, failed.reason)
    return {
        "content": content.decode(),
        "kind": made.kind,
        "bytes": len(content),
        "blocks": len(made.blocks),
        "proved_at_block": made.state.block if made.state is not None else 0,
        "assurance": report.assurance,
    }


def _distinct(documents: Iterable[VaultDocument]) -> list[VaultDocument]:
    return list({document.commitment: document for document in documents}.values())
