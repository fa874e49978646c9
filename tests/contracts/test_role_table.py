"""Every cell of the tables in contracts/README.md: an act succeeds if and only if its row says so.

Nothing is mined for a cell: the deployed contract is asked what it would do with the signed request.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.codes import ALL_ROLES, CaseStep, ObjectKind, PostRole
from ledger.domain.commitment import commit
from ledger.domain.heads import event_digest
from ledger.domain.identifiers import parse_agency
from ledger.domain.keccak import keccak256_text
from ledger.domain.records import (
    CONTRACTS,
    Accept,
    AdmitAgency,
    Advance,
    Assign,
    BindKey,
    CancelProposal,
    CancelRootReplacement,
    Dispose,
    HandOver,
    Propose,
    PublishEntry,
    RegisterPost,
    Resume,
    RetireKey,
    RetirePost,
    RotateKey,
    RotateRoot,
    SetPostRoles,
    Sign,
    Suspend,
    Terminate,
    Terms,
    Vacate,
    WithdrawEntry,
)
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import struct_hash
from ledger.log.tree import leaf_hash
from ledger.service.call_data import call_data, tuple_type
from ledger.service.submission import FUNCTIONS
from tests.contracts.agreements import Party, grant, make_party, propose, publish, sign, terms
from tests.contracts.deployed import FAR, DeployedLedger, Post, fresh_nonce

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.domain.record import Record
    from ledger.signing.signers import LocalSigner

README = (Path(__file__).parents[2] / "contracts/README.md").read_text()
REASON = b"\x0c" * 32
RESPONDENT = parse_agency("name:gov/CN/Respondent of the role table")
OPENING = "(bytes32,bytes,uint64,uint64,bytes32[])"
OPENING_STEPS = (CaseStep.NOTICE_ISSUED, CaseStep.CLOSED, CaseStep.WITHDRAWN)
SYSTEM = ("admin", "registrar", "operator", "relayer")


def rows(heading: str) -> dict[str, str]:
    """Return the first two columns of the table under a heading."""
    section = README.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return {cells[0].replace("`", ""): cells[1] for cells in found[2:]}


ACTS = {
    act: ALL_ROLES if named == "any" else PostRole(sum(PostRole[name.strip()] for name in named.split(",")))
    for act, named in rows("What a post signs").items()
}
CALLERS = rows("What the system's accounts call")


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


@pytest.fixture(scope="module")
def cast(ledger: DeployedLedger) -> Cast:
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


def _act(record: type[Record], **fields: Any) -> Callable[[Cast, PostRole], str]:
    """Return the act of the provider's post of a role; the fields may be functions of the cast."""

    def ask(cast: Cast, role: PostRole) -> str:
        values = {name: value(cast) if callable(value) else value for name, value in fields.items()}
        post = (cast.recipient_posts if record is Dispose else cast.provider_posts)[role]
        made = record(post=post.id, nonce=fresh_nonce(), deadline=FAR, **values)  # type: ignore[call-arg]
        return answer(cast.ledger, made, post.key)

    return ask


def _assign(kind: ObjectKind, about: Callable[[Cast], bytes]) -> Callable[[Cast, PostRole], str]:
    return _act(
        Assign,
        assignment=lambda _cast: secrets.token_bytes(32),
        duty=7,
        object_kind=int(kind),
        object=about,
        assignee=lambda cast: cast.provider.head.id,
        role=2,
        share_bps=0,
        valid_from=1,
        valid_to=0,
        basis=REASON,
    )


def _assigned(cast: Cast, assignee: Post, *, accepted: bool) -> tuple[bytes, bytes]:
    """Have a duty about the dataset mined for a post; return its id and what an acceptance signs."""
    assignment = secrets.token_bytes(32)
    receipt = cast.ledger.act(
        cast.provider.head,
        Assign,
        assignment=assignment,
        duty=7,
        object_kind=int(ObjectKind.DATASET),
        object=cast.dataset,
        assignee=assignee.id,
        role=2,
        share_bps=0,
        valid_from=1,
        valid_to=0,
        basis=REASON,
    )
    content = event_digest(receipt.logs[0].topics, receipt.logs[0].data)
    if accepted:
        cast.ledger.act(assignee, Accept, assignment=assignment, content=content)
    return assignment, content


