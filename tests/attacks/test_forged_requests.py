"""Requests that nobody had the right to make, at every deployed contract that takes them: each is refused by name."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.codes import ObjectKind, PostRole
from ledger.domain.errors import RefusedError
from ledger.domain.keccak import keccak256_text
from ledger.domain.records import (
    CONTRACTS,
    Advance,
    Assign,
    Propose,
    PublishEntry,
    RetirePost,
    RotateKey,
    SetPostRoles,
)
from ledger.domain.typed_data import Domain, digest
from ledger.service.call_data import call_data, tuple_type
from ledger.service.submission import FUNCTIONS
from tests.contracts.agreements import grant, make_party, publish, terms
from tests.contracts.conftest import ledger as ledger  # noqa: PLC0414 - a fixture
from tests.contracts.deployed import FAR, DeployedLedger, Post, fresh_nonce

if TYPE_CHECKING:
    from ledger.domain.record import Record
    from ledger.service.ports import ChainReceipt
    from ledger.signing.signers import LocalSigner

ROLES = PostRole.PROVIDER_OFFICE_HEAD | PostRole.DEPT_HEAD | PostRole.SHARING_AUTHORITY | PostRole.INSPECTOR
ACTS = [PublishEntry, Propose, Assign, Advance]
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def post(ledger: DeployedLedger) -> Post:
    """A post of a fresh agency that may do all of ``ACTS``."""
    agency = ledger.agency(secrets.token_bytes(32), ROLES)
    return ledger.post(agency, "post", ROLES)


def request_of(ledger: DeployedLedger, act: type[Record], post: Post, **changes: Any) -> Record:
    """Return a request that the contract takes from the post."""
    fields: dict[str, Any] = {"post": post.id, "nonce": fresh_nonce(), "deadline": FAR}
    if act is PublishEntry:
        content = {"law": bytes(32), "content": bytes(32)}
        fields |= {"code": secrets.token_bytes(32), "version": 1, "attribute": 1, "grade": 1, **content}
        fields["review_required"] = False
    elif act is Propose:
        party = make_party(ledger, PostRole.REQUESTER_OFFICE_HEAD)
        owner = dataclasses.replace(party, agency=post.agency, dept=post)
        granted = grant(publish(ledger, owner, secrets.token_bytes(32)), party)
        fields["terms"] = terms((owner, party), (granted,), agreement=secrets.token_bytes(32))
    elif act is Assign:
        fields |= {"assignment": secrets.token_bytes(32), "duty": 12, "object_kind": ObjectKind.PLATFORM, "role": 2}
        fields |= {"object": keccak256_text("platform"), "assignee": post.id, "share_bps": 0, "basis": bytes(32)}
        fields |= {"valid_from": 1, "valid_to": 0}
    else:
        fields |= {"case_id": secrets.token_bytes(32), "step": 1, "commitment": bytes(32), "aux": bytes(32)}
    return act(**(fields | changes))


def bring(ledger: DeployedLedger, record: Record, signer: bytes, signature: bytes) -> ChainReceipt:
    arguments = [(tuple_type(type(record)), record), ("address", signer), ("bytes", signature)]
    return ledger.send(CONTRACTS[type(record)], call_data(FUNCTIONS[type(record)].function, arguments))


def refusal(ledger: DeployedLedger, record: Record, key: LocalSigner, signature: bytes | None = None) -> str:
    signed = ledger.signature(key, record) if signature is None else signature
    with pytest.raises(RefusedError) as refused:
        bring(ledger, record, key.address, signed)
    return refused.value.error


@pytest.fixture(params=ACTS, ids=lambda act: act.__name__)
def act(request: pytest.FixtureRequest) -> type[Record]:
    found: type[Record] = request.param
    return found


def test_the_request_itself_is_taken(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    record = request_of(ledger, act, post)
    assert bring(ledger, record, post.key.address, ledger.signature(post.key, record)).status == 1


def test_a_key_of_another_post_is_refused(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    other = ledger.post(post.agency, "other", ROLES)
    assert refusal(ledger, request_of(ledger, act, post), other.key) == "UnauthorisedSigner"


def test_a_signature_by_another_than_the_stated_key_is_refused(
    ledger: DeployedLedger, act: type[Record], post: Post
) -> None:
    record = request_of(ledger, act, post)
    forged = ledger.signature(ledger.keyring.signer("nobody"), record)
    assert refusal(ledger, record, post.key, forged) == "InvalidSignature"


def test_a_request_altered_after_it_was_signed_is_refused(
    ledger: DeployedLedger, act: type[Record], post: Post
) -> None:
    record = request_of(ledger, act, post)
    altered = dataclasses.replace(record, deadline=FAR + 1)
    assert refusal(ledger, altered, post.key, ledger.signature(post.key, record)) == "InvalidSignature"


def test_a_replay_is_refused(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    record = request_of(ledger, act, post)
    signature = ledger.signature(post.key, record)
    bring(ledger, record, post.key.address, signature)
    assert refusal(ledger, record, post.key, signature) == "InvalidAccountNonce"


def test_the_mirrored_signature_is_no_second_one(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    record = request_of(ledger, act, post)
    signature = ledger.signature(post.key, record)
    mirrored = ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + mirrored.to_bytes(32, "big") + bytes([55 - signature[64]])
    assert refusal(ledger, record, post.key, twin) == "InvalidSignature"


def test_a_signature_for_another_chain_is_refused(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    record = request_of(ledger, act, post)
    domain = Domain(ledger.chain_id + 1, ledger.address(CONTRACTS[act]))
    assert refusal(ledger, record, post.key, post.key.sign_digest(digest(domain, record))) == "InvalidSignature"


def test_a_signature_for_another_contract_is_refused(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    record = request_of(ledger, act, post)
    domain = Domain(ledger.chain_id, ledger.address("CheckpointAnchor"))
    assert refusal(ledger, record, post.key, post.key.sign_digest(digest(domain, record))) == "InvalidSignature"


def test_a_request_after_its_deadline_is_refused(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    late = request_of(ledger, act, post, deadline=ledger.chain.head_block().timestamp - 1)
    assert refusal(ledger, late, post.key) == "SignatureExpired"


def test_a_retired_post_is_refused(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    record = request_of(ledger, act, post)
    fields = {"agency": post.agency, "post": post.id, "nonce": fresh_nonce(), "deadline": FAR}
    ledger.relay(RetirePost(reason=bytes(32), **fields), ledger.root(post.agency))
    assert refusal(ledger, record, post.key) == "PostRetired"


def test_a_key_that_was_rotated_out_is_refused(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    record, key = request_of(ledger, act, post), ledger.keyring.signer("new:" + post.id.hex())
    fields = {"agency": post.agency, "post": post.id, "valid_to": 2**63, "nonce": fresh_nonce(), "deadline": FAR}
    rotation = RotateKey(old_key=post.key.address, new_key=key.address, **fields)
    ledger.relay(rotation, ledger.root(post.agency), possession=key)
    assert refusal(ledger, record, post.key) == "UnauthorisedSigner"
    assert bring(ledger, record, key.address, ledger.signature(key, record)).status == 1


def test_a_role_that_was_taken_away_is_missed(ledger: DeployedLedger, act: type[Record], post: Post) -> None:
    record = request_of(ledger, act, post)
    fields = {"agency": post.agency, "post": post.id, "nonce": fresh_nonce(), "deadline": FAR}
    ledger.relay(SetPostRoles(roles=int(PostRole.REPORTER), **fields), ledger.root(post.agency))
    assert refusal(ledger, record, post.key) == "MissingRole"


def test_a_suspended_agency_is_refused_until_it_is_reinstated(
    ledger: DeployedLedger, act: type[Record], post: Post
) -> None:
    record = request_of(ledger, act, post)
    suspension = call_data("suspendAgency", [("bytes32", post.agency), ("bytes32", bytes(32))])
    ledger.send("AgencyRegistry", suspension, sender="registrar")
    assert refusal(ledger, record, post.key) == "AgencySuspended"
    ledger.send("AgencyRegistry", call_data("reinstateAgency", [("bytes32", post.agency)]), sender="registrar")
    assert bring(ledger, record, post.key.address, ledger.signature(post.key, record)).status == 1
