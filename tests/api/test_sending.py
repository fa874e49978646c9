"""POST /v1/requests: what a post signed elsewhere is brought to the chain once; a refusal leaves no trace."""

from __future__ import annotations

import re
import secrets
import time
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from eth_account import Account
from eth_account.messages import encode_typed_data

from ledger.domain.codes import CaseStep, Duty, ObjectKind, ResponsibilityRole
from ledger.domain.commitment import commit
from ledger.domain.identifiers import agency_id, post_id
from ledger.domain.records import Accept, Advance, Assign, BindKey, Suspend, Vacate
from ledger.domain.typed_data import digest
from ledger.service.case_documents import filing_of, respondent_opening
from ledger.service.directory import Directory
from ledger.service.signed_requests import record_of
from ledger.service.submission import domain_of
from tests.api.test_appending import held
from tests.api.test_problems import check
from tests.api.world import POSTS, PROVIDER

if TYPE_CHECKING:
    import httpx

    from tests.api.world import World


ZERO = "0x" + "00" * 32


def hex_id(post: str) -> str:
    return "0x" + post_id(post).hex()


def assign(world: World, key: str = "head-p", duty: Duty = Duty.PROTECT, **changes: object) -> dict[str, Any]:
    """Return a signed assignment of a duty to the provider's department head."""
    fields: dict[str, object] = {
        "post": hex_id(POSTS[key][0]),
        "assignment": "0x" + secrets.token_hex(32),
        "duty": int(duty),
        "objectKind": int(ObjectKind.AGREEMENT),
        "object": "0x" + world.agreement,
        "assignee": hex_id(POSTS["dept-p"][0]),
        "role": int(ResponsibilityRole.SUPPORT),
        "shareBps": 0,
        "validFrom": str(world.services.now_s()),
        "validTo": "0",
        "basis": "0x" + "00" * 32,
        **changes,
    }
    return world.signed(Assign, key, **fields)


def digests_in(document: dict[str, Any]) -> set[str]:
    """Return the digests that a conflict names."""
    return {str(value) for value in document.values() if re.fullmatch(r"(0x)?[0-9a-f]{64}", str(value))}


def test_a_wallet_builds_signs_and_sends(world: World, api: httpx.Client) -> None:
    wallet = Account.create()
    world.do("key.new", name="wallet-root")  # The agency's root key binds the wallet's; it lies in this home.
    asked = {
        "type": "Accept",
        "message": {
            "post": hex_id(POSTS["dept-p"][0]),
            "assignment": "0x" + secrets.token_hex(32),
            "content": "0x" + secrets.token_hex(32),
        },
    }
    built = api.post("/v1/typed-data", json=asked).json()
    signed = wallet.sign_message(encode_typed_data(full_message=built["typed_data"]))
    assert signed.message_hash.hex().removeprefix("0x") == built["digest"].removeprefix("0x")
    body = {
        "type": "Accept",
        "message": built["typed_data"]["message"],
        "signer": wallet.address.lower(),
        "signature": "0x" + signed.signature.hex().removeprefix("0x"),
    }
    document = check(api.post("/v1/requests", json=body), 403, "refused")  # Signed well, but bound to no post.
    assert document["error"] == "UnauthorisedSigner"


