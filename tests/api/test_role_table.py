"""Who may do what, cell by cell: every act, signed by a post of every role, over HTTP.

A cell that is allowed answers 201. Every other one answers 403 with the contract's own error, and nothing was
changed. The table is that of contracts/README.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.codes import ALL_ROLES, CaseStep, PostRole
from ledger.domain.identifiers import post_id
from ledger.domain.records import (
    Advance,
    Resume,
)
from ledger.service.case_documents import filing_of, respondent_opening
from tests.api.acts import (
    ZERO,
    accept_others,
    accept_own,
    agreement,
    assign,
    assign_dataset,
    assign_platform,
    bind,
    cancel,
    case_at,
    dispose,
    forget_prepared,
    hand_over,
    over_agreement,
    over_dataset,
    over_platform,
    propose,
    publish,
    register_post,
    resume,
    retire_key,
    retire_post,
    rotate,
    rotate_root,
    sent,
    set_roles,
    sign,
    some_id,
    step,
    suspend,
    terminate,
    vacate_others,
    vacate_own,
    withdraw_entry,
)
from tests.api.test_problems import check
from tests.api.world import (
    AUTHORITY,
    POSTS,
    PROVIDER,
    REQUESTER,
    body_of,
    client,
    make_world,
    post,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

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
OWNERS = PostRole.PROVIDER_OFFICE_HEAD | PostRole.DEPT_HEAD
"""Those of the roles' posts here that are of the dataset's own agency."""


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
    "assign a duty over a dataset": (assign_dataset, OWNERS),
    "assign a duty over the platform": (assign_platform, LEADING | PostRole.PLATFORM_OPERATOR),
    "accept one's own assignment": (accept_own, ALL_ROLES),
    "accept another's assignment": (accept_others, NONE),
    "hand over a duty over an agreement": (hand_over(over_agreement), RESPONDING),
    "hand over a duty over a dataset": (hand_over(over_dataset), OWNERS),
    "hand over a duty over the platform": (hand_over(over_platform), LEADING | PostRole.PLATFORM_OPERATOR),
    "vacate another's duty over an agreement": (vacate_others(over_agreement), RESPONDING),
    "vacate another's duty over a dataset": (vacate_others(over_dataset), OWNERS),
    "vacate another's duty over the platform": (vacate_others(over_platform), LEADING | PostRole.PLATFORM_OPERATOR),
    "vacate one's own duty": (vacate_own, ALL_ROLES),
    "record a lead": (step(None, S.LEAD), INVESTIGATING),
    "file a case": (step(None, S.FILED), INVESTIGATING),
    "end a lead without action": (step(S.LEAD, S.NO_ACTION), LEADING),
    "tell the facts": (step(S.FILED, S.FACTS_TOLD), INVESTIGATING),
    "decide a case": (step(S.FACTS_TOLD, S.DECIDED), LEADING),
    "issue a notice": (step(S.DECIDED, S.NOTICE_ISSUED), LEADING),
    "order a rectification": (step(S.NOTICE_ISSUED, S.RECTIFYING), LEADING),
    "file evidence": (step(S.RECTIFYING, S.EVIDENCE_FILED), INVESTIGATING | RESPONDING),
    "verify a rectification": (step(S.EVIDENCE_FILED, S.VERIFIED), PostRole.REVIEWER),
    "ask for rework": (step(S.EVIDENCE_FILED, S.REWORK), PostRole.REVIEWER),
    "close a case": (step(S.VERIFIED, S.CLOSED), LEADING),
    "appeal": (step(S.NOTICE_ISSUED, S.APPEAL_FILED), INVESTIGATING | RESPONDING),
    "uphold a decision": (step(S.APPEAL_FILED, S.APPEAL_UPHELD), PostRole.REVIEWER),
    "vary a decision": (step(S.APPEAL_FILED, S.APPEAL_VARIED), PostRole.REVIEWER),
    "revoke a decision": (step(S.APPEAL_FILED, S.APPEAL_REVOKED), PostRole.REVIEWER),
    "withdraw a case": (step(S.NOTICE_ISSUED, S.WITHDRAWN), LEADING),
    "reopen a case": (step(S.CLOSED, S.REOPENED), INVESTIGATING),
    "register a post": (register_post, NONE),
    "set a post's roles": (set_roles, NONE),
    "retire a post": (retire_post, NONE),
    "retire a key": (retire_key, NONE),
    "bind a key": (bind, NONE),
    "rotate a key": (rotate, NONE),
    "rotate the root key": (rotate_root, NONE),
}
ROOT_ACTS = tuple(act for act, (_, allowed) in TABLE.items() if not allowed and act != "accept another's assignment")
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
        forget_prepared()
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


def test_only_an_authority_resumes_what_an_authority_suspended(world: World, api: httpx.Client) -> None:
    found = agreement(world)
    world.do("agreement.suspend", agreement=found, post=POSTS["authority"][0], reason="law:x")
    fields = {"agreement": "0x" + found, "reason": some_id()}
    document = check(api.post("/v1/requests", json=sent(world, Resume, "head-p", **fields)), 403)
    assert document["error"] == "SuspendedByAuthority"
    assert api.post("/v1/requests", json=sent(world, Resume, "authority", **fields)).status_code == 201


def test_an_authority_takes_no_step_in_its_own_case(world: World, api: httpx.Client) -> None:
    own = case_at(world, S.DECIDED, AUTHORITY)
    opening = respondent_opening(filing := filing_of(world.services, bytes.fromhex(own)))
    body = sent(world, Advance, "superior", caseId="0x" + own, step="5", commitment=some_id(), aux=ZERO)
    body["opening"] = {
        "filing": "0x" + filing.commitment.hex(),
        "leaf": "0x" + opening.leaf.hex(),
        "index": opening.index,
        "size": opening.size,
        "path": ["0x" + node.hex() for node in opening.path],
    }
    assert check(api.post("/v1/requests", json=body), 403)["error"] == "OwnCase"


def test_a_superior_of_another_agency_steps_in_only_after_the_notice(world: World, api: httpx.Client) -> None:
    world.do("agency.add", agency="ods:X01", name_en="Above", capacities=["SUPERIOR"])
    world.do("key.new", name="above")
    above = post("superior", "ods:X01")
    world.do("post.add", post=above, roles=["SUPERIOR"], name_en="Above", key="above")

    def ordering(found: str, taken: CaseStep) -> dict[str, Any]:
        fields = {"caseId": "0x" + found, "step": str(int(taken)), "commitment": some_id(), "aux": ZERO}
        return world.signed(Advance, "above", post="0x" + post_id(above).hex(), **fields)

    sealed = ordering(case_at(world, S.FACTS_TOLD, REQUESTER), S.DECIDED)
    assert check(api.post("/v1/requests", json=sealed), 403)["error"] == "CaseOfAnotherAuthority"
    opened = ordering(case_at(world, S.NOTICE_ISSUED, REQUESTER), S.RECTIFYING)
    assert api.post("/v1/requests", json=opened).status_code == 201


ROWS: dict[str, tuple[str, ...]] = {
    "`publishEntryBySig`": ("publish an entry",),
    "`withdrawEntryBySig`": ("withdraw an entry",),
    "`proposeBySig`": ("propose an agreement",),
    "`signBySig`": ("sign an agreement",),
    "`cancelProposalBySig`": ("cancel a proposal",),
    "`suspendBySig`": ("suspend an agreement",),
    "`resumeBySig`": ("resume an agreement",),
    "`terminateBySig`": ("terminate an agreement",),
    "`disposeBySig`": ("certify a disposal",),
    "`assignBySig` of a dataset": ("assign a duty over a dataset",),
    "`assignBySig` of an agreement": ("assign a duty over an agreement",),
    "`assignBySig` of the platform": (
        "assign a duty over the platform",
        "hand over a duty over the platform",
        "vacate another's duty over the platform",
    ),
    "`acceptBySig`": ("accept one's own assignment", "accept another's assignment"),
    "`handOverBySig`": ("hand over a duty over an agreement", "hand over a duty over a dataset"),
    "`vacateBySig` of another's": (
        "vacate another's duty over an agreement",
        "vacate another's duty over a dataset",
    ),
    "`vacateBySig` of its own": ("vacate one's own duty",),
    "`advanceBySig` LEAD": ("record a lead",),
    "`advanceBySig` FILED": ("file a case",),
    "`advanceBySig` FACTS_TOLD": ("tell the facts",),
    "`advanceBySig` DECIDED": ("decide a case",),
    "`advanceBySig` RECTIFYING": ("order a rectification",),
    "`advanceBySig` EVIDENCE_FILED": ("file evidence",),
    "`advanceBySig` VERIFIED": ("verify a rectification",),
    "`advanceBySig` REWORK": ("ask for rework",),
    "`advanceBySig` APPEAL_FILED": ("appeal",),
    "`advanceBySig` APPEAL_UPHELD": ("uphold a decision",),
    "`advanceBySig` APPEAL_VARIED": ("vary a decision",),
    "`advanceBySig` APPEAL_REVOKED": ("revoke a decision",),
    "`advanceBySig` NO_ACTION": ("end a lead without action",),
    "`openNoticeBySig` NOTICE_ISSUED": ("issue a notice",),
    "`openNoticeBySig` CLOSED": ("close a case",),
    "`openNoticeBySig` WITHDRAWN": ("withdraw a case",),
    "`advanceBySig` REOPENED": ("reopen a case",),
}
"""The rows of contracts/README.md, each with the acts that try it."""


def _published() -> dict[str, PostRole]:
    """Return the roles that contracts/README.md gives each act."""
    text = (Path(__file__).parents[2] / "contracts/README.md").read_text()
    table = text.partition("| Act | One of the roles | Whose post |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    every = {"any": ALL_ROLES}
    return {
        act: every.get(roles) or PostRole(sum(PostRole[name] for name in roles.split(", "))) for act, roles, _ in rows
    }


def test_every_row_of_the_published_table_is_tried() -> None:
    published = _published()
    assert list(published) == list(ROWS)
    assert {act for acts in ROWS.values() for act in acts} == set(TABLE) - set(ROOT_ACTS)
    for row, acts in ROWS.items():
        # Once there is a notice, the respondent's heads respond: the table says so in its last column.
        also = RESPONDING if row.endswith(("EVIDENCE_FILED", "APPEAL_FILED")) else NONE
        for act in acts:
            assert not TABLE[act][1] & ~(published[row] | also), act
