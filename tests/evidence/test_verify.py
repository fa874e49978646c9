"""What holds, what each kind shows, and that no byte of a file can change without a step that says so."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain import canonical, events, records
from ledger.domain.codes import CaseStep, Duty, PostRole
from ledger.domain.errors import UnavailableError
from ledger.domain.identifiers import duty_key, post_id
from ledger.domain.keccak import keccak256_text
from ledger.domain.scalars import ZERO32
from ledger.evidence import Status, verify
from ledger.evidence.report import TITLES
from ledger.log.note import Ed25519Signer
from ledger.service.evidence_files import shown_groups
from ledger.service.ports import VaultDocument
from scripts.evidence_vectors.chain import Key
from scripts.evidence_vectors.names import (
    AUTHORITY,
    DATASET,
    GATEWAY,
    INSPECTOR,
    OFFICE,
    ORIGIN,
    PROVIDER,
    REQUESTER,
    REVIEWER,
    WANTING,
)
from scripts.evidence_vectors.world import World
from tests.evidence.altering import altered, failure, flipped, statuses

if TYPE_CHECKING:
    from ledger.domain.commitment import Commitment
    from tests.evidence.conftest import Made

AT = "2026-01-02T00:00:00Z"


def question(ask: str, **fields: str) -> dict[str, str]:
    return {"ask": ask, "at": AT, **fields}


def document(made: Commitment, *shown: str) -> list[Any]:
    return shown_groups(VaultDocument(made.root, "any", "PUBLIC", made.by_name(), {}), shown)


def test_an_anchored_events_evidence_holds_in_every_step(made: Made) -> None:
    report = verify(made.evidence, made.root)
    assert statuses(made.evidence, made.root) == "PPPPPPPPP"
    assert [step.number for step in report.steps] == list(range(9))
    assert [step.title for step in report.steps] == list(TITLES)
    assert report.assurance == "OPERATOR_ONLY"
    assert report.steps[8].reason == "WITHIN_SCOPE"


def test_the_same_ledger_gives_the_same_bytes(made: Made) -> None:
    again = World()
    index = again.report(again.agree())
    again.anchor()
    assert again.event_evidence(index) == made.evidence
    assert again.trust_root_bytes() == made.root


def test_no_byte_can_change_unseen(made: Made) -> None:
    structure = [match.start() for match in re.finditer(rb"[^0-9a-f]", made.evidence)]
    places = sorted({*structure, *range(0, len(made.evidence), 31), *range(200)})
    assert len(places) > 3_000
    holding, unexpected = [], []
    for place in places:
        number, reason = failure(flipped(made.evidence, place), made.root)
        if number < 0:
            holding.append(place)
        if "unexpected" in reason:
            unexpected.append((place, reason))
    assert (holding, unexpected) == ([], [])


def test_no_member_can_be_left_out_or_added(made: Made) -> None:
    value = json.loads(made.evidence)
    for name in value:
        less = {key: member for key, member in value.items() if key != name}
        assert failure(canonical.encode(less), made.root)[0] == 0, name
    for name in value["entry"]["leaf"]:
        assert failure(altered(made.evidence, lambda v, n=name: v["entry"]["leaf"].pop(n) and None), made.root)[0] == 0
    assert failure(canonical.encode({**value, "note": ""}), made.root)[0] == 0
    assert failure(made.evidence + b"\n", made.root)[0] == 0
    assert failure(json.dumps(value).encode(), made.root)[0] == 0


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (["binding"], "PPPPPPPNN"),
        (["detail"], "PPPPPPNNN"),
        (["exchange"], "PPPPPPNNN"),
        (["binding", "detail"], "PPPPPPPNN"),
        (["binding", "exchange"], "PPPPPPPNP"),
        (["detail", "exchange"], "PPPPPPNNN"),
    ],
)
def test_what_is_withheld_is_said_and_never_passed(made: Made, shown: list[str], wanted: str) -> None:
    evidence = made.world.event_evidence(made.index, shown)
    report = verify(evidence, made.root)
    assert statuses(evidence, made.root) == wanted
    assert report.holds
    absent = ", ".join(str(place) for place, letter in enumerate(wanted) if letter == "N")
    assert report.assurance == f"OPERATOR_ONLY (not shown: steps {absent})"
    withheld = {"binding": GATEWAY, "detail": "x-request-1", "exchange": DATASET}
    assert all((text.encode() in evidence) == (name in shown) for name, text in withheld.items() if name != "binding")
    assert (b'"binding"' in evidence) == ("binding" in shown)


def test_an_event_that_names_no_agreement_is_bound_to_none() -> None:
    world = World()
    index = world.report(ZERO32, count=1)
    world.anchor()
    evidence, root = world.event_evidence(index), world.trust_root_bytes()
    assert statuses(evidence, root) == "PPPPPPPPP"
    assert verify(evidence, root).steps[8].reason == "NO_AGREEMENT"


def test_an_agreement_that_nobody_recorded_is_proved_absent() -> None:
    world = World()
    index = world.report(keccak256_text("never proposed"), count=1)
    world.anchor()
    evidence, root = world.event_evidence(index), world.trust_root_bytes()
    assert verify(evidence, root).steps[8].reason == "NO_AGREEMENT"
    histories = json.loads(evidence)["histories"]
    assert [history["events"] for history in histories if history["contract"] == "AgreementLedger"] == [[]]


def test_what_was_recorded_after_the_bound_block_does_not_change_the_verdict() -> None:
    world = World()
    agreement = world.agree()
    index = world.report(agreement)
    world.anchor()
    world.suspend(agreement)
    later = world.report(agreement)
    world.anchor()
    root = world.trust_root_bytes()
    assert verify(world.event_evidence(index), root).steps[8].reason == "WITHIN_SCOPE"
    assert verify(world.event_evidence(later), root).steps[8].reason == "SUSPENDED"


def test_keys_and_roots_may_change_and_past_signatures_stay_good() -> None:
    world = World()
    agreement = world.agree()
    before = world.report(agreement)
    world.anchor()
    world.rotate_key(GATEWAY, Key("another gateway key"))
    world.rotate_root(PROVIDER, Key("another root"))
    world.rotate_key(OFFICE, Key("another office key"))
    world.suspend(agreement)
    after = world.report(agreement)
    world.anchor()
    root = world.trust_root_bytes()
    assert statuses(world.event_evidence(before), root) == "PPPPPPPPP"
    assert statuses(world.event_evidence(after), root) == "PPPPPPPPP"


def test_a_trust_root_may_be_older_than_a_signed_rotation_and_newer_than_the_evidence() -> None:
    world = World()
    agreement = world.agree()
    index = world.report(agreement)
    world.anchor()
    old_root, old_evidence = world.trust_root_bytes(), world.event_evidence(index)
    world.rotate_root(PROVIDER, Key("another root"))
    assert statuses(world.event_evidence(index), old_root) == "PPPPPPPPP"
    assert statuses(old_evidence, world.trust_root_bytes()) == "PPPPPPPPP"


def test_an_agreements_evidence_opens_its_text_and_proves_its_history() -> None:
    world = World()
    text = world.commitment("text", {"title": "Plates", "text.en": "…", "reference": "DSA-1"})
    agreement = world.agree(text=text.root)
    root = world.trust_root_bytes()
    evidence = world.agreement_evidence(agreement, [document(text, "title", "reference")])
    assert statuses(evidence, root) == "PPNNNPPNN"
    other = world.commitment("other", {"title": "Plates"})
    assert failure(world.agreement_evidence(agreement, [document(other, "title")]), root)[0] == 1
    assert statuses(world.agreement_evidence(agreement), root) == "PNNNNPPNN"
    assert failure(world.agreement_evidence(keccak256_text("none")), root) == (6, "there is no such agreement")


def test_a_responsibilitys_evidence_holds() -> None:
    world = World()
    agreement = world.agree()
    world.vacate(agreement, keccak256_text("assignment agreement"))
    subject = {"duty": "DELIVER", "object": agreement.hex()}
    evidence = world.object_evidence(
        "responsibility", subject, ("ResponsibilityLedger", duty_key(Duty.DELIVER, agreement))
    )
    assert statuses(evidence, world.trust_root_bytes()) == "PNNNNPPNN"


def test_a_cases_evidence_holds_sealed_and_opened() -> None:
    world = World()
    case, filing = world.file_case()
    sealed = world.case_evidence(case)
    assert statuses(sealed, world.trust_root_bytes()) == "PNNNNPPNN"
    assert REQUESTER.encode() not in sealed
    world.notice(case, filing, keccak256_text("notice"))
    world.register(REVIEWER, PostRole.REVIEWER)
    world.step(case, CaseStep.RECTIFYING, keccak256_text("order"))
    world.step(case, CaseStep.EVIDENCE_FILED, keccak256_text("done"), WANTING)
    world.step(case, CaseStep.VERIFIED, keccak256_text("verified"), REVIEWER)
    opened = world.case_evidence(case, [document(filing, "respondent")])
    assert statuses(opened, world.trust_root_bytes()) == "PPNNNPPNN"
    answer = world.answer_evidence(question("history", case=case.hex()))
    assert "VERIFIED" in verify(answer, world.trust_root_bytes()).steps[8].reason


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ask": "right", "agency": REQUESTER, "dataset": DATASET}, "held yes"),
        ({"ask": "right", "agency": AUTHORITY, "dataset": DATASET}, "held no"),
        ({"ask": "right", "agency": REQUESTER, "dataset": f"{PROVIDER}#OTHER"}, "held no"),
        ({"ask": "right", "agency": REQUESTER, "dataset": DATASET, "at": "2025-12-31T23:59:59Z"}, "held no"),
        ({"ask": "right", "agency": REQUESTER, "dataset": DATASET, "known_at": "2026-01-01T00:00:30Z"}, "held no"),
        ({"ask": "responsible", "duty": "DELIVER"}, "lead "),
        ({"ask": "responsible", "duty": "DISPOSE"}, "lead -"),
    ],
)
def test_an_answer_is_recomputed_and_a_negative_one_as_provable(made: Made, asked: dict[str, str], said: str) -> None:
    if asked["ask"] == "responsible":
        asked = {**asked, "object": made.agreement.hex()}
    evidence = made.world.answer_evidence(question(asked.pop("ask"), **asked))
    report = verify(evidence, made.root)
    assert statuses(evidence, made.root) == "PNNNNPPNP"
    assert said in report.steps[8].reason
    for place in range(0, len(evidence), 97):
        assert failure(flipped(evidence, place), made.root)[0] >= 0


def test_an_answers_question_and_answer_cannot_be_exchanged(made: Made) -> None:
    evidence = made.world.answer_evidence(question("right", agency=REQUESTER, dataset=DATASET))
    another = {"at": "2026-01-02T00:00:01Z"}
    assert failure(altered(evidence, lambda v: v["subject"].update(another)), made.root)[0] == 8
    assert failure(altered(evidence, lambda v: v["answer"].update(held="no")), made.root) == (
        8,
        "the answer's held is 'no', and the histories give 'yes'",
    )
    assert failure(altered(evidence, lambda v: v["subject"].update(agency=AUTHORITY)), made.root)[0] == 6


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


def test_a_post_that_was_entrusted_with_the_records_reports_for_another_agency() -> None:
    world = World()
    third = "xroad:SAMPLE/GOV/10000077"
    gateway = f"gateway@{third}"
    world.admit(third)
    world.register(gateway, PostRole.REPORTER)
    agreement = world.agree()
    world.assign(agreement, "records", duty=Duty.RECORD, assignee=gateway, role=4)
    index = world.report(agreement, post=gateway)
    world.anchor()
    report = verify(world.event_evidence(index), world.trust_root_bytes())
    assert report.holds
    assert report.steps[7].reason.endswith("entrusted with the records of the agreement")


def test_a_key_may_be_replaced_in_the_block_of_its_last_signature() -> None:
    """Order within a block counts: what was signed before the replacement was signed by the post's key."""
    world = World()
    terms = world.propose(keccak256_text("agreement"))
    world.sign(terms, OFFICE, mine=False)
    world.rotate_key(OFFICE, Key("the next office key"))
    assert statuses(world.agreement_evidence(terms.agreement), world.trust_root_bytes()) == "PNNNNPPNN"


