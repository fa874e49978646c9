"""Attacks on what evidence says was signed: chains that tell of acts which nobody with the right to them signed."""

from __future__ import annotations

from typing import Any

from ledger.domain import events, records
from ledger.domain.codes import CaseStep, PostRole
from ledger.domain.identifiers import agency_id, post_id
from ledger.domain.keccak import keccak256_text
from ledger.domain.scalars import OPEN_END, ZERO32
from ledger.domain.typed_data import struct_hash
from scripts.evidence_vectors.chain import Key
from scripts.evidence_vectors.names import INSPECTOR, OFFICE, PROVIDER, REQUESTER, WANTING
from scripts.evidence_vectors.world import World
from tests.evidence.altering import failure

AGREEMENT = keccak256_text("agreement")


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


def test_a_rotation_of_another_agency_does_not_sign_for_the_registrars_replacement() -> None:
    """An agency in league with the registrar rotates its own root to a key that the registrar then gives another."""
    world = World()
    old_root = world.trust_root_bytes()
    planted = Key("planted root")
    world.rotate_root(PROVIDER, planted)
    changed = events.RootKeyChanged(agency_id(REQUESTER), world.roots[REQUESTER].address, planted.address)
    world.by_registrar(changed)
    world.roots[REQUESTER] = planted
    world.bind_key(WANTING, Key("planted"))
    number, reason = failure(world.agreement_evidence(world.agree()), old_root)
    assert (number, f"a root key of agency {agency_id(REQUESTER).hex()} was replaced by the registrar" in reason) == (
        6,
        True,
    )


def test_a_rotation_back_to_a_key_does_not_sign_for_the_registrars_return_to_it() -> None:
    """The registrar puts a root key in place again that its agency once chose, and has left since."""
    world = World()
    old_root = world.trust_root_bytes()
    leaked = Key("a root key that leaked")
    world.rotate_root(REQUESTER, leaked)
    world.rotate_root(REQUESTER, Key("its successor"))
    agreement = world.agree()
    assert failure(world.agreement_evidence(agreement), old_root) == (-1, "")
    world.by_registrar(events.RootKeyChanged(agency_id(REQUESTER), world.roots[REQUESTER].address, leaked.address))
    world.roots[REQUESTER] = leaked
    number, reason = failure(world.agreement_evidence(agreement), old_root)
    assert (number, "was replaced by the registrar after the trust root was made" in reason) == (6, True)


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
