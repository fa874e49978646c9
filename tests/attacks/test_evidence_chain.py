"""Attacks on what evidence says of the chain: histories, signatures, headers, and the trust root itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain import events, records
from ledger.domain.codes import CaseStep, PostRole
from ledger.domain.heads import event_digest, fold_head
from ledger.domain.identifiers import agency_id, post_id
from ledger.domain.keccak import keccak256_text
from ledger.domain.scalars import OPEN_END, ZERO32
from ledger.domain.typed_data import struct_hash
from scripts.evidence_vectors.chain import Key
from scripts.evidence_vectors.world import DATASET, INSPECTOR, OFFICE, PROVIDER, REQUESTER, WANTING, World
from tests.evidence.altering import altered, failure

if TYPE_CHECKING:
    from tests.evidence.conftest import Made

AGREEMENT = keccak256_text("agreement")


def suspended() -> tuple[World, bytes, bytes]:
    """Return a world, the evidence of an event after a suspension, and its trust root."""
    world = World()
    agreement = world.agree()
    world.suspend(agreement)
    index = world.report(agreement)
    world.anchor()
    return world, world.event_evidence(index), world.trust_root_bytes()


def history_of(value: Any, contract: str, key: bytes) -> Any:
    return next(h for h in value["histories"] if (h["contract"], h["key"]) == (contract, key.hex()))


# An omitted suspension: the attack that receipts alone do not catch.


def test_a_suspension_that_is_left_out_breaks_the_head() -> None:
    _, evidence, root = suspended()

    def omit(value: Any) -> None:
        place = history_of(value, "AgreementLedger", AGREEMENT)["events"].pop()
        bound = value["entry"]["leaf"]["block"]
        kept = [h for h in value["histories"] for e in h["events"] if e[0] == place[0]]
        for block in value["blocks"] if place[0] == bound and not kept else []:
            if block["transactions"] and number_of(block) == place[0]:
                block.update(transactions=[], receipts=[])  # The bound block stays for its header.

    number, reason = failure(altered(evidence, omit), root)
    assert number == 6
    assert reason.startswith(f"the history {AGREEMENT.hex()} of AgreementLedger is not complete")


def number_of(block: Any) -> int:
    from ledger.domain.block import decode_header

    return decode_header(bytes.fromhex(block["header"])).number


def test_a_whole_history_that_is_left_out_is_missed(made: Made) -> None:
    def omit(value: Any) -> None:
        value["histories"] = [h for h in value["histories"] if h["contract"] != "AgreementLedger"]

    assert failure(altered(made.evidence, omit), made.root)[0] == 5  # Its blocks are needless now.
    keep = {h["contract"]: h for h in json.loads(made.evidence)["histories"]}
    assert {"AgencyRegistry", "AgreementLedger", "ResponsibilityLedger"} <= set(keep)


def test_an_empty_history_in_place_of_a_full_one_breaks_the_head() -> None:
    world = World()
    world.agree()
    question = {
        "ask": "right", "agency": REQUESTER, "dataset": DATASET, "at": "2026-01-02T00:00:00Z",
        "known_at": "2026-01-02T00:00:00Z",
    }  # fmt: skip
    evidence, root = world.answer_evidence(question), world.trust_root_bytes()

    def empty(value: Any) -> None:
        pair = [h for h in value["histories"] if h["key"] != AGREEMENT.hex() and h["contract"] == "AgreementLedger"]
        value["histories"] = [{**pair[0], "events": []}]
        value["blocks"] = value["blocks"][-1:]
        value["answer"].update(held="no", by="")

    number, reason = failure(altered(evidence, empty), root)
    assert (number, "is not complete: its 0 events" in reason) == (6, True)


def test_reordered_and_doubled_events_break_the_head(made: Made) -> None:
    def reorder(value: Any) -> None:
        history_of(value, "AgreementLedger", made.agreement)["events"].reverse()

    def double(value: Any) -> None:
        found = history_of(value, "AgreementLedger", made.agreement)["events"]
        found.append(found[-1])

    for change in (reorder, double):
        number, reason = failure(altered(made.evidence, change), made.root)
        assert (number, "is not complete" in reason) == (6, True)


def test_a_head_that_was_folded_out_of_order_is_refused() -> None:
    """A chain made by the operator folds a retirement before the binding that it ends, so that the key lives on."""
    world = World()
    agreement = world.agree()
    history = world.state.history("AgreementLedger", agreement)
    steps = [
        (one.block, one.timestamp, event_digest(*one.event.to_log())) for one in (history[1], history[0], *history[2:])
    ]
    world.chain.set_head("AgreementLedger", agreement, fold_head(steps))
    world.mine()

    def reorder(value: Any) -> None:
        listed = history_of(value, "AgreementLedger", agreement)["events"]
        listed[0], listed[1] = listed[1], listed[0]

    number, reason = failure(altered(world.agreement_evidence(agreement), reorder), world.trust_root_bytes())
    assert (number, reason.endswith("is not in the chain's order")) == (6, True)


def test_an_old_state_does_not_prove_a_history_up_to_now() -> None:
    """The holder shows the state before the suspension, which was sealed and true then."""
    world = World()
    agreement = world.agree()
    before = json.loads(world.agreement_evidence(agreement))
    world.suspend(agreement)
    index = world.report(agreement)
    world.anchor()

    def go_back(value: Any) -> None:
        value["state"] = before["state"]

    number, reason = failure(altered(world.event_evidence(index), go_back), world.trust_root_bytes())
    assert (number, "is before some of what its state should prove" in reason) == (6, True)


# Signatures.


def test_a_signature_by_another_key_is_found_out() -> None:
    """The operator's chain says that a party signed; the raw transaction bears a stranger's signature."""
    world = World()
    terms = world.propose(AGREEMENT)
    world.sign(terms, OFFICE)
    thief = Key("thief")
    record = records.Sign(
        post=post_id(WANTING), agreement=AGREEMENT, version=1, terms_hash=struct_hash(terms), **world.signed_tail()
    )
    signer = world.keys[WANTING].address
    signed = events.AgreementSigned(AGREEMENT, 1, post_id(WANTING), agency_id(REQUESTER), signer)
    world.act(record, thief, [signed, events.AgreementActivated(AGREEMENT, 1)], signer=signer)
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "the signature is not that of the signer" in reason) == (6, True)


def test_a_strangers_own_signature_speaks_for_no_post() -> None:
    world = World()
    terms = world.propose(AGREEMENT)
    world.sign(terms, OFFICE)
    real, world.keys[WANTING] = world.keys[WANTING], Key("thief")
    world.sign(terms, WANTING, last=True)
    world.keys[WANTING] = real
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "might not act for post" in reason, "UnauthorisedSigner" in reason) == (6, True, True)


def test_a_key_is_not_passed_off_as_a_contract_account() -> None:
    """A forged state gives code to the address of a key that was shown to be one, so that no signature is needed."""
    world = World()
    terms = world.propose(AGREEMENT)
    world.sign(terms, OFFICE)
    world.chain.give_code(world.keys[WANTING].address)
    world.sign(terms, WANTING, last=True, signature=b"made up")
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "is taken for a contract account elsewhere" in reason) == (6, True)


def test_a_signature_for_another_chain_is_found_out() -> None:
    world = World()
    terms = world.propose(AGREEMENT)
    world.sign(terms, OFFICE)
    world.sign(terms, WANTING, last=True, chain_id=world.deployment.chain_id + 1)
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "the signature is not that of the signer" in reason) == (6, True)


def test_a_replayed_signature_of_other_terms_is_found_out() -> None:
    """A post's signature of one version is put under another: the signed terms' hash tells."""
    world = World()
    other = world.propose(keccak256_text("other"))
    terms = world.propose(AGREEMENT)
    world.sign(terms, OFFICE)
    record = records.Sign(
        post=post_id(WANTING), agreement=AGREEMENT, version=1, terms_hash=struct_hash(other), **world.signed_tail()
    )
    key = world.keys[WANTING]
    signed = events.AgreementSigned(AGREEMENT, 1, post_id(WANTING), agency_id(REQUESTER), key.address)
    world.act(record, key, [signed, events.AgreementActivated(AGREEMENT, 1)])
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "it does not say what was signed" in reason) == (6, True)


def test_a_signature_after_its_deadline_is_found_out() -> None:
    world = World()
    terms = world.propose(AGREEMENT)
    record = records.Sign(
        post=post_id(OFFICE), agreement=AGREEMENT, version=1, terms_hash=struct_hash(terms), nonce=1,
        deadline=world.next_time - 1,
    )  # fmt: skip
    key = world.keys[OFFICE]
    world.act(record, key, [events.AgreementSigned(AGREEMENT, 1, post_id(OFFICE), agency_id(PROVIDER), key.address)])
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "its signature's deadline had passed" in reason) == (6, True)


def test_a_signature_for_another_partys_name_is_found_out() -> None:
    world = World()
    terms = world.propose(AGREEMENT)
    record = records.Sign(
        post=post_id(OFFICE), agreement=AGREEMENT, version=1, terms_hash=struct_hash(terms), **world.signed_tail()
    )
    key = world.keys[OFFICE]
    world.act(record, key, [events.AgreementSigned(AGREEMENT, 1, post_id(OFFICE), agency_id(REQUESTER), key.address)])
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "it does not say what was signed" in reason) == (6, True)


def test_an_act_that_its_record_does_not_state_is_found_out() -> None:
    """The relayer sends a suspension's signature, and the operator's chain shows a termination."""
    world = World()
    agreement = world.agree()
    reason = keccak256_text("reason")
    record = records.Suspend(post=post_id(OFFICE), agreement=agreement, reason=reason, **world.signed_tail())
    world.act(record, world.keys[OFFICE], [events.AgreementTerminated(agreement, post_id(OFFICE), reason)])
    number, said = failure(world.agreement_evidence(agreement), world.trust_root_bytes())
    assert (number, "a Suspend does not bring it about" in said) == (6, True)


def test_an_act_without_a_signed_call_is_found_out() -> None:
    world = World()
    agreement = world.agree()
    terminated = events.AgreementTerminated(agreement, post_id(OFFICE), keccak256_text("reason"))
    world.chain.add("AgreementLedger", b"\x12\x34\x56\x78" + bytes(64), [terminated])
    world.mine()
    number, reason = failure(world.agreement_evidence(agreement), world.trust_root_bytes())
    assert (number, "takes no signature" in reason) == (6, True)


def test_a_post_without_the_role_or_of_a_suspended_agency_may_not_act() -> None:
    world = World()
    world.register(f"gateway2@{REQUESTER}", PostRole.REPORTER)
    terms = world.propose(AGREEMENT)
    world.sign(terms, OFFICE)
    world.sign(terms, f"gateway2@{REQUESTER}", last=True)
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "MissingRole" in reason) == (6, True)
    world = World()
    terms = world.propose(AGREEMENT)
    world.by_registrar(events.AgencySuspended(agency_id(PROVIDER), keccak256_text("why")))
    world.sign(terms, OFFICE)
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "AgencySuspended" in reason) == (6, True)


def test_a_notice_that_opens_another_respondent_is_found_out() -> None:
    world = World()
    case, filing = world.file_case()
    (opening,) = filing.disclose(["respondent"])
    fields: dict[str, Any] = {
        "post": post_id(INSPECTOR), "case_id": case, "step": CaseStep.NOTICE_ISSUED.value,
        "commitment": keccak256_text("notice"), "aux": ZERO32,
    }  # fmt: skip
    opened = events.CaseOpened(case_id=case, respondent=agency_id(PROVIDER), filing=filing.root)
    record = records.Advance(**fields, **world.signed_tail())
    emitted = [events.CaseAdvanced(**fields), opened]
    world.act(record, world.keys[INSPECTOR], emitted, opening=(filing.root, opening))
    number, reason = failure(world.case_evidence(case), world.trust_root_bytes())
    assert (number, reason.startswith("CaseOpened"), "it does not say what was signed" in reason) == (6, True, True)


# Who speaks for an agency.


def test_the_registrar_cannot_bind_a_key_for_an_agency() -> None:
    """A key bound under a root key that the agency never had."""
    world = World()
    real, world.roots[REQUESTER] = world.roots[REQUESTER], Key("the registrar's idea of a root")
    world.bind_key(WANTING, Key("planted"))
    world.roots[REQUESTER] = real
    terms = world.propose(AGREEMENT)
    world.sign(terms, OFFICE)
    world.sign(terms, WANTING, last=True)
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, f"was not the root key of agency {agency_id(REQUESTER).hex()}" in reason) == (6, True)


def test_a_root_key_that_the_registrar_replaced_needs_a_newer_trust_root() -> None:
    world = World()
    agreement = world.agree()
    old_root = world.trust_root_bytes()
    planted = Key("planted root")
    root = world.roots[PROVIDER].address
    world.by_registrar(events.RootKeyChanged(agency_id(PROVIDER), root, planted.address))
    world.roots[PROVIDER] = planted
    evidence = world.agreement_evidence(agreement)
    number, reason = failure(evidence, old_root)
    assert (number, "was replaced by the registrar after the trust root was made" in reason) == (6, True)
    assert failure(evidence, world.trust_root_bytes()) == (-1, "")


def test_a_backdated_key_is_found_out() -> None:
    world = World()
    key = Key("backdated")
    record = records.BindKey(
        agency=agency_id(PROVIDER), post=post_id(OFFICE), key=key.address, valid_from=0, valid_to=0,
        **world.signed_tail(),
    )  # fmt: skip
    bound = events.KeyBound(post_id(OFFICE), key.address, world.next_time - 100, OPEN_END)
    world.act(record, world.roots[PROVIDER], [bound], possession=key)
    world.propose(AGREEMENT)
    number, reason = failure(world.agreement_evidence(AGREEMENT), world.trust_root_bytes())
    assert (number, "its valid_from is not what was signed" in reason) == (6, True)


# Headers and the trust root.


def test_a_forked_chain_is_sealed_by_nobody_that_is_trusted(made: Made) -> None:
    """Another sealer makes a chain that says the same of everything but itself."""
    fork = World()
    fork.chain.sealers = [Key("another sealer")]
    index = fork.report(fork.agree())
    fork.anchor()
    number, reason = failure(fork.event_evidence(index), made.root)
    assert (number, "is sealed by somebody who is no validator" in reason) == (5, True)


def test_a_header_with_another_parent_is_refused(made: Made) -> None:
    from ledger.domain import rlp

    def fork(value: Any) -> None:
        fields: Any = rlp.decode(bytes.fromhex(value["blocks"][3]["header"]))
        fields[0] = b"\x99" * 32
        value["blocks"][3]["header"] = rlp.encode(fields).hex()

    number, reason = failure(altered(made.evidence, fork), made.root)
    assert (number, "another parent" in reason) == (5, True)


def test_a_header_without_its_seal_is_refused(made: Made) -> None:
    forged = altered(made.evidence, lambda value: value["blocks"][2].update(seals=[]))
    number, reason = failure(forged, made.root)
    assert (number, reason.endswith("has 0 seals, and 1 are needed")) == (5, True)


def test_a_seal_of_another_block_is_refused(made: Made) -> None:
    def swap(value: Any) -> None:
        value["blocks"][2]["seals"] = value["blocks"][3]["seals"]

    number, reason = failure(altered(made.evidence, swap), made.root)
    assert (number, "is sealed by somebody who is no validator" in reason) == (5, True)


@pytest.mark.parametrize("what", ["chain_id", "genesis_hash"])
def test_evidence_of_another_deployment_is_refused(made: Made, what: str) -> None:
    """Every seal names the chain id and the genesis: nothing of one deployment counts in another."""
    value = json.loads(made.root)
    other = value[what] + 1 if what == "chain_id" else "00" * 32
    number, reason = failure(made.evidence, altered(made.root, lambda root: root.update({what: other})))
    assert (number, "is sealed by somebody who is no validator" in reason) == (5, True)


def test_a_foreign_trust_root_is_refused(made: Made) -> None:
    foreign = World(chain_id=2**40 + 5)
    number, _ = failure(made.evidence, foreign.trust_root_bytes())
    assert number == 5


def test_other_code_behind_a_contracts_address_is_refused(made: Made) -> None:
    def replace(value: Any) -> None:
        value["contracts"]["AgreementLedger"]["code_hash"] = "ab" * 32

    assert failure(made.evidence, altered(made.root, replace)) == (
        6,
        "AgreementLedger has other code than the trust root says",
    )


def test_an_agency_that_the_trust_root_does_not_know_is_refused(made: Made) -> None:
    def forget(value: Any) -> None:
        del value["agencies"][agency_id(PROVIDER).hex()]

    number, reason = failure(made.evidence, altered(made.root, forget))
    assert (number, reason) == (6, f"the trust root knows no root key of agency {agency_id(PROVIDER).hex()}")


def test_a_needless_history_or_block_is_refused(made: Made) -> None:
    other = json.loads(made.world.agreement_evidence(made.agreement))

    def add_block(value: Any) -> None:
        value["blocks"] = [{**value["blocks"][0], "transactions": [], "receipts": []}, *value["blocks"]]

    assert failure(altered(made.evidence, add_block), made.root)[0] == 5

    def drop_entry(value: Any) -> None:
        value["histories"] = other["histories"]

    assert failure(altered(made.evidence, drop_entry), made.root)[0] == 5