def test_a_signed_record_is_in_a_block_and_a_retry_gets_the_same_answer(
    world: World, api: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = assign(world)
    headers = {"Idempotency-Key": "assign-1"}
    first = api.post("/v1/requests", json=body, headers=headers)
    assert first.status_code == 201, first.text
    assert set(first.json()) == {"type", "digest", "tx", "block", "block_hash"}
    shown = [one["assignment"] for one in api.get("/v1/responsibilities").json()["items"]]
    assert body["message"]["assignment"][2:] in shown
    before = held(world)
    monkeypatch.setattr(world.services, "clock", _Later(7200))
    again = api.post("/v1/requests", json=body, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert held(world) == before


def test_without_a_key_the_nonce_is_the_key(world: World, api: httpx.Client) -> None:
    body = assign(world)
    first = api.post("/v1/requests", json=body)
    assert first.status_code == 201, first.text
    assert api.post("/v1/requests", json=body).json() == first.json()
    other = assign(world, nonce=body["message"]["nonce"])
    document = check(api.post("/v1/requests", json=other), 409, "conflict")
    assert len(digests_in(document)) == 2


def test_a_used_key_with_other_content_is_a_conflict_and_keeps_no_document(world: World, api: httpx.Client) -> None:
    headers = {"Idempotency-Key": "assign-2"}
    assert api.post("/v1/requests", json=assign(world), headers=headers).status_code == 201
    before = held(world)
    basis = commit({"basis": "smuggled"}, {"basis": secrets.token_bytes(32)})
    other = assign(world, basis="0x" + basis.root.hex())
    other["documents"] = [{"kind": "reason", "tier": "PARTIES", "groups": basis.by_name()}]
    document = check(api.post("/v1/requests", json=other, headers=headers), 409, "conflict")
    assert len(digests_in(document)) == 2
    assert held(world) == before
    foreign = world.signed(
        Accept, "stranger", post=hex_id(POSTS["stranger"][0]), assignment="0x" + "11" * 32, content=ZERO
    )
    check(
        api.post("/v1/requests", json=foreign, headers=headers), 409
    )  # Its own key of that name: WrongStatus or none.


def test_a_document_is_kept_with_the_record_that_commits_to_it(world: World, api: httpx.Client) -> None:
    basis = commit({"basis": "a private basis"}, {"basis": secrets.token_bytes(32)})
    body = assign(world, basis="0x" + basis.root.hex())
    sent = {"kind": "reason", "tier": "PARTIES", "groups": basis.by_name(), "about": "0x" + world.agreement}
    foreign = commit({"basis": "another"}, {"basis": secrets.token_bytes(32)})
    wrong = {**body, "documents": [{**sent, "groups": foreign.by_name()}]}
    assert check(api.post("/v1/requests", json=wrong), 422)["field"] == "documents[0]"
    assert api.post("/v1/requests", json={**body, "documents": [sent]}).status_code == 201
    kept = world.services.vault.get(basis.root)
    assert kept.tier == "PARTIES"
    assert "a private basis" not in api.get("/v1/responsibilities").text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"texts": {"person": ["a"]}}, "documents[0].texts.person[0]"),
        ({"texts": {"agency": ["no id"]}}, "documents[0].texts.agency[0]"),
        ({"tier": "NONE"}, "documents[0].tier"),
        ({"kind": "event"}, "documents[0].kind"),
        ({"about": "0x" + "12" * 32}, "documents[0].about"),
        ({"unknown": 1}, "documents[0].unknown"),
    ],
)
def test_a_document_that_would_spoil_the_vault_is_refused(
    world: World, api: httpx.Client, change: dict[str, Any], field: str
) -> None:
    basis = commit({"basis": "x"}, {"basis": secrets.token_bytes(32)})
    body = assign(world, basis="0x" + basis.root.hex())
    body["documents"] = [{"kind": "reason", "tier": "PARTIES", "groups": basis.by_name(), **change}]
    before = held(world)
    assert check(api.post("/v1/requests", json=body), 422)["field"] == field
    assert held(world) == before
    Directory(world.services.vault)  # What a restart does with every document.


@pytest.mark.parametrize(
    ("case", "status", "reason"),
    [
        ("foreign", 401, "not the stated signer"),
        ("altered", 401, "not the stated signer"),
        ("expired", 401, "deadline"),
        ("short", 401, "65 bytes"),
        ("wrong post", 403, "UnauthorisedSigner"),
        ("wrong role", 403, "MissingRole"),
    ],
)
def test_a_signature_without_the_right_leaves_only_an_audit_line(
    world: World, api: httpx.Client, case: str, status: int, reason: str
) -> None:
    basis = commit({"basis": "never kept"}, {"basis": secrets.token_bytes(32)})
    root = "0x" + basis.root.hex()
    match case:
        case "foreign":
            body = {**assign(world, basis=root), "signer": "0x" + world.signer("head-r").address.hex()}
        case "altered":
            body = assign(world, basis=root)
            body["message"]["role"] = int(ResponsibilityRole.ENTRUSTED)
        case "expired":
            body = assign(world, basis=root, deadline=str(int(time.time()) - 5))
        case "short":
            body = {**assign(world, basis=root), "signature": "0x1234"}
        case "wrong post":
            body = assign(world, "stranger", post=hex_id(POSTS["head-p"][0]), basis=root)
        case _:
            body = assign(world, "reporter-p", basis=root)
    body["documents"] = [{"kind": "reason", "tier": "PARTIES", "groups": basis.by_name()}]
    before = held(world)
    with structlog.testing.capture_logs() as lines:
        document = check(api.post("/v1/requests", json=body, headers={"Idempotency-Key": case}), status)
    assert reason in document["detail"]
    assert held(world) == before
    assert world.services.vault.find(basis.root) is None
    (line,) = [one for one in lines if one["event"] == "request_refused"]
    assert line["status"] == status
    assert "never kept" not in str(line)
    assert body["signature"] not in str(line)


