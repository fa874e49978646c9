"""Attacks on what evidence says was recorded: events left out, doubled, reordered, or shown as of another time."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain import canonical
from ledger.domain.errors import VerificationError
from ledger.domain.heads import event_digest, fold_head
from ledger.domain.keccak import keccak256_text
from ledger.evidence import verify
from ledger.log.tree import root_of
from ledger.service.evidence_files import shown_groups
from ledger.service.ports import VaultDocument
from scripts.evidence_vectors.names import DATASET, REQUESTER
from scripts.evidence_vectors.world import World
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
    question = {"ask": "right", "agency": REQUESTER, "dataset": DATASET, "at": "2026-01-02T00:00:00Z"}
    evidence, root = world.answer_evidence(question), world.trust_root_bytes()

    def empty(value: Any) -> None:
        pair = [h for h in value["histories"] if h["key"] != AGREEMENT.hex() and h["contract"] == "AgreementLedger"]
        value["histories"] = [{**pair[0], "events": []}]
        value["blocks"] = value["blocks"][-1:]
        value["answer"].update(held="no", by="")

    number, reason = failure(altered(evidence, empty), root)
    assert (number, "is not complete: its 0 events" in reason) == (6, True)


def test_one_question_does_not_get_two_answers() -> None:
    """What was known by a time to come is asked before a suspension and after it."""
    world = World()
    agreement = world.agree()
    asked = {"ask": "right", "agency": REQUESTER, "dataset": DATASET, "at": "2026-01-02T00:00:00Z"}
    to_come = "2026-01-02T00:00:00Z"

    def turn(value: Any) -> None:
        value["subject"]["known_at"] = to_come
        value["answer"]["question"] = sha256(canonical.encode(value["subject"])).hexdigest()

    before = world.answer_evidence(asked)
    world.suspend(agreement)
    after = world.answer_evidence(asked)
    root = world.trust_root_bytes()
    assert [json.loads(file)["answer"]["held"] for file in (before, after)] == ["yes", "no"]
    assert [failure(file, root) for file in (before, after)] == [(-1, ""), (-1, "")]
    for file in (before, after):
        number, reason = failure(altered(file, turn), root)
        assert (number, reason.startswith("the question asks what was recorded by")) == (8, True)
    # Known when the suspension was not yet recorded, the right was held: both files that may say so, say so.
    early = json.loads(before)["subject"]["known_at"]
    assert json.loads(world.answer_evidence({**asked, "known_at": early}))["answer"]["held"] == "yes"
    with pytest.raises(VerificationError, match="the histories end at"):
        world.answer_evidence({**asked, "known_at": to_come})


def test_the_text_of_a_version_that_was_never_signed_is_named_as_its_proposals() -> None:
    """A holder shows the text of a cancelled proposal as if it were the agreement's."""
    world = World()
    text = world.commitment("draft", {"title": "never signed", "reference": "DSA-1", "zone": "Asia/Shanghai"})
    terms = world.propose(AGREEMENT, text=text.root)
    shown = shown_groups(VaultDocument(text.root, "any", "PUBLIC", text.by_name(), {}), ["title"])
    report = verify(world.agreement_evidence(AGREEMENT, [shown]), world.trust_root_bytes())
    assert report.holds
    block = world.state.history("AgreementLedger", terms.agreement)[0].block
    assert report.steps[1].reason == (
        f"terms.text of AgreementProposed of version 1 in block {block}: "
        "disclosed title, withheld 2 hashes of a group or more"
    )


def test_nothing_is_said_of_how_many_groups_a_withheld_hash_stands_for() -> None:
    """The node above two leaves passes for a leaf's hash, so that four groups look like three."""
    world = World()
    text = world.commitment("draft", {"a": "one", "b": "two", "c": "three", "d": "four"})
    world.propose(AGREEMENT, text=text.root)
    shown = shown_groups(VaultDocument(text.root, "any", "PUBLIC", text.by_name(), {}), ["a"])
    hashes = [bytes.fromhex(one) for one in shown[1:] if isinstance(one, str)]
    joined = [*shown[:2], root_of(hashes[1:]).hex()]
    reports = [
        verify(world.agreement_evidence(AGREEMENT, [groups]), world.trust_root_bytes()) for groups in (shown, joined)
    ]
    assert [report.holds for report in reports] == [True, True]
    assert [report.steps[1].reason.rpartition(", ")[2] for report in reports] == [
        "withheld 3 hashes of a group or more",
        "withheld 2 hashes of a group or more",
    ]


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
