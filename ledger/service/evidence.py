"""``evidence export`` and ``trust-root export``: what proves a record to somebody who trusts nothing of ours.

Nothing leaves that our own verifier, with the trust root of this deployment, does not accept.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ledger.domain import events
from ledger.domain.case_state import fold_case
from ledger.domain.codes import Duty, Tier
from ledger.domain.commitment import Group, recommit
from ledger.domain.errors import InvalidInputError, NotFoundError, UnavailableError, VerificationError
from ledger.domain.event_groups import GROUPS
from ledger.domain.identifiers import duty_key
from ledger.domain.responsibility_state import fold_responsibility
from ledger.evidence import file, fingerprint, trust_root, verify
from ledger.evidence.answers import FIELDS, answer_base, answer_to
from ledger.evidence.entry_steps import claim_of, event_base
from ledger.evidence.histories import AGREEMENTS, CASES, REGISTRY, RESPONSIBILITIES
from ledger.log.tree import leaf_hash
from ledger.service.agreement_views import find_agreement, resolve_agreement
from ledger.service.anchoring import covering_anchor, note_of
from ledger.service.answers import question_of
from ledger.service.case_views import resolve_case
from ledger.service.documents import values_of
from ledger.service.event_views import find_leaf
from ledger.service.evidence_gathering import Gathered
from ledger.service.requests import Nothing, Request
from ledger.service.responsibilities import resolve_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ledger.domain.canonical import Json
    from ledger.evidence.histories import HeadKey
    from ledger.service.ports import VaultDocument
    from ledger.service.services import Services

_ANCHOR: Final = "CheckpointAnchor"


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
    match request.kind:
        case "event":
            made = _event(services, request.id, request.disclose)
        case "agreement":
            made = agreement_evidence(services, resolve_agreement(services, request.id).agreement)
        case "responsibility":
            made = _responsibility(services, request.id)
        case "case":
            made = _case(services, request.id, request.disclose)
        case "answer":
            made = _answer(services, request.id)
        case _:
            raise InvalidInputError("kind", request.kind, ", ".join(file.KINDS))
    return _checked(services, made)


def export_trust_root(services: Services, _request: Nothing) -> dict[str, Any]:
    """Return the trust root as text, with its fingerprint for comparing by telephone."""
    root = make_trust_root(services)
    content = trust_root.print_trust_root(root)
    return {
        "content": content.decode(),
        "fingerprint": fingerprint(content),
        "chain_id": root.chain_id,
        "validators": len(root.validators.keys),
        "witnesses": len(root.witnesses.keys),
        "agencies": len(root.agencies),
        "demonstration": root.demonstration,
    }


def make_trust_root(services: Services) -> trust_root.TrustRoot:
    """Return what a verifier of this deployment's evidence has to trust, with the root keys known now."""
    deployment = services.deployment
    agencies: dict[str, list[str]] = {}
    for agency in services.state.ids("agency"):
        keys: list[str] = []
        for recorded in services.state.history(REGISTRY, agency):
            match recorded.event:
                case events.AgencyAdmitted() as event:
                    keys.append(event.root_key.hex())
                case events.RootKeyChanged() as event:
                    keys.append(event.new_root.hex())
                case _:
                    pass
        agencies[agency.hex()] = keys
    return trust_root.TrustRoot(
        agencies=agencies,
        chain_id=deployment.chain_id,
        contracts={
            name: trust_root.Contract(address=contract.address.hex(), code_hash=contract.code_hash.hex())
            for name, contract in deployment.contracts.items()
        },
        demonstration=deployment.demonstration,
        format=trust_root.FORMAT,
        genesis_hash=deployment.genesis_hash.hex(),
        log=trust_root.Log(origin=deployment.log_origin, vkey=deployment.log_vkey),
        validators=trust_root.Validators(
            keys=[validator.hex() for validator in deployment.validators],
            threshold=max(1, 2 * len(deployment.validators) // 3 + 1) if len(deployment.validators) > 1 else 1,
        ),
        witnesses=trust_root.Witnesses(keys=[], threshold=0),
    )


def agreement_evidence(services: Services, agreement: bytes) -> file.Evidence:
    """Return evidence of an agreement: its whole history, and the texts of its versions that are public here."""
    state = find_agreement(services, agreement)
    if state is None:
        raise NotFoundError("agreement", agreement)
    texts = [services.directory.document(version.terms.text) for version in state.versions]
    public = [text for text in texts if text is not None and text.tier == Tier.PUBLIC]
    documents = [_groups(text, text.groups) for text in _distinct(public)]
    return _about(services, "agreement", {"agreement": agreement.hex()}, [(AGREEMENTS, agreement)], documents=documents)


def _event(services: Services, text: str, disclose: Sequence[str]) -> file.Evidence:
    index, leaf, document = find_leaf(services, text)
    shown = list(disclose) or list(GROUPS)
    for name in shown:
        if name not in GROUPS:
            raise InvalidInputError("disclose", name, ", ".join(GROUPS))
    anchored = covering_anchor(services, index)
    if anchored is None:
        raise UnavailableError("evidence", "the event is not anchored yet; `quanze anchor` does it now", event=text)
    gathered = Gathered(services)
    gathered.use_block(leaf.block)
    extra: Any = document.extra
    salt = ""
    if "binding" in shown:
        values: Any = values_of(document)
        base, posts = event_base(claim_of(values))
        gathered.prove(lambda _read: base, posts, [_ANCHOR])
        salt = extra["stream_salt"]
    batch = None
    if set(shown) == set(GROUPS):
        batch = file.Batch(
            count=extra["count"],
            deadline=extra["deadline"],
            nonce=extra["nonce"],
            path=extra["path"],
            place=extra["place"],
            signature=extra["signature"],
        )
    size = anchored.event.size
    entry = file.Entry(
        anchor=gathered.place(anchored),
        batch=batch,
        checkpoint=note_of(services, anchored.event).decode(),
        groups=_groups(document, shown),
        index=index,
        leaf=leaf,
        path=[node.hex() for node in services.log.inclusion_proof(index, size)],
        stream_salt=salt,
    )
    return _file(gathered, "event", {}, entry=entry)


def _responsibility(services: Services, text: str) -> file.Evidence:
    assignment = services.directory.resolve(text, services.state.ids("assignment"), "responsibility")
    state = fold_responsibility(services.state.assignment(assignment))
    (known,) = state.assignments
    subject = {"duty": Duty(known.duty).name, "object": known.object.hex()}
    return _about(services, "responsibility", subject, [(RESPONSIBILITIES, duty_key(known.duty, known.object))])


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
            documents.append(_groups(document, shown))
    return _about(services, "case", {"case": case.hex()}, [(CASES, case)], documents=documents)


def _answer(services: Services, text: str) -> file.Evidence:
    question = question_of(text)
    asked = question.get("ask", "")
    if asked == "prove":
        return _event(services, question.get("event", ""), ())
    if asked not in FIELDS or tuple(sorted(question)) != FIELDS[asked]:
        raise NotFoundError("answer", text)
    if asked == "responsible":
        question["object"] = resolve_object(services, question["object"])[1].hex()
    gathered = Gathered(services)
    gathered.prove(partial(answer_base, question))
    proved = gathered.proved_at
    answer = answer_to(
        question,
        lambda contract, key: [
            one for one in services.state.history(contract, key) if proved is None or one.block <= proved.number
        ],
    )
    return _file(gathered, "answer", question, answer=answer)


def _about(
    services: Services,
    kind: file.Kind,
    subject: Mapping[str, str],
    base: list[HeadKey],
    *,
    documents: Sequence[list[file.Group]] = (),
) -> file.Evidence:
    gathered = Gathered(services)
    gathered.prove(lambda _read: base)
    return _file(gathered, kind, subject, documents=documents)


def _file(
    gathered: Gathered,
    kind: file.Kind,
    subject: Mapping[str, str],
    *,
    entry: file.Entry | None = None,
    answer: dict[str, str] | None = None,
    documents: Sequence[list[file.Group]] = (),
) -> file.Evidence:
    return file.Evidence(
        answer=answer,
        blocks=gathered.blocks(),
        documents=list(documents),
        entry=entry,
        format=file.FORMAT,
        histories=gathered.histories,
        kind=kind,
        state=gathered.state,
        subject=dict(subject),
    )


def _checked(services: Services, made: file.Evidence) -> dict[str, Any]:
    """Return the file as text, once our own verifier accepts it."""
    content = file.print_evidence(made)
    report = verify(content, trust_root.print_trust_root(make_trust_root(services)))
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


def _groups(document: VaultDocument, shown: Iterable[str]) -> list[file.Group]:
    """Return a document's groups in their order, the ones not shown as hashes."""
    wanted = set(shown)
    stored: Any = document.groups
    groups: list[file.Group] = []
    for group in recommit(stored).groups:
        if group.name in wanted:
            groups.append((group.salt, group.name, _value(group)))
        else:
            groups.append(leaf_hash(group.leaf()).hex())
    return groups


def _value(group: Group) -> Json:
    return group.value