def test_a_signature_for_another_deployment_does_not_hold(world: World, api: httpx.Client) -> None:
    body = assign(world)
    wallet = Account.create()
    typed = api.post("/v1/typed-data", json={"type": "Assign", "message": body["message"]}).json()["typed_data"]
    typed["domain"]["chainId"] += 1
    signed = wallet.sign_message(encode_typed_data(full_message=typed))
    sent = {**body, "signer": wallet.address, "signature": signed.signature.hex()}
    check(api.post("/v1/requests", json=sent), 401, "signature_refused")


def test_what_the_registrar_sends_and_what_only_the_service_reads_is_not_relayed(
    world: World, api: httpx.Client
) -> None:
    for name in ("AdmitAgency", "EventBatch", "ReadAsPost", "Terms", "NoSuch"):
        body = {**assign(world), "type": name}
        assert check(api.post("/v1/requests", json=body), 422)["field"] == "type"


def test_a_key_is_bound_by_its_agencys_root_and_its_own_proof(world: World, api: httpx.Client) -> None:
    world.do("key.new", name="second")
    wanted = world.do("agency.show", agency=PROVIDER)["root_key"]
    keyring = world.services.keyring
    root = next(name for name in keyring.names() if "0x" + keyring.address(name).hex() == wanted)
    fields = {
        "agency": "0x" + agency_id(PROVIDER).hex(),
        "post": hex_id(POSTS["head-p"][0]),
        "key": "0x" + world.signer("second").address.hex(),
        "validFrom": str(world.services.now_s() + 5),
        "validTo": "0",
    }
    body = world.signed(BindKey, root, **fields)
    refused = check(api.post("/v1/requests", json=body), 401)  # Without the key's own proof of possession.
    assert refused["error"] == "InvalidSignature"
    record = record_of(BindKey, body["message"], "message")
    proof = world.signer("second").sign_digest(digest(domain_of(world.services.deployment, BindKey), record))
    assert api.post("/v1/requests", json={**body, "possession": "0x" + proof.hex()}).status_code == 201
    keys = api.get("/v1/keys", params={"post": POSTS["head-p"][0]}).json()["items"]
    assert fields["key"] in [one["key"] for one in keys]


def test_a_notice_is_opened_by_a_request_that_was_signed_elsewhere(world: World, api: httpx.Client) -> None:
    case = world.do(
        "case.file", respondent="ods:R01", post=POSTS["inspector"][0], violations=["decree809:R6"], reference="API-9"
    )["case"]
    world.do("case.tell", case=case, post=POSTS["inspector"][0])
    world.do("case.decide", case=case, post=POSTS["authority"][0], measures=["NOTICE"])
    check(api.get(f"/v1/notices/{case}"), 404)
    opening = respondent_opening(filing := filing_of(world.services, bytes.fromhex(case)))
    notice = commit({"text": "circulated"}, {"text": secrets.token_bytes(32)})
    body = world.signed(
        Advance,
        "authority",
        post=hex_id(POSTS["authority"][0]),
        caseId="0x" + case,
        step=int(CaseStep.NOTICE_ISSUED),
        commitment="0x" + notice.root.hex(),
        aux="0x" + "00" * 32,
    )
    body["documents"] = [{"kind": "case", "tier": "PUBLIC", "groups": notice.by_name(), "about": "0x" + case}]
    body["opening"] = {
        "filing": "0x" + filing.commitment.hex(),
        "leaf": "0x" + opening.leaf.hex(),
        "index": opening.index,
        "size": opening.size,
        "path": ["0x" + node.hex() for node in opening.path],
    }
    answer = api.post("/v1/requests", json=body)
    assert answer.status_code == 201, answer.text
    shown = api.get(f"/v1/notices/{case}").json()
    assert shown["respondent"] == "ods:R01"
    assert shown["steps"][-1]["opened"] == {"text": "circulated"}


@pytest.mark.parametrize("key", ["inspector", "head-p"])
def test_an_act_out_of_its_state_is_a_conflict_or_no_right(world: World, api: httpx.Client, key: str) -> None:
    body = world.signed(
        Vacate,
        key,
        post=hex_id(POSTS[key][0]),
        assignment="0x" + secrets.token_hex(32),
        at="0",
        reason="0x" + "00" * 32,
    )
    document = check(api.post("/v1/requests", json=body), 409, "refused")
    assert document["error"] == "AssignmentNotInStatus"
    assert document["contract"] == "ResponsibilityLedger"


def test_suspension_is_for_the_provider_and_the_authority(world: World, api: httpx.Client) -> None:
    fields = {"agreement": "0x" + world.agreement, "reason": "0x" + "00" * 32}
    refused = world.signed(Suspend, "head-r", post=hex_id(POSTS["head-r"][0]), **fields)
    check(api.post("/v1/requests", json=refused), 403, "refused")


class _Later:
    def __init__(self, seconds: int) -> None:
        self._ms = seconds * 1000

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._ms
