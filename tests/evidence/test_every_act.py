"""Whatever the real contracts let happen, its evidence holds: each act of a post, a root key or the registrar."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain import event_decoding, events, records
from ledger.domain.codes import PostRole
from ledger.domain.identifiers import agency_id, parse_agency, post_id
from ledger.domain.scalars import ZERO32
from ledger.evidence import verify
from ledger.evidence.signatures import SAME
from ledger.service.call_data import call_data
from ledger.service.keys import root_signer
from ledger.service.submission import deadline_of, fresh_nonce, relay, send, sign_request
from tests.api.world import AUTHORITY, DRAFT, POSTS, PROVIDER, REQUESTER, World, make_world
from tests.evidence.altering import statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.domain.record import Record

HEAD_P, HEAD_R, DEPT_P = (POSTS[key][0] for key in ("head-p", "head-r", "dept-p"))
INSPECTOR, DECIDER, REVIEWER = (POSTS[key][0] for key in ("inspector", "authority", "reviewer"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("acts") / "home")
    yield made
    made.services.close()


def exported(world: World, kind: str, identifier: str) -> str:
    """Return the letters of the evidence's steps under the present trust root."""
    evidence = world.do("evidence.export", kind=kind, id=identifier)["content"].encode()
    return statuses(evidence, world.do("trust-root.export")["content"].encode())


def drafted(world: World, reference: str, **changes: Any) -> str:
    draft = {**DRAFT, "reference": reference, **changes}
    agreement: str = world.do("agreement.draft", text=json.dumps(draft), post=HEAD_P)["agreement"]
    return agreement


def in_force(world: World, reference: str) -> str:
    agreement = drafted(world, reference)
    for post in (HEAD_P, HEAD_R):
        world.do("agreement.sign", agreement=agreement, post=post)
    return agreement


def amend(world: World, reference: str) -> None:
    draft = {**DRAFT, "reference": reference, "title": "Amended"}
    world.do("agreement.amend", text=json.dumps(draft), post=HEAD_R)


def by_root(world: World, agency: str, record: type[Record], possession: str = "", **fields: Any) -> None:
    """Let an agency's root key sign a record of the registry."""
    services = world.services
    made = record(agency=agency_id(agency), **fields, nonce=fresh_nonce(), deadline=deadline_of(services))  # type: ignore[call-arg]
    root = root_signer(services, parse_agency(agency))
    other = services.keyring.signer(possession) if possession else None
    relay(services, sign_request(services, made, root, possession=other))


def by_registrar(world: World, function: str, *arguments: tuple[str, object]) -> None:
    registry = world.services.deployment.address("AgencyRegistry")
    send(world.services, f"test:{function}", registry, call_data(function, list(arguments)), sender="registrar")


def test_an_agreement_amended_suspended_resumed_ended_and_disposed(world: World) -> None:
    agreement = in_force(world, "ACT-1")
    amend(world, "ACT-1")
    for post in (HEAD_R, HEAD_P):
        world.do("agreement.sign", agreement=agreement, post=post)
    world.do("agreement.suspend", agreement=agreement, post=DECIDER, reason="decree809:R2")
    world.do("agreement.resume", agreement=agreement, post=DECIDER)
    amend(world, "ACT-1")
    world.do("agreement.cancel", agreement=agreement, post=HEAD_P, reason="test:mistake")
    amend(world, "ACT-1")
    world.do("agreement.terminate", agreement=agreement, post=HEAD_P, reason="test:over")
    world.do("agreement.dispose", agreement=agreement, post=HEAD_R, certificate="shredded")
    assert world.do("agreement.show", agreement=agreement)["status"] == "DISPOSED"
    assert exported(world, "agreement", agreement) == "PPNNNPPNN"


def test_a_proposal_that_was_withdrawn(world: World) -> None:
    agreement = drafted(world, "ACT-2")
    world.do("agreement.cancel", agreement=agreement, post=HEAD_R, reason="test:mistake")
    assert exported(world, "agreement", agreement) == "PPNNNPPNN"


def test_a_duty_assigned_accepted_handed_over_and_vacated(world: World) -> None:
    agreement = in_force(world, "ACT-3")
    made = world.do("responsibility.assign", duty="DELIVER", object=agreement, assignee=DEPT_P, post=HEAD_P)
    world.do("responsibility.accept", assignment=made["assignment"])
    handed = world.do("responsibility.hand-over", assignment=made["assignment"], to=HEAD_P, post=HEAD_P)
    open_ended = world.do("responsibility.list", object=agreement)["items"]
    (successor,) = {row["assignment"] for row in open_ended} - {made["assignment"]}
    world.do("responsibility.accept", assignment=successor)
    world.do("responsibility.vacate", assignment=successor, post=HEAD_P, reason="test:retired")
    never = world.do("responsibility.assign", duty="PROTECT", object=agreement, assignee=DEPT_P, post=HEAD_P)
    world.do("responsibility.vacate", assignment=never["assignment"], post=HEAD_P, reason="test:mistake")
    assert handed["tx"]
    for assignment in (made["assignment"], successor, never["assignment"]):
        assert exported(world, "responsibility", assignment) == "PNNNNPPNN"


