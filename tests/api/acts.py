"""Acts that posts sign, each right in everything but perhaps who signs it.

An act is tried on what was prepared for it, until it succeeds: a refusal leaves that as it was.
"""

from __future__ import annotations

import itertools
import json
import secrets
from typing import TYPE_CHECKING, Any

from ledger.domain.codes import CaseStep, Duty, ObjectKind, ResponsibilityRole
from ledger.domain.identifiers import agency_id, dataset_id, parse_dataset, post_id
from ledger.domain.keccak import keccak256_text
from ledger.domain.records import (
    Accept,
    Advance,
    Assign,
    BindKey,
    CancelProposal,
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
    Vacate,
    WithdrawEntry,
)
from ledger.domain.typed_data import as_json, digest
from ledger.service.agreement_views import find_agreement
from ledger.service.case_documents import filing_of, respondent_opening
from ledger.service.responsibilities import PLATFORM_ID, content_of
from ledger.service.signed_requests import record_of
from ledger.service.submission import domain_of
from tests.api.world import (
    AUTHORITY,
    DATASET,
    DRAFT,
    POSTS,
    PROVIDER,
    REQUESTER,
    post,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.domain.record import Record
    from tests.api.world import World

ZERO = "0x" + "00" * 32
_numbers = itertools.count(1)
_prepared: dict[tuple[object, ...], Any] = {}
"""What acts are tried on, until one succeeds: a refusal leaves it as it was."""


def some_id() -> str:
    return "0x" + secrets.token_hex(32)


def id_of(key: str) -> str:
    return "0x" + post_id(POSTS[key][0]).hex()


def forget_prepared() -> None:
    """Let the next act make anew what it is tried on."""
    _prepared.clear()


def prepared(make: Callable[[], str], *name: object) -> str:
    """Return what was made under a name, or make it."""
    if name not in _prepared:
        _prepared[name] = make()
    found: str = _prepared[name]
    return found


def agreement(world: World, *, signed: bool = True, ends: str | None = None) -> str:
    """Return the id of a fresh agreement between provider and requester, in force or waiting for signatures."""
    grant = {**DRAFT["grants"][0], "ends": ends}  # type: ignore[dict-item]
    draft = {**DRAFT, "reference": f"ROLE-{next(_numbers)}", "grants": [grant]}
    found: str = world.do("agreement.draft", text=json.dumps(draft), post=POSTS["head-p"][0])["agreement"]
    for key in ("head-p", "head-r") if signed else ():
        world.do("agreement.sign", agreement=found, post=POSTS[key][0])
    return found


def assignment(world: World, key: str, *, accepted: bool = False, about: str = "platform") -> str:
    """Return a fresh assignment to a key's post, about the platform, an agreement or a dataset."""
    found: str = world.do(
        "responsibility.assign",
        duty="SUPERVISE",
        object=about,
        assignee=POSTS[key][0],
        post=POSTS["authority" if about == "platform" else "head-p"][0],
        role="SUPPORT",
    )["assignment"]
    if accepted:
        world.do("responsibility.accept", assignment=found)
    return found


def case_at(world: World, step: CaseStep, respondent: str) -> str:
    """Return a fresh case, sealed unless the step is beyond the notice, at a step."""
    inspector, superior = POSTS["inspector"][0], POSTS["superior"][0]
    filing = {"respondent": respondent, "post": inspector, "violations": ["decree809:R6"]}
    found: str = world.do("case.file", **filing, lead_only=step is CaseStep.LEAD)["case"]
    if step is CaseStep.LEAD:
        return found
    if step is CaseStep.APPEAL_FILED:
        noticed = case_at(world, CaseStep.NOTICE_ISSUED, respondent)
        world.do("case.appeal", case=noticed, post=superior)
        return noticed
    steps: dict[CaseStep, Callable[[], object]] = {
        CaseStep.FILED: lambda: None,
        CaseStep.FACTS_TOLD: lambda: world.do("case.tell", case=found, post=inspector),
        CaseStep.DECIDED: lambda: world.do("case.decide", case=found, post=superior, measures=["NOTICE"]),
        CaseStep.NOTICE_ISSUED: lambda: world.do("case.notify", case=found, post=superior),
        CaseStep.RECTIFYING: lambda: world.do("case.rectify", case=found, post=superior, due="2030-01-01"),
        CaseStep.EVIDENCE_FILED: lambda: world.do("case.rectify", case=found, post=superior, evidence=True),
        CaseStep.VERIFIED: lambda: world.do("case.review", case=found, post=POSTS["reviewer"][0]),
        CaseStep.CLOSED: lambda: world.do("case.close", case=found, post=superior),
    }
    for name, take in steps.items():
        take()
        if name is step:
            return found
    raise AssertionError(step)


def sent(world: World, kind: type[Record], key: str, **fields: object) -> dict[str, Any]:
    return world.signed(kind, key, post=id_of(key), **fields)


def publish(world: World, key: str) -> dict[str, Any]:
    code = parse_dataset(f"{PROVIDER}#D{next(_numbers)}").code_hash
    fields = {"code": "0x" + code.hex(), "version": "1", "attribute": "1", "grade": "1", "reviewRequired": False}
    return sent(world, PublishEntry, key, **fields, law=ZERO, content=some_id())


def withdraw_entry(world: World, key: str) -> dict[str, Any]:
    def published() -> str:
        named = f"{PROVIDER}#W{next(_numbers)}"
        world.do("catalogue.add", dataset=named, post=POSTS["dept-p"][0], name_en="W")
        return named

    dataset = prepared(published, "published")
    return sent(world, WithdrawEntry, key, dataset="0x" + dataset_id(dataset).hex(), version="1", reason=some_id())


def propose(world: World, key: str) -> dict[str, Any]:
    state = find_agreement(world.services, bytes.fromhex(world.agreement))
    assert state is not None
    record = Propose(post_id(POSTS[key][0]), state.versions[0].terms, 0, 0)
    terms: Any = as_json(domain_of(world.services.deployment, Propose), record)["message"]
    return sent(world, Propose, key, terms={**terms["terms"], "agreement": some_id()})


def sign(world: World, key: str) -> dict[str, Any]:
    waiting = prepared(lambda: agreement(world, signed=False), "waiting")
    state = find_agreement(world.services, bytes.fromhex(waiting))
    assert state is not None
    terms_hash = "0x" + state.versions[0].terms_hash.hex()
    return sent(world, Sign, key, agreement="0x" + waiting, version="1", termsHash=terms_hash)


def cancel(world: World, key: str) -> dict[str, Any]:
    waiting = prepared(lambda: agreement(world, signed=False), "waiting")
    return sent(world, CancelProposal, key, agreement="0x" + waiting, version="1", reason=some_id())


def suspend(world: World, key: str) -> dict[str, Any]:
    return sent(world, Suspend, key, agreement="0x" + prepared(lambda: agreement(world), "in force"), reason=some_id())


def resume(world: World, key: str) -> dict[str, Any]:
    def suspended() -> str:
        found = agreement(world)
        world.do("agreement.suspend", agreement=found, post=POSTS["head-p"][0], reason="law:x")
        return found

    return sent(world, Resume, key, agreement="0x" + prepared(suspended, "suspended"), reason=some_id())


def terminate(world: World, key: str) -> dict[str, Any]:
    return sent(
        world, Terminate, key, agreement="0x" + prepared(lambda: agreement(world), "in force"), reason=some_id()
    )


def dispose(world: World, key: str) -> dict[str, Any]:
    def ended() -> str:
        found = agreement(world, ends="2020-12-31")
        world.do("agreement.terminate", agreement=found, post=POSTS["head-p"][0], reason="law:x")
        return found

    return sent(world, Dispose, key, agreement="0x" + prepared(ended, "ended"), certificate=some_id())


def assign(world: World, key: str, kind: ObjectKind = ObjectKind.AGREEMENT) -> dict[str, Any]:
    objects = {
        ObjectKind.AGREEMENT: world.agreement,
        ObjectKind.DATASET: dataset_id(DATASET).hex(),
        ObjectKind.PLATFORM: PLATFORM_ID.hex(),
    }
    about = objects[kind]
    # A department head assigns within its own agency.
    assignee = "dept-r" if key == "head-r" else "dept-p"
    fields = {"duty": str(int(Duty.CORRECT)), "objectKind": str(int(kind)), "object": "0x" + about}
    return sent(
        world,
        Assign,
        key,
        **fields,
        assignment=some_id(),
        assignee=id_of(assignee),
        role=str(int(ResponsibilityRole.SUPPORT)),
        shareBps="0",
        validFrom=str(world.services.now_s()),
        validTo="0",
        basis=ZERO,
    )


def assign_dataset(world: World, key: str) -> dict[str, Any]:
    return assign(world, key, ObjectKind.DATASET)


def assign_platform(world: World, key: str) -> dict[str, Any]:
    return assign(world, key, ObjectKind.PLATFORM)


def accepting(world: World, key: str, found: str) -> dict[str, Any]:
    content = content_of(world.services, bytes.fromhex(found))
    return sent(world, Accept, key, assignment="0x" + found, content="0x" + content.hex())


def accept_own(world: World, key: str) -> dict[str, Any]:
    return accepting(world, key, assignment(world, key))


def accept_others(world: World, key: str) -> dict[str, Any]:
    other = "reviewer" if key != "reviewer" else "assessor"
    return accepting(world, key, prepared(lambda: assignment(world, other), "proposed", other))


def _held(world: World, key: str, about: str) -> str:
    """Return a duty that another post holds; one of the requester's for the requester's head, who may end no other."""
    candidates = ("assessor", "reviewer") if about == "platform" else ("reporter-p", "dept-p")
    holder = "dept-r" if key == "head-r" else next(other for other in candidates if other != key)
    return prepared(lambda: assignment(world, holder, accepted=True, about=about), "held", about, holder)


def hand_over(about: Callable[[World], str]) -> Callable[[World, str], dict[str, Any]]:
    """Return the act of handing over a duty that a post holds; a department head does it within its agency."""

    def act(world: World, key: str) -> dict[str, Any]:
        found = _held(world, key, about(world))
        fields = {"successorAssignment": some_id(), "toPost": id_of("dept-p"), "at": "0", "basis": ZERO}
        return sent(world, HandOver, key, assignment="0x" + found, **fields)

    return act


def vacate_others(about: Callable[[World], str]) -> Callable[[World, str], dict[str, Any]]:
    """Return the act of ending another post's duty."""

    def act(world: World, key: str) -> dict[str, Any]:
        return sent(world, Vacate, key, assignment="0x" + _held(world, key, about(world)), at="0", reason=ZERO)

    return act


def over_agreement(world: World) -> str:
    return world.agreement


def over_dataset(_world: World) -> str:
    return DATASET


def over_platform(_world: World) -> str:
    return "platform"


def vacate_own(world: World, key: str) -> dict[str, Any]:
    found = assignment(world, key, accepted=True)
    return sent(world, Vacate, key, assignment="0x" + found, at="0", reason=ZERO)


def step(before: CaseStep | None, taken: CaseStep) -> Callable[[World, str], dict[str, Any]]:
    """Return the act of taking a step in a fresh case that stands at the step before."""

    def act(world: World, key: str) -> dict[str, Any]:
        agency = POSTS[key][0].partition("@")[2]
        # The respondent's own posts respond; to all others the case is against the requester.
        respondent = agency if agency != AUTHORITY else REQUESTER
        found = secrets.token_hex(32)
        if before is not None:
            at = before
            found = prepared(lambda: case_at(world, at, respondent), at, respondent)
        aux = some_id() if taken is CaseStep.FILED else ZERO
        body = sent(world, Advance, key, caseId="0x" + found, step=str(int(taken)), commitment=some_id(), aux=aux)
        if taken is CaseStep.NOTICE_ISSUED:
            filing = filing_of(world.services, bytes.fromhex(found))
            opening = respondent_opening(filing)
            body["opening"] = {
                "filing": "0x" + filing.commitment.hex(),
                "leaf": "0x" + opening.leaf.hex(),
                "index": opening.index,
                "size": opening.size,
                "path": ["0x" + node.hex() for node in opening.path],
            }
        return body

    return act


def register_post(world: World, key: str) -> dict[str, Any]:
    code = keccak256_text(f"new-{next(_numbers)}")
    fields = {"agency": "0x" + agency_id(PROVIDER).hex(), "roles": "512", "profile": some_id()}
    return world.signed(RegisterPost, key, code="0x" + code.hex(), **fields)


def _fresh_post(world: World) -> tuple[str, str]:
    name, made = post(f"spare-{next(_numbers)}", PROVIDER), f"spare-{next(_numbers)}"
    world.do("key.new", name=made)
    world.do("post.add", post=name, roles=["REPORTER"], name_en="spare", key=made)
    return "0x" + post_id(name).hex(), "0x" + world.signer(made).address.hex()


def set_roles(world: World, key: str) -> dict[str, Any]:
    known, _ = _fresh_post(world)
    return world.signed(SetPostRoles, key, agency="0x" + agency_id(PROVIDER).hex(), post=known, roles="4")


def retire_post(world: World, key: str) -> dict[str, Any]:
    known, _ = _fresh_post(world)
    return world.signed(RetirePost, key, agency="0x" + agency_id(PROVIDER).hex(), post=known, reason=some_id())


def retire_key(world: World, key: str) -> dict[str, Any]:
    known, address = _fresh_post(world)
    fields: dict[str, object] = {"agency": "0x" + agency_id(PROVIDER).hex(), "post": known, "key": address}
    return world.signed(RetireKey, key, **fields, reason=some_id())


def _with_possession(world: World, kind: type[Record], key: str, fields: dict[str, object], new: str) -> dict[str, Any]:
    body = world.signed(kind, key, **fields)
    record = record_of(kind, body["message"], "message")
    proof = world.signer(new).sign_digest(digest(domain_of(world.services.deployment, kind), record))
    return {**body, "possession": "0x" + proof.hex()}


def _new_key(world: World) -> tuple[str, str]:
    name = f"fresh-{next(_numbers)}"
    world.do("key.new", name=name)
    return name, "0x" + world.signer(name).address.hex()


def bind(world: World, key: str) -> dict[str, Any]:
    known, _ = _fresh_post(world)
    new, address = _new_key(world)
    agency = "0x" + agency_id(PROVIDER).hex()
    fields: dict[str, object] = {"agency": agency, "post": known, "key": address, "validTo": "0"}
    return _with_possession(world, BindKey, key, {**fields, "validFrom": str(world.services.now_s() + 60)}, new)


def rotate(world: World, key: str) -> dict[str, Any]:
    known, old = _fresh_post(world)
    new, address = _new_key(world)
    agency = "0x" + agency_id(PROVIDER).hex()
    fields: dict[str, object] = {"agency": agency, "post": known, "oldKey": old, "newKey": address, "validTo": "0"}
    return _with_possession(world, RotateKey, key, fields, new)


def rotate_root(world: World, key: str) -> dict[str, Any]:
    new, address = _new_key(world)
    fields: dict[str, object] = {"agency": "0x" + agency_id(PROVIDER).hex(), "newRoot": address}
    return _with_possession(world, RotateRoot, key, fields, new)
