"""Who acts in the tests of the role tables, what they act on, and what the contract would answer."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.codes import ALL_ROLES, CaseStep, PostRole
from ledger.domain.commitment import commit
from ledger.domain.identifiers import parse_agency
from ledger.domain.records import CONTRACTS, Advance, Suspend, Terminate, Terms
from ledger.domain.scalars import ZERO32
from ledger.log.tree import leaf_hash
from ledger.service.call_data import call_data, tuple_type
from ledger.service.submission import FUNCTIONS
from tests.contracts.agreements import Party, grant, make_party, propose, publish, sign, terms
from tests.contracts.deployed import FAR, DeployedLedger, Post, fresh_nonce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.record import Record
    from ledger.signing.signers import LocalSigner

REASON = b"\x0c" * 32
RESPONDENT = parse_agency("name:gov/CN/Respondent of the role table")
OPENING = "(bytes32,bytes,uint64,uint64,bytes32[])"


@dataclass(frozen=True, slots=True)
class Disclosed:
    """A filing's commitment, the leaf of its respondent, and what a notice opens."""

    root: bytes
    leaf: bytes
    opening: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """Two agencies of every capacity, each with a post of every single role, and what their acts are tried on."""

    ledger: DeployedLedger
    provider: Party
    recipient: Party
    provider_posts: dict[PostRole, Post]
    recipient_posts: dict[PostRole, Post]
    dataset: bytes
    waiting: Terms
    active: Terms
    suspended: Terms
    ended: Terms
    cases: dict[CaseStep, tuple[bytes, Disclosed]]


def make_cast(ledger: DeployedLedger) -> Cast:
    """Have the two agencies, their posts and agreements, and a case at each step mined."""
    provider = make_party(ledger, PostRole.PROVIDER_OFFICE_HEAD)
    recipient = make_party(ledger, PostRole.REQUESTER_OFFICE_HEAD)
    for party in (provider, recipient):
        capacities = [("bytes32", party.agency), ("uint32", int(ALL_ROLES))]
        ledger.send("AgencyRegistry", call_data("setCapacities", capacities), sender="registrar")
    posts = {
        party.agency: {role: ledger.post(party.agency, f"{role.name}", role) for role in PostRole}
        for party in (provider, recipient)
    }
    dataset = publish(ledger, provider, secrets.token_bytes(32))
    made = []
    for _ in range(4):
        agreed = terms((provider, recipient), (grant(dataset, recipient),), agreement=secrets.token_bytes(32))
        propose(ledger, provider.head, agreed)
        made.append(agreed)
    for agreed in made[1:]:
        sign(ledger, provider.head, agreed)
        sign(ledger, recipient.head, agreed)
    ledger.act(provider.head, Suspend, agreement=made[2].agreement, reason=REASON)
    ledger.act(provider.head, Terminate, agreement=made[3].agreement, reason=REASON)
    return Cast(
        ledger,
        provider,
        recipient,
        posts[provider.agency],
        posts[recipient.agency],
        dataset,
        *made,
        cases=_cases(ledger, provider.agency),
    )


def _cases(ledger: DeployedLedger, authority: bytes) -> dict[CaseStep, tuple[bytes, Disclosed]]:
    """Return a case that stands at each step, brought there by posts that no cell is about."""
    officer = ledger.post(authority, "officer", PostRole.SHARING_AUTHORITY)
    reviewer = ledger.post(authority, "other reviewer", PostRole.REVIEWER)
    told = (CaseStep.FILED, CaseStep.FACTS_TOLD)
    decided = (*told, CaseStep.DECIDED)
    evidence = (*decided, CaseStep.RECTIFYING, CaseStep.EVIDENCE_FILED)
    ways: dict[CaseStep, tuple[CaseStep, ...]] = {
        CaseStep.LEAD: (CaseStep.LEAD,),
        CaseStep.FILED: (CaseStep.FILED,),
        CaseStep.FACTS_TOLD: told,
        CaseStep.DECIDED: decided,
        CaseStep.RECTIFYING: (*decided, CaseStep.RECTIFYING),
        CaseStep.EVIDENCE_FILED: evidence,
        CaseStep.CLOSED: (*evidence, CaseStep.VERIFIED, CaseStep.CLOSED),
        CaseStep.APPEAL_FILED: (*decided, CaseStep.APPEAL_FILED),
    }
    made = {}
    for standing, way in ways.items():
        case_id, filing = secrets.token_bytes(32), make_filing()
        for step in way:
            by = reviewer if step is CaseStep.VERIFIED else officer
            is_opening = step is CaseStep.CLOSED
            ledger.relay(
                advance(by, case_id, step, filing),
                by.key,
                function="openNoticeBySig" if is_opening else "",
                extra=[(OPENING, filing.opening)] if is_opening else [],
            )
        made[standing] = (case_id, filing)
    return made


def make_filing() -> Disclosed:
    values = {"respondent": str(RESPONDENT), "facts": "f", "violations": ["decree809:R6"], "reference": "r"}
    filing = commit(values, {name: secrets.token_bytes(32) for name in values})
    (opening,) = filing.disclose(["respondent"])
    return Disclosed(
        filing.root,
        leaf_hash(opening.leaf),
        (filing.root, opening.leaf, opening.index, opening.size, tuple(opening.path)),
    )


def advance(post: Post, case_id: bytes, step: CaseStep, filing: Disclosed) -> Advance:
    is_filing = step is CaseStep.FILED
    return Advance(
        post=post.id,
        case_id=case_id,
        step=int(step),
        commitment=filing.root if is_filing else REASON,
        aux=filing.leaf if is_filing else ZERO32,
        nonce=fresh_nonce(),
        deadline=FAR,
    )


def answer(
    ledger: DeployedLedger,
    record: Record,
    signer: LocalSigner,
    *,
    possession: LocalSigner | None = None,
    opening: Sequence[tuple[str, object]] = (),
) -> str:
    """Return the error that the contract would refuse the request with; empty if it would take it."""
    contract = CONTRACTS[type(record)]
    arguments: list[tuple[str, object]] = [
        (tuple_type(type(record)), record),
        *opening,
        ("address", signer.address),
        ("bytes", ledger.signature(signer, record)),
    ]
    if possession is not None:
        arguments.append(("bytes", ledger.signature(possession, record)))
    function = "openNoticeBySig" if opening else FUNCTIONS[type(record)].function
    return asked(ledger, contract, call_data(function, arguments), "relayer")


def asked(ledger: DeployedLedger, contract: str, data: bytes, sender: str) -> str:
    trial = ledger.chain.simulate(ledger.keyring.address(sender), ledger.address(contract), data)
    return "" if trial.revert is None else ledger.errors.refusal(trial.revert, contract).error