def test_a_case_from_its_lead_to_its_end_and_again(world: World) -> None:
    asked = {"respondent": REQUESTER, "violations": ["decree809:R6"], "post": INSPECTOR}
    case = world.do("case.file", **asked, lead_only=True)["case"]
    world.do("case.file", **asked, case=case, text="facts")
    world.do("case.tell", case=case, post=INSPECTOR, text="told")
    world.do("case.decide", case=case, post=DECIDER, measures=["ORDER_TO_CORRECT"], text="decided")
    assert exported(world, "case", case) == "PNNNNPPNN"
    world.do("case.notify", case=case, post=DECIDER, text="notice")
    world.do("case.rectify", case=case, post=DECIDER, due="2027-01-31")
    world.do("case.rectify", case=case, post=HEAD_R, evidence=True, text="done")
    world.do("case.review", case=case, post=REVIEWER, rework=True, text="not yet")
    world.do("case.rectify", case=case, post=HEAD_R, evidence=True, text="done now")
    world.do("case.review", case=case, post=REVIEWER, text="verified")
    world.do("case.appeal", case=case, post=HEAD_R, text="too hard")
    world.do("case.review", case=case, post=REVIEWER, appeal="UPHELD", text="stays")
    world.do("case.close", case=case, post=DECIDER, text="closed")
    world.do("case.reopen", case=case, post=INSPECTOR, text="again")
    world.do("case.withdraw", case=case, post=DECIDER, text="withdrawn")
    assert exported(world, "case", case) == "PPNNNPPNN"
    answer = world.do("ask.history", case=case)
    assert exported(world, "answer", answer["id"]) == "PNNNNPPNP"


def test_posts_keys_and_roots_that_change(world: World) -> None:
    other = f"second-head@{REQUESTER}"
    world.do("key.new", name="second")
    world.do("post.add", post=other, roles=["DEPT_HEAD"], name_en="Second", key="second")
    by_root(world, REQUESTER, records.SetPostRoles, post=post_id(other), roles=int(PostRole.REQUESTER_OFFICE_HEAD))
    agreement = drafted(world, "ACT-4")
    world.do("agreement.sign", agreement=agreement, post=other)
    world.do("key.new", name="another-root")
    keyring = world.services.keyring
    by_root(world, REQUESTER, records.RotateRoot, "another-root", new_root=keyring.signer("another-root").address)
    by_root(
        world, REQUESTER, records.RetireKey, post=post_id(other), key=keyring.signer("second").address, reason=ZERO32
    )
    by_root(world, REQUESTER, records.RetirePost, post=post_id(other), reason=ZERO32)
    by_registrar(world, "announceRootReplacement", ("bytes32", agency_id(REQUESTER)), ("address", b"\x77" * 20))
    by_root(world, REQUESTER, records.CancelRootReplacement)
    world.do("key.rotate", name="head-p-2", post=HEAD_P)
    by_registrar(world, "setCapacities", ("bytes32", agency_id(PROVIDER)), ("uint32", 1))
    by_registrar(world, "suspendAgency", ("bytes32", agency_id(PROVIDER)), ("bytes32", b"\x01" * 32))
    by_registrar(world, "reinstateAgency", ("bytes32", agency_id(PROVIDER)))
    by_registrar(
        world, "linkSuccessor", ("bytes32", agency_id(REQUESTER)), ("bytes32", agency_id(AUTHORITY)), ("uint64", 2**40)
    )
    world.do("agreement.sign", agreement=agreement, post=HEAD_P)
    evidence = world.do("evidence.export", kind="agreement", id=agreement)["content"].encode()
    report = verify(evidence, world.do("trust-root.export")["content"].encode())
    assert report.holds
    assert report.steps[6].reason.endswith("5 acts of the registrar vouched for by the chain only")


def test_every_signed_event_but_the_catalogues_was_among_them(world: World) -> None:
    seen = {
        type(event_decoding.decode_log(log.topics, log.data))
        for log in world.services.chain.logs(0, world.services.chain.final_block().number, [])
        if event_decoding.decode_log(log.topics, log.data) is not None
    }
    wanted = {event for event, _ in SAME} - {events.EntryWithdrawn}
    assert {event.__name__ for event in wanted - seen} == set()