def _accept(cast: Cast, role: PostRole) -> str:
    assignment, content = _assigned(cast, cast.provider_posts[role], accepted=False)
    return _act(Accept, assignment=assignment, content=content)(cast, role)


def _vacate_own(cast: Cast, role: PostRole) -> str:
    assignment, _ = _assigned(cast, cast.provider_posts[role], accepted=True)
    return _act(Vacate, assignment=assignment, at=0, reason=REASON)(cast, role)


def _of_another(record: type[Record], **fields: Any) -> Callable[[Cast, PostRole], str]:
    def ask(cast: Cast, role: PostRole) -> str:
        assignment, _ = _assigned(cast, cast.provider.dept, accepted=True)
        return _act(record, assignment=assignment, **fields)(cast, role)

    return ask


def _step(before: CaseStep | None, step: CaseStep) -> Callable[[Cast, PostRole], str]:
    def ask(cast: Cast, role: PostRole) -> str:
        case_id, filing = cast.cases[before] if before else (secrets.token_bytes(32), make_filing())
        post = cast.provider_posts[role]
        opening = [(OPENING, filing.opening)] if step in OPENING_STEPS else []
        return answer(cast.ledger, advance(post, case_id, step, filing), post.key, opening=opening)

    return ask


def _named(step: CaseStep) -> str:
    return f"{'openNoticeBySig' if step in OPENING_STEPS else 'advanceBySig'} {step.name}"


def _proposed(cast: Cast) -> Terms:
    parties = (cast.provider, cast.recipient)
    return terms(parties, (grant(cast.dataset, cast.recipient),), agreement=secrets.token_bytes(32))


ASKED: dict[str, Callable[[Cast, PostRole], str]] = {
    "publishEntryBySig": _act(
        PublishEntry,
        code=lambda _cast: secrets.token_bytes(32),
        version=1,
        attribute=1,
        grade=1,
        review_required=False,
        law=ZERO32,
        content=REASON,
    ),
    "withdrawEntryBySig": _act(WithdrawEntry, dataset=lambda cast: cast.dataset, version=1, reason=REASON),
    "proposeBySig": _act(Propose, terms=_proposed),
    "signBySig": _act(
        Sign,
        agreement=lambda cast: cast.waiting.agreement,
        version=1,
        terms_hash=lambda cast: struct_hash(cast.waiting),
    ),
    "cancelProposalBySig": _act(
        CancelProposal, agreement=lambda cast: cast.waiting.agreement, version=1, reason=REASON
    ),
    "suspendBySig": _act(Suspend, agreement=lambda cast: cast.active.agreement, reason=REASON),
    "resumeBySig": _act(Resume, agreement=lambda cast: cast.suspended.agreement, reason=REASON),
    "terminateBySig": _act(Terminate, agreement=lambda cast: cast.active.agreement, reason=REASON),
    "disposeBySig": _act(Dispose, agreement=lambda cast: cast.ended.agreement, certificate=REASON),
    "assignBySig of a dataset": _assign(ObjectKind.DATASET, lambda cast: cast.dataset),
    "assignBySig of an agreement": _assign(ObjectKind.AGREEMENT, lambda cast: cast.active.agreement),
    "assignBySig of the platform": _assign(ObjectKind.PLATFORM, lambda _cast: keccak256_text("platform")),
    "acceptBySig": _accept,
    "handOverBySig": _of_another(
        HandOver,
        successor_assignment=lambda _cast: secrets.token_bytes(32),
        to_post=lambda cast: cast.provider.head.id,
        at=0,
        basis=REASON,
    ),
    "vacateBySig of another's": _of_another(Vacate, at=0, reason=REASON),
    "vacateBySig of its own": _vacate_own,
    **{
        _named(step): _step(before, step)
        for before, step in (
            (None, CaseStep.LEAD),
            (None, CaseStep.FILED),
            (CaseStep.LEAD, CaseStep.NO_ACTION),
            (CaseStep.FILED, CaseStep.FACTS_TOLD),
            (CaseStep.FACTS_TOLD, CaseStep.DECIDED),
            (CaseStep.DECIDED, CaseStep.RECTIFYING),
            (CaseStep.DECIDED, CaseStep.NOTICE_ISSUED),
            (CaseStep.DECIDED, CaseStep.CLOSED),
            (CaseStep.FILED, CaseStep.WITHDRAWN),
            (CaseStep.RECTIFYING, CaseStep.EVIDENCE_FILED),
            (CaseStep.EVIDENCE_FILED, CaseStep.VERIFIED),
            (CaseStep.EVIDENCE_FILED, CaseStep.REWORK),
            (CaseStep.CLOSED, CaseStep.REOPENED),
            (CaseStep.DECIDED, CaseStep.APPEAL_FILED),
            (CaseStep.APPEAL_FILED, CaseStep.APPEAL_UPHELD),
            (CaseStep.APPEAL_FILED, CaseStep.APPEAL_VARIED),
            (CaseStep.APPEAL_FILED, CaseStep.APPEAL_REVOKED),
        )
    },
}


