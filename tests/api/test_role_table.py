"""Who may do what, cell by cell: every act, signed by a post of every role, over HTTP.

A cell that is allowed answers 201. Every other one answers 403 with the contract's own error, and nothing was
changed. The table is that of contracts/README.md.
"""

from __future__ import annotations

import itertools
import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.codes import ALL_ROLES, CaseStep, Duty, ObjectKind, PostRole, ResponsibilityRole
from ledger.domain.identifiers import agency_id, dataset_id, parse_dataset, post_id
from ledger.domain.records import (
    Accept,
    Advance,
    Assign,
    CancelProposal,
    Dispose,
    HandOver,
    Propose,
    PublishEntry,
    RegisterPost,
    Resume,
    RetireKey,
    RetirePost,
    SetPostRoles,
    Sign,
    Suspend,
    Terminate,
    Vacate,
    WithdrawEntry,
)
from ledger.domain.typed_data import as_json
from ledger.service.agreement_views import find_agreement
from ledger.service.case_documents import filing_of, respondent_opening
from ledger.service.responsibilities import PLATFORM_ID
from ledger.service.submission import domain_of
from tests.api.test_problems import check
from tests.api.world import AUTHORITY, DRAFT, POSTS, PROVIDER, REQUESTER, body_of, client, make_world, post, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from ledger.domain.record import Record
    from tests.api.world import World

KEY_OF = {
    PostRole.PROVIDER_OFFICE_HEAD: "head-p",
    PostRole.REQUESTER_OFFICE_HEAD: "head-r",
    PostRole.DEPT_HEAD: "dept-p",
    PostRole.SHARING_AUTHORITY: "authority",
    PostRole.SUPERIOR: "superior",
    PostRole.INSPECTOR: "inspector",
    PostRole.REVIEWER: "reviewer",
    PostRole.ASSESSOR: "assessor",
    PostRole.PLATFORM_OPERATOR: "platform",
    PostRole.REPORTER: "reporter-p",
}
NONE = PostRole(0)
HEADS = PostRole.PROVIDER_OFFICE_HEAD | PostRole.REQUESTER_OFFICE_HEAD
LEADING = PostRole.SHARING_AUTHORITY | PostRole.SUPERIOR
INVESTIGATING = PostRole.INSPECTOR | LEADING
RESPONDING = HEADS | PostRole.DEPT_HEAD
ZERO = "0x" + "00" * 32
_numbers = itertools.count(1)
_prepared: dict[tuple[object, ...], Any] = {}
"""What acts are tried on, until one succeeds: a refusal leaves it as it was."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A ledger of its own, since every allowed cell changes it."""
    made = make_world(tmp_path_factory.mktemp("roles") / "home")
    record = {"duty": "RECORD", "object": made.agreement, "role": "ENTRUSTED"}
    given = made.do("responsibility.assign", **record, assignee=POSTS["platform"][0], post=POSTS["head-p"][0])
    made.do("responsibility.accept", assignment=given["assignment"])
    yield made
    made.services.close()


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[httpx.Client]:
    """A client of it."""
    with serving(world.services) as address, client(address) as opened:
        yield opened


def some_id() -> str:
    return "0x" + secrets.token_hex(32)


def id_of(key: str) -> str:
    return "0x" + post_id(POSTS[key][0]).hex()


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


def assignment(world: World, key: str, *, accepted: bool = False) -> str:
    """Return a fresh assignment to a key's post."""
    found: str = world.do(
        "responsibility.assign",
        duty="SUPERVISE",
        object="platform",
        assignee=POSTS[key][0],
        post=POSTS["authority"][0],
        role="SUPPORT",
    )["assignment"]
    if accepted:
        world.do("responsibility.accept", assignment=found)
    return found


def case_at(world: World, step: CaseStep, respondent: str) -> str:
    """Return a fresh case, sealed unless the step is beyond the notice, at a step."""
    inspector, superior = POSTS["inspector"][0], POSTS["superior"][0]
    found: str = world.do("case.file", respondent=respondent, post=inspector, violations=["decree809:R6"])["case"]
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


# The acts: each returns a signed request that is right in everything but perhaps who signs it.


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
    about = world.agreement if kind is ObjectKind.AGREEMENT else PLATFORM_ID.hex()
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


def assign_platform(world: World, key: str) -> dict[str, Any]:
    return assign(world, key, ObjectKind.PLATFORM)


def accept_own(world: World, key: str) -> dict[str, Any]:
    return sent(world, Accept, key, assignment="0x" + assignment(world, key))


def accept_others(world: World, key: str) -> dict[str, Any]:
    other = "reviewer" if key != "reviewer" else "assessor"
    return sent(world, Accept, key, assignment="0x" + prepared(lambda: assignment(world, other), "proposed", other))


def hand_over(world: World, key: str) -> dict[str, Any]:
    found = prepared(lambda: assignment(world, "assessor", accepted=True), "held by the assessor")
    fields = {"successorAssignment": some_id(), "toPost": id_of("reviewer"), "at": "0", "basis": ZERO}
    return sent(world, HandOver, key, assignment="0x" + found, **fields)


def vacate_others(world: World, key: str) -> dict[str, Any]:
    found = prepared(lambda: assignment(world, "stranger", accepted=True), "held by a stranger")
    return sent(world, Vacate, key, assignment="0x" + found, at="0", reason=ZERO)


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
    name = post(f"new-{next(_numbers)}", PROVIDER)
    fields = {"agency": "0x" + agency_id(PROVIDER).hex(), "roles": "512", "profile": some_id()}
    return world.signed(RegisterPost, key, post="0x" + post_id(name).hex(), **fields)


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


