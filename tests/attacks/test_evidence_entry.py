"""Attacks on a fact's evidence: what an operator, a holder or a stranger would alter, and the step that says so."""

from __future__ import annotations

import dataclasses
import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain import events, records
from ledger.domain.codes import PostRole, Verdict
from ledger.domain.event_v1 import digest
from ledger.domain.identifiers import agency_id, post_id
from ledger.domain.keccak import keccak256_text
from ledger.domain.records import EventBatch
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.domain.scalars import OPEN_END, ZERO32
from ledger.domain.typed_data import digest as signing_digest
from ledger.evidence import verify
from ledger.log.note import Ed25519Signer
from ledger.log.tree import HashList, inclusion_proof, root_of
from ledger.service.event_batches import SignedBatch, batch_record
from ledger.service.event_documents import event_of
from scripts.evidence_vectors.chain import GENESIS_TIME, Key
from scripts.evidence_vectors.names import GATEWAY, OFFICE, ORIGIN, PROVIDER
from scripts.evidence_vectors.world import World
from tests.evidence.altering import altered, failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.evidence.conftest import Made

DEADLINE = GENESIS_TIME + 1_800
"""Of batches signed here: after every block of a made ledger, and not too far after."""


def entry(change: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return a change of a file's entry."""

    def apply(value: Any) -> None:
        change(value["entry"])

    return apply


def group(value: Any, name: str) -> Any:
    return next(found for found in value["entry"]["groups"] if found[1] == name)[2]


# Swapped evidence fields.


@pytest.mark.parametrize(
    ("name", "field", "other"),
    [
        ("exchange", "purpose", "dpv:Marketing"),
        ("exchange", "recipient", PROVIDER),
        ("exchange", "occurred_at_ms", 1_767_225_600_000),
        ("detail", "size", 1),
        ("binding", "verdict", ["SUSPENDED"]),
        ("binding", "responsible_post", ""),
        ("binding", "reporter_seq", 2),
        ("binding", "block", 1),
    ],
)
def test_a_swapped_field_does_not_give_the_commitment(made: Made, name: str, field: str, other: object) -> None:
    forged = altered(made.evidence, lambda value: group(value, name).update({field: other}))
    assert failure(forged, made.root) == (1, "the groups do not give the entry's commitment")


def test_groups_of_another_event_do_not_open_the_entry(made: Made) -> None:
    other = json.loads(made.world.event_evidence(made.index - 1))["entry"]["groups"]
    forged = altered(made.evidence, entry(lambda e: e.update(groups=other)))
    assert failure(forged, made.root) == (1, "the groups do not give the entry's commitment")


def test_a_forged_commitment_is_not_in_the_log(made: Made) -> None:
    """The holder rewrites a group and the entry with it; only the log stands in the way."""
    from ledger.evidence.entry_steps import open_groups

    def forge(value: Any) -> None:
        group(value, "exchange")["purpose"] = "dpv:Marketing"
        groups = [tuple(found) for found in value["entry"]["groups"]]
        value["entry"]["leaf"]["commitment"] = open_groups(groups, 1).root.hex()

    number, reason = failure(altered(made.evidence, forge), made.root)
    assert (number, reason.startswith("the proof leads to root")) == (2, True)


def test_another_streams_salt_does_not_open_the_stream(made: Made) -> None:
    forged = altered(made.evidence, entry(lambda e: e.update(stream_salt="A" * 43 + "=")))
    assert failure(forged, made.root) == (1, "the entry's stream is not its reporter's and agreement's")


# Truncated and misplaced proofs.


def test_a_truncated_path_does_not_lead_to_the_root(made: Made) -> None:
    forged = altered(made.evidence, entry(lambda e: e.update(path=e["path"][:-1])))
    assert failure(forged, made.root) == (2, "the proof has 1 hashes, not 2")


def test_an_altered_tile_leads_to_another_root(made: Made) -> None:
    """A tile that was altered after the checkpoint gives another sibling in the path."""
    forged = altered(made.evidence, entry(lambda e: e.update(path=["00" * 32, *e["path"][1:]])))
    number, reason = failure(forged, made.root)
    assert (number, "the proof leads to root" in reason) == (2, True)


def test_another_place_in_the_log_does_not_lead_to_the_root(made: Made) -> None:
    assert failure(altered(made.evidence, entry(lambda e: e.update(index=0))), made.root)[0] == 2
    assert failure(altered(made.evidence, entry(lambda e: e.update(index=10**9))), made.root)[0] == 2


# The checkpoint and its witnesses.


def resigned(made: Made, seed: bytes, name: str = ORIGIN) -> bytes:
    signer = Ed25519Signer(name, sha256(seed).digest())

    def sign_again(e: Any) -> None:
        text = e["checkpoint"].partition("\n\n")[0] + "\n"
        from ledger.log.note import sign_note

        e["checkpoint"] = sign_note(text, [signer]).decode()

    return altered(made.evidence, entry(sign_again))


def test_a_checkpoint_signed_by_another_key_is_refused(made: Made) -> None:
    assert failure(resigned(made, b"thief"), made.root) == (
        3,
        f"no signature of {ORIGIN} by a key that counts at size {made.world.held(made.index).anchored.event.size}",
    )


def test_a_checkpoint_with_a_strangers_further_signature_is_refused(made: Made) -> None:
    from ledger.log.note import sign_note

    def cosign(e: Any) -> None:
        text = e["checkpoint"].partition("\n\n")[0] + "\n"
        stranger = Ed25519Signer("stranger.example", sha256(b"stranger").digest())
        e["checkpoint"] = sign_note(text, [made.world.log_key, stranger]).decode()

    forged = altered(made.evidence, entry(cosign))
    assert failure(forged, made.root) == (3, "the checkpoint bears a signature twice, or one of an unknown key")


def test_a_log_of_the_same_key_under_another_name_is_refused(made: Made) -> None:
    def rename(value: Any) -> None:
        value["log"]["origin"] = "log.example/another"

    number, reason = failure(made.evidence, altered(made.root, rename))
    assert (number, reason) == (3, f"the origin is {ORIGIN}, not log.example/another")


def test_too_few_witnesses_are_refused() -> None:
    world = World(witnesses=3)
    index = world.report(world.agree())
    world.witness_keys, asked = world.witness_keys[:1], world.witness_keys
    world.anchor()
    evidence = world.event_evidence(index)
    world.witness_keys = asked
    assert failure(evidence, world.trust_root_bytes()) == (3, "1 witnesses signed, and 2 are needed")


# The anchor.


def test_a_checkpoint_that_was_never_anchored_is_refused(made: Made) -> None:
    """The operator shows one log to the holder, and anchors another."""
    from ledger.log.checkpoint import Checkpoint, sign_checkpoint

    leaf = made.world.held(made.index).leaf

    def fork(e: Any) -> None:
        note = sign_checkpoint(Checkpoint(ORIGIN, 1, leaf.hash()), [made.world.log_key])
        e.update(checkpoint=note.decode(), index=0, path=[])

    assert failure(altered(made.evidence, entry(fork)), made.root) == (4, "the anchor is of another checkpoint")


def test_an_anchor_in_another_contract_is_refused(made: Made) -> None:
    def move(value: Any) -> None:
        value["contracts"]["CheckpointAnchor"]["address"] = "11" * 20

    number, reason = failure(made.evidence, altered(made.root, move))
    assert (number, reason) == (4, "the log in the receipt is no anchor of the trust root's contract")


def test_another_event_in_the_anchors_place_is_refused(made: Made) -> None:
    other = json.loads(made.evidence)["histories"][0]["events"][0]
    forged = altered(made.evidence, entry(lambda e: e.update(anchor=other)))
    assert failure(forged, made.root) == (4, "the log in the receipt is no anchor of the trust root's contract")


def test_an_event_bound_long_before_its_anchor_is_stale() -> None:
    """A backdated event: bound at an old block, whose rules suit it, and anchored only now."""
    world = World()
    index = world.report(world.agree())
    for _ in range(7):
        world.mine()
    world.anchor()
    number, reason = failure(world.event_evidence(index), world.trust_root_bytes())
    assert (number, reason) == (4, "STALE_BINDING: the anchor's block came 80 s after the bound block")


def test_an_event_bound_at_a_block_of_another_branch_is_refused() -> None:
    """The entry names a block hash that the sealed chain does not have under this number."""
    world = World()
    agreement = world.agree()
    bundle = world.chain.bundles[-1]
    other = dataclasses.replace(bundle.ref, hash=keccak256_text("another branch"))
    world.chain.bundles[-1] = dataclasses.replace(bundle, ref=other)
    index = world.report(agreement)
    world.chain.bundles[-1] = bundle
    world.anchor()
    number, reason = failure(world.event_evidence(index), world.trust_root_bytes())
    assert (number, reason) == (4, f"block {other.number} has another hash than the entry is bound at")


# The reporter.


def rebatched(world: World, index: int, change: Callable[[SignedBatch], SignedBatch]) -> dict[str, Any]:
    """Return a batch member for an event that is signed anew, as a thief would."""
    document = world.held(index).document
    event = event_of(document)
    extra: Any = document.extra
    batch = SignedBatch(GATEWAY, event.agreement, (event,), 1, DEADLINE, world.keys[GATEWAY].address, b"")
    batch = change(batch)
    signed = signing_digest(world.log_domain, batch_record(batch, [digest(event)]))
    return {"signed": signed, "nonce": str(batch.nonce), "deadline": batch.deadline, "extra": extra}


def test_a_batch_signed_by_another_key_is_refused(made: Made) -> None:
    found = rebatched(made.world, made.index, lambda batch: batch)
    signature = Key("thief").sign_digest(found["signed"]).hex()
    new = {
        "count": 1, "deadline": found["deadline"], "nonce": found["nonce"], "path": [], "place": 0,
        "signature": signature,
    }  # fmt: skip
    number, reason = failure(altered(made.evidence, entry(lambda e: e.update(batch=new))), made.root)
    assert (number, "might not act for post" in reason, "UnauthorisedSigner" in reason) == (7, True, True)


def test_a_replayed_signature_of_another_batch_is_refused() -> None:
    world = World()
    agreement = world.agree()
    first, second = world.report(agreement), world.report(agreement)
    world.anchor()
    other = json.loads(world.event_evidence(first))["entry"]["batch"]
    forged = altered(
        world.event_evidence(second),
        lambda value: value["entry"]["batch"].update(signature=other["signature"]),
    )
    number, reason = failure(forged, world.trust_root_bytes())
    assert (number, "might not act" in reason) == (7, True)


def test_a_reordered_batch_is_refused(made: Made) -> None:
    """The events' order in the batch is what was signed; another order is another root."""
    events = [event_of(made.world.held(place).document) for place in range(3)]
    digests = [digest(event) for event in (events[1], events[0], events[2])]
    path = [node.hex() for node in inclusion_proof(HashList(digests), 0, 3)]
    forged = altered(made.evidence, lambda value: value["entry"]["batch"].update(path=path, place=0))
    assert root_of(digests) != root_of([digest(event) for event in events])
    number, reason = failure(forged, made.root)
    assert (number, "might not act" in reason) == (7, True)


def test_a_signature_that_outlasts_the_longest_deadline_is_refused() -> None:
    """An operator that holds a batch signed for ever binds it when the chain has come to say what it likes."""
    world = World()
    agreement = world.agree()
    longest = world.report(agreement, count=1, lasting=EVENT_DEADLINE_MAX_S)
    kept = world.report(agreement, count=1, lasting=EVENT_DEADLINE_MAX_S + 1)
    world.anchor()
    root = world.trust_root_bytes()
    assert failure(world.event_evidence(longest), root) == (-1, "")
    number, reason = failure(world.event_evidence(kept), root)
    assert (number, "deadline is more than 3600 s after the bound block" in reason) == (7, True)


def test_a_key_that_was_retired_before_the_bound_block_reports_nothing() -> None:
    world = World()
    agreement = world.agree()
    old = world.keys[GATEWAY]
    world.rotate_key(GATEWAY, Key("the new gateway key"))
    world.keys[GATEWAY] = old
    index = world.report(agreement)
    world.anchor()
    number, reason = failure(world.event_evidence(index), world.trust_root_bytes())
    assert (number, "UnauthorisedSigner" in reason) == (7, True)


def test_a_key_that_was_bound_only_afterwards_reports_nothing() -> None:
    world = World()
    agreement = world.agree()
    old, late = world.keys[GATEWAY], Key("late")
    world.keys[GATEWAY] = late
    index = world.report(agreement)
    world.anchor()
    world.keys[GATEWAY] = old
    world.rotate_key(GATEWAY, late)
    number, reason = failure(world.event_evidence(index), world.trust_root_bytes())
    assert (number, "UnauthorisedSigner" in reason) == (7, True)


def test_a_post_without_the_role_reports_nothing() -> None:
    world = World()
    index = world.report(world.agree(), post=OFFICE)
    world.anchor()
    number, reason = failure(world.event_evidence(index), world.trust_root_bytes())
    assert (number, "MissingRole" in reason) == (7, True)


def test_a_post_of_a_third_agency_reports_nothing_without_being_entrusted() -> None:
    world = World()
    third = "xroad:SAMPLE/GOV/10000077"
    world.admit(third)
    world.register(f"gateway@{third}", PostRole.REPORTER)
    index = world.report(world.agree(), post=f"gateway@{third}")
    world.anchor()
    number, reason = failure(world.event_evidence(index), world.trust_root_bytes())
    assert (number, "which has not entrusted it" in reason) == (7, True)


def test_another_agencys_post_under_ones_own_name_reports_nothing() -> None:
    """The registry derives a post's id from its agency; a chain that says otherwise is found out."""
    world = World()
    rogue, victim = "xroad:SAMPLE/GOV/10000066", f"second-gateway@{PROVIDER}"
    world.admit(rogue)
    fields: dict[str, Any] = {
        "agency": agency_id(rogue), "roles": int(PostRole.REPORTER), "profile": ZERO32,
    }  # fmt: skip
    code = keccak256_text("second-gateway")
    registered = records.RegisterPost(code=code, **fields, **world.signed_tail())
    world.act(registered, world.roots[rogue], [events.PostRegistered(post=post_id(victim), **fields)])
    key = world.keys[victim] = Key("rogue")
    bind = records.BindKey(agency_id(rogue), post_id(victim), key.address, 0, 0, **world.signed_tail())
    bound = events.KeyBound(post_id(victim), key.address, world.next_time, OPEN_END)
    world.act(bind, world.roots[rogue], [bound], possession=key)
    index = world.report(world.agree(), post=victim)
    world.anchor()
    number, reason = failure(world.event_evidence(index), world.trust_root_bytes())
    assert (number, reason.startswith("PostRegistered"), "not say what was signed" in reason) == (6, True, True)


def test_a_batch_signed_for_another_chain_is_refused(made: Made) -> None:
    from ledger.domain.typed_data import Domain

    event = event_of(made.world.held(made.index).document)
    domain = Domain(made.world.deployment.chain_id + 1, made.world.log_domain.verifying_contract)
    batch = SignedBatch(GATEWAY, event.agreement, (event,), 1, DEADLINE, b"", b"")
    record = batch_record(batch, [digest(event)])
    assert isinstance(record, EventBatch)
    signature = made.world.keys[GATEWAY].sign_digest(signing_digest(domain, record)).hex()
    new = {"count": 1, "deadline": DEADLINE, "nonce": "1", "path": [], "place": 0, "signature": signature}
    number, reason = failure(altered(made.evidence, entry(lambda e: e.update(batch=new))), made.root)
    assert (number, "UnauthorisedSigner" in reason) == (7, True)


def test_hiding_the_reporters_signature_while_all_is_shown_is_refused(made: Made) -> None:
    forged = altered(made.evidence, entry(lambda e: e.update(batch=None)))
    assert failure(forged, made.root) == (7, "all groups are disclosed, and the reporter's signature is not")


# The verdict.


def test_an_operator_that_misjudges_is_found_out() -> None:
    """The operator commits to a verdict of its own: everything holds but the recomputation."""
    world = World()
    agreement = world.agree()
    index = world.report(
        agreement,
        purpose="dpv:Marketing",
        verdict=lambda binding: dataclasses.replace(binding, mismatches=(), verdict=Verdict.WITHIN_SCOPE),
    )
    world.anchor()
    number, reason = failure(world.event_evidence(index), world.trust_root_bytes())
    assert number == 8
    assert reason.startswith("the binding says WITHIN_SCOPE, and the histories give PURPOSE_NOT_GRANTED")
    assert verify(world.event_evidence(index), world.trust_root_bytes()).assurance == "NONE"