PREPARED_BY_THE_POST = {"acceptBySig", "vacateBySig of its own"}
"""What is tried needs an earlier act of the same post, and so its true key."""


def test_the_table_lists_every_act() -> None:
    assert set(ASKED) == set(ACTS)


@pytest.mark.parametrize("role", list(PostRole), ids=lambda role: role.name)
@pytest.mark.parametrize("act", list(ASKED))
def test_an_act_succeeds_if_and_only_if_the_post_holds_the_role(cast: Cast, act: str, role: PostRole) -> None:
    assert ASKED[act](cast, role) == ("" if role & ACTS[act] else "MissingRole")


@pytest.mark.parametrize("act", [act for act in ASKED if act not in PREPARED_BY_THE_POST])
def test_no_act_succeeds_with_another_posts_key(cast: Cast, act: str) -> None:
    role = next(role for role in PostRole if role & ACTS[act])
    posts = cast.recipient_posts if act == "disposeBySig" else cast.provider_posts
    mine = posts[role]
    posts[role] = Post(mine.id, mine.agency, cast.provider.head.key)
    try:
        found = ASKED[act](cast, role)
    finally:
        posts[role] = mine
    assert found == "UnauthorisedSigner"


@pytest.mark.parametrize("sender", SYSTEM)
@pytest.mark.parametrize("function", list(CALLERS))
def test_a_system_function_succeeds_if_and_only_if_its_caller_sends_it(
    ledger: DeployedLedger, cast: Cast, function: str, sender: str
) -> None:
    agency, other = cast.provider.agency, cast.recipient.agency
    key = ledger.keyring.signer("role-table:new")
    admission = AdmitAgency(
        agency=secrets.token_bytes(32),
        scheme=REASON,
        root_key=key.address,
        capacities=0,
        profile=ZERO32,
        nonce=fresh_nonce(),
        deadline=FAR,
    )
    suspended = ledger.agency(secrets.token_bytes(32))
    ledger.send(
        "AgencyRegistry", call_data("suspendAgency", [("bytes32", suspended), ("bytes32", REASON)]), sender="registrar"
    )
    arguments: dict[str, list[tuple[str, object]]] = {
        "admitAgency": [(tuple_type(AdmitAgency), admission), ("bytes", ledger.signature(key, admission))],
        "setCapacities": [("bytes32", agency), ("uint32", 1)],
        "suspendAgency": [("bytes32", agency), ("bytes32", REASON)],
        "reinstateAgency": [("bytes32", suspended)],
        "announceRootReplacement": [("bytes32", agency), ("address", key.address)],
        "executeRootReplacement": [("bytes32", agency)],
        "linkSuccessor": [("bytes32", agency), ("bytes32", other), ("uint64", 1)],
        "setOperator": [("address", key.address)],
        "anchor": [("uint64", 1), ("bytes32", REASON), ("bytes32", REASON), ("bytes32[]", ())],
        "rotateLogKey": [("bytes32", REASON), ("bytes32", bytes(31) + b"\x01")],
    }
    contract = "CheckpointAnchor" if function in {"setOperator", "anchor", "rotateLogKey"} else "AgencyRegistry"
    found = asked(ledger, contract, call_data(function, arguments[function]), sender)
    # Nothing is announced, and that is said only to who may ask.
    taken = "NoRootReplacement" if function == "executeRootReplacement" else ""
    refused = "AnchorNotOperator" if function in {"anchor", "rotateLogKey"} else "AccessManagedUnauthorized"
    assert found == (taken if sender == CALLERS[function] else refused)


