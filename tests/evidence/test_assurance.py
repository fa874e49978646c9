"""Whose word a verification rests on: keys of the log, witnesses, validators, contract accounts, demonstrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.keccak import keccak256_text
from ledger.evidence import Status, verify
from ledger.log.note import Ed25519Signer
from scripts.evidence_vectors.chain import Key
from scripts.evidence_vectors.names import INSPECTOR, OFFICE, ORIGIN, WANTING
from scripts.evidence_vectors.world import World
from tests.evidence.altering import altered, failure

if TYPE_CHECKING:
    from tests.evidence.conftest import Made


def test_a_former_key_of_the_log_counts_up_to_its_size(made: Made) -> None:
    size = made.world.held(made.index).anchored.event.size
    newer = Ed25519Signer(ORIGIN, bytes(32)).vkey

    def rotated(until: int) -> bytes:
        def change(value: Any) -> None:
            value["log"].update(former=[{"until": until, "vkey": value["log"]["vkey"]}], vkey=newer)

        return altered(made.root, change)

    assert verify(made.evidence, rotated(size)).holds
    reason = f"no signature of {ORIGIN} by a key that counts at size {size}"
    assert failure(made.evidence, rotated(size - 1)) == (3, reason)


def test_a_checkpoint_of_two_keys_holds_by_either(made: Made) -> None:
    world = World()
    newer = Ed25519Signer(ORIGIN, bytes(32))
    index = world.report(world.agree())
    world.witness_keys = [newer]  # type: ignore[list-item]  # A further line, as while one key follows another.
    world.anchor()
    world.witness_keys = []
    evidence, size = world.event_evidence(index), world.held(index).anchored.event.size

    def root(**log: Any) -> bytes:
        return altered(world.trust_root_bytes(), lambda value: value["log"].update(log))

    older = world.log_key.vkey
    assert verify(evidence, root(former=[{"until": size, "vkey": older}], vkey=newer.vkey)).holds
    assert failure(evidence, root())[1] == "the checkpoint bears a signature twice, or one of an unknown key"


def test_witnesses_count_from_their_size_on() -> None:
    world = World(witnesses=2)
    index = world.report(world.agree())
    cosigners, world.witness_keys = world.witness_keys, []
    world.anchor()
    evidence, size = world.event_evidence(index), world.held(index).anchored.event.size
    world.witness_keys = cosigners

    def since(first: int) -> bytes:
        return altered(world.trust_root_bytes(), lambda value: value["witnesses"][0].update(since=first))

    assert verify(evidence, since(size + 1)).assurance == "OPERATOR_ONLY"
    assert failure(evidence, since(size)) == (3, "0 witnesses signed, and 2 are needed")


def test_the_logs_own_cosignature_is_checked_and_may_be_absent(made: Made) -> None:
    def lines(change: Any) -> bytes:
        def cut(value: Any) -> None:
            text, _, signatures = value["entry"]["checkpoint"].partition("\n\n")
            value["entry"]["checkpoint"] = f"{text}\n\n{change(signatures)}"

        return altered(made.evidence, cut)

    def broken(signatures: str) -> str:
        first, second = signatures.splitlines(keepends=True)
        return first + second[:-10] + ("A" if second[-10] != "A" else "B") + second[-9:]

    assert failure(lines(broken), made.root) == (3, f"the signature of {ORIGIN} is wrong")
    without = lines(lambda signatures: signatures.splitlines(keepends=True)[0])
    assert failure(without, made.root) == (4, "the anchor is of another checkpoint")
    alone = lines(lambda signatures: signatures.splitlines(keepends=True)[1])
    assert failure(alone, made.root)[0] == 3


def test_validators_and_witnesses_raise_the_assurance() -> None:
    world = World(validators=4, witnesses=3)
    index = world.report(world.agree())
    world.anchor()
    evidence, root = world.event_evidence(index), world.trust_root_bytes()
    assert verify(evidence, root).assurance == "WITNESSED 3/3, VALIDATORS 4/4"

    def fewer(count: int) -> Any:
        return lambda value: [block.update(seals=block["seals"][:count]) for block in value["blocks"]] and None

    assert verify(altered(evidence, fewer(3)), root).assurance == "WITNESSED 3/3, VALIDATORS 3/4"
    number, reason = failure(altered(evidence, fewer(2)), root)
    assert (number, "3 are needed" in reason) == (5, True)
    twice = altered(
        evidence, lambda v: [b.update(seals=[b["seals"][0], *b["seals"][:3]]) for b in v["blocks"]] and None
    )
    assert failure(twice, root)[0] == 5


def test_a_contract_accounts_signature_is_vouched_for_by_the_chain_only() -> None:
    world = World()
    account = Key("contract account")
    world.chain.give_code(account.address)
    world.rotate_key(WANTING, account, possession=b"whatever the account takes")
    agreement = keccak256_text("signed by a contract")
    terms = world.propose(agreement)
    world.sign(terms, OFFICE)
    world.sign(terms, WANTING, last=True, signature=b"whatever the account takes")
    report = verify(world.agreement_evidence(agreement), world.trust_root_bytes())
    assert report.holds
    assert "2 of contract accounts vouched for by the chain only" in report.steps[6].reason
    assert report.assurance == "OPERATOR_ONLY (2 signatures by the chain's word only)"


def test_a_demonstration_is_named_to_the_end(made: Made) -> None:
    root = altered(made.root, lambda value: value.update(demonstration=True))
    number, reason = failure(made.evidence, root)
    assert number == 8
    assert "the binding says WITHIN_SCOPE" in reason
    agreement = made.world.agreement_evidence(made.agreement)
    assert verify(agreement, root).assurance == "OPERATOR_ONLY (demonstration)"
    assert verify(agreement, root).steps[6].status is Status.PASSED
    assert INSPECTOR.encode() not in agreement
