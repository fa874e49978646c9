"""Evidence of agreements, responsibilities, cases and answers: what each kind shows, and what it proves absent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.codes import CaseStep, Duty, PostRole
from ledger.domain.identifiers import duty_key
from ledger.domain.keccak import keccak256_text
from ledger.evidence import verify
from ledger.service.evidence_files import shown_groups
from ledger.service.ports import VaultDocument
from scripts.evidence_vectors.names import AUTHORITY, DATASET, PROVIDER, REQUESTER, REVIEWER, WANTING
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