def _root_acts(ledger: DeployedLedger, cast: Cast, agency: bytes) -> dict[str, tuple[Record, str]]:
    post, new = cast.provider_posts[PostRole.REPORTER], ledger.keyring.signer("role-table:new")
    signing = {"agency": agency, "nonce": fresh_nonce(), "deadline": FAR}
    return {
        "registerPostBySig": (RegisterPost(code=secrets.token_bytes(32), roles=1, profile=ZERO32, **signing), ""),
        "setPostRolesBySig": (SetPostRoles(post=post.id, roles=1, **signing), ""),
        "retirePostBySig": (RetirePost(post=post.id, reason=REASON, **signing), ""),
        "bindKeyBySig": (BindKey(post=post.id, key=new.address, valid_from=0, valid_to=0, **signing), ""),
        "rotateKeyBySig": (
            RotateKey(post=post.id, old_key=post.key.address, new_key=new.address, valid_to=0, **signing),
            "",
        ),
        "retireKeyBySig": (RetireKey(post=post.id, key=post.key.address, reason=REASON, **signing), ""),
        "rotateRootBySig": (RotateRoot(new_root=new.address, **signing), ""),
        # Nothing is announced, and that is said only to the root key.
        "cancelRootReplacementBySig": (CancelRootReplacement(**signing), "NoRootReplacement"),
    }


@pytest.mark.parametrize("signer", ["root", "another agency's root", "post", "registrar", "admin"])
def test_an_agencys_affairs_are_its_root_keys_alone(ledger: DeployedLedger, cast: Cast, signer: str) -> None:
    agency, new = cast.provider.agency, ledger.keyring.signer("role-table:new")
    key = {
        "root": ledger.root(agency),
        "another agency's root": ledger.root(cast.recipient.agency),
        "post": cast.provider.head.key,
    }.get(signer) or ledger.keyring.signer(signer)
    listed = set(re.findall(r"`(\w+BySig)`", README.partition("root key signs\n")[2].partition("\n## ")[0]))
    acts = _root_acts(ledger, cast, agency)
    assert set(acts) == listed
    for record, taken in acts.values():
        possession = new if isinstance(record, BindKey | RotateKey | RotateRoot) else None
        found = answer(ledger, record, key, possession=possession)
        assert found == (taken if signer == "root" else "NotRootKey"), record


def test_a_key_is_bound_only_with_its_own_signature(ledger: DeployedLedger, cast: Cast) -> None:
    root = ledger.root(cast.provider.agency)
    for record, _ in _root_acts(ledger, cast, cast.provider.agency).values():
        if isinstance(record, BindKey | RotateKey | RotateRoot):
            assert answer(ledger, record, root, possession=root) == "InvalidSignature"