S = CaseStep
TABLE: dict[str, tuple[Callable[[World, str], dict[str, Any]], PostRole]] = {
    "publish an entry": (publish, PostRole.DEPT_HEAD),
    "withdraw an entry": (withdraw_entry, PostRole.DEPT_HEAD),
    "propose an agreement": (propose, HEADS),
    "sign an agreement": (sign, HEADS),
    "cancel a proposal": (cancel, HEADS),
    "suspend an agreement": (suspend, PostRole.PROVIDER_OFFICE_HEAD | PostRole.SHARING_AUTHORITY),
    "resume an agreement": (resume, PostRole.PROVIDER_OFFICE_HEAD | PostRole.SHARING_AUTHORITY),
    "terminate an agreement": (terminate, HEADS | PostRole.SHARING_AUTHORITY),
    "certify a disposal": (dispose, PostRole.REQUESTER_OFFICE_HEAD),
    "assign a duty over an agreement": (assign, RESPONDING),
    "assign a duty over the platform": (assign_platform, LEADING | PostRole.PLATFORM_OPERATOR),
    "accept one's own assignment": (accept_own, ALL_ROLES),
    "accept another's assignment": (accept_others, NONE),
    "hand a duty over": (hand_over, LEADING | PostRole.PLATFORM_OPERATOR),
    "vacate another's duty": (vacate_others, LEADING | PostRole.PLATFORM_OPERATOR),
    "vacate one's own duty": (vacate_own, ALL_ROLES),
    "record a lead": (step(None, S.LEAD), INVESTIGATING),
    "file a case": (step(None, S.FILED), INVESTIGATING),
    "tell the facts": (step(S.FILED, S.FACTS_TOLD), INVESTIGATING),
    "decide a case": (step(S.FACTS_TOLD, S.DECIDED), LEADING),
    "issue a notice": (step(S.DECIDED, S.NOTICE_ISSUED), LEADING),
    "order a rectification": (step(S.NOTICE_ISSUED, S.RECTIFYING), LEADING),
    "file evidence": (step(S.RECTIFYING, S.EVIDENCE_FILED), INVESTIGATING | RESPONDING),
    "verify a rectification": (step(S.EVIDENCE_FILED, S.VERIFIED), PostRole.REVIEWER),
    "ask for rework": (step(S.EVIDENCE_FILED, S.REWORK), PostRole.REVIEWER),
    "close a case": (step(S.VERIFIED, S.CLOSED), LEADING),
    "appeal": (step(S.NOTICE_ISSUED, S.APPEAL_FILED), INVESTIGATING | RESPONDING),
    "withdraw a case": (step(S.NOTICE_ISSUED, S.WITHDRAWN), LEADING),
    "reopen a case": (step(S.CLOSED, S.REOPENED), INVESTIGATING),
    "register a post": (register_post, NONE),
    "set a post's roles": (set_roles, NONE),
    "retire a post": (retire_post, NONE),
    "retire a key": (retire_key, NONE),
}
ROOT_ACTS = ("register a post", "set a post's roles", "retire a post", "retire a key")
CELLS = [(act, role) for act in TABLE for role in PostRole]


@pytest.mark.parametrize(("act", "role"), CELLS, ids=[f"{act}-{role.name}" for act, role in CELLS])
def test_a_post_does_an_act_if_and_only_if_its_role_may(
    world: World, api: httpx.Client, act: str, role: PostRole
) -> None:
    made, allowed = TABLE[act]
    body = made(world, KEY_OF[role])
    block, documents = world.services.state.refresh().number, world.services.vault.count()  # type: ignore[attr-defined]
    answer = api.post("/v1/requests", json=body)
    if role in allowed:
        _prepared.clear()
        assert answer.status_code == 201, answer.text
        return
    document = check(answer, 403, "refused")
    assert document["error"]
    assert document["contract"]
    assert (world.services.state.refresh().number, world.services.vault.count()) == (block, documents)  # type: ignore[attr-defined]


@pytest.mark.parametrize("act", ROOT_ACTS)
def test_an_agencys_root_key_alone_keeps_its_posts(world: World, api: httpx.Client, act: str) -> None:
    wanted = world.do("agency.show", agency=PROVIDER)["root_key"]
    keyring = world.services.keyring
    root = next(name for name in keyring.names() if "0x" + keyring.address(name).hex() == wanted)
    answer = api.post("/v1/requests", json=TABLE[act][0](world, root))
    assert answer.status_code == 201, answer.text
    refused = check(api.post("/v1/requests", json=TABLE[act][0](world, "head-p")), 403)
    assert refused["error"] == "NotRootKey"


@pytest.mark.parametrize("role", list(PostRole), ids=lambda role: role.name)
def test_only_a_reporter_or_an_entrusted_operator_appends_events(
    world: World, api: httpx.Client, role: PostRole
) -> None:
    size = world.services.log.size()
    answer = api.post("/v1/events", json=body_of(world.batch(KEY_OF[role], {})))
    if role in PostRole.REPORTER | PostRole.PLATFORM_OPERATOR:
        assert answer.status_code == 201, answer.text
    else:
        assert "MissingRole" in check(answer, 403, "unauthorized")["reason"]
        assert world.services.log.size() == size


def test_an_operator_that_nobody_entrusted_appends_nothing(world: World, api: httpx.Client) -> None:
    other = agreement(world)
    answer = api.post("/v1/events", json=body_of(world.batch("platform", {"agreement": other})))
    assert "entrusted" in check(answer, 403, "unauthorized")["reason"]


def test_whoever_took_part_reviews_nothing(world: World, api: httpx.Client) -> None:
    made, _ = TABLE["verify a rectification"]
    document = check(api.post("/v1/requests", json=made(world, "inspector")), 403)
    assert document["error"] == "ReviewerNotIndependent"