def test_many_transactions_in_a_block_prove_the_ones_that_count() -> None:
    world = World()
    terms = world.propose(keccak256_text("agreement"))
    for number in range(150):
        world.chain.add("CheckpointAnchor", number.to_bytes(4, "big"), [])
    world.sign(terms, OFFICE, mine=False)
    for number in range(150):
        world.chain.add("CheckpointAnchor", number.to_bytes(4, "big"), [])
    world.sign(terms, WANTING, last=True)
    evidence = world.agreement_evidence(terms.agreement)
    assert statuses(evidence, world.trust_root_bytes()) == "PNNNNPPNN"
    assert json.loads(evidence)["histories"][-1]["events"][1][1] == 150


def test_a_chain_that_goes_on_meanwhile_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A suspension is mined between reading the histories and proving the state."""
    world = World()
    agreement = world.agree()
    prove, asked = world.chain.proofs, []

    def later(wanted: Any) -> Any:
        if not asked:
            asked.append(True)
            world.suspend(agreement)
        return prove(wanted)

    monkeypatch.setattr(world.chain, "proofs", later)
    evidence = world.agreement_evidence(agreement)
    assert statuses(evidence, world.trust_root_bytes()) == "PNNNNPPNN"
    history = next(h for h in json.loads(evidence)["histories"] if h["contract"] == "AgreementLedger")
    assert len(history["events"]) == 5


def test_a_chain_that_never_rests_is_said_to_be_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    agreement = world.agree()
    prove, made = world.chain.proofs, []

    def later(wanted: Any) -> Any:
        made.append(Key(f"key {len(made)}"))
        post = f"post-{len(made)}@{PROVIDER}"
        world.register(post, PostRole.PROVIDER_OFFICE_HEAD)
        reason = keccak256_text("reason")
        record = records.Suspend(post=post_id(post), agreement=agreement, reason=reason, **world.signed_tail())
        suspended = events.AgreementSuspended(agreement, post_id(post), reason, by_authority=False)
        world.act(record, world.keys[post], [suspended])
        return prove(wanted)

    monkeypatch.setattr(world.chain, "proofs", later)
    with pytest.raises(UnavailableError, match="faster than a proof"):
        world.agreement_evidence(agreement)
