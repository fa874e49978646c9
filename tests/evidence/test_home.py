"""Evidence out of a real home: real contracts on the embedded chain, the real log and vault, the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.errors import IntegrityError, InvalidInputError, NotFoundError, UnavailableError
from ledger.domain.events import CheckpointAnchored
from ledger.evidence import fingerprint, verify
from ledger.service.anchoring import note_of
from ledger.service.times import parse_end
from tests.api.world import DATASET, DRAFT, PROVIDER, REQUESTER, World, make_world
from tests.evidence.altering import failure, flipped, statuses

if TYPE_CHECKING:
    from collections.abc import Iterator

QUANZE = Path(sys.executable).with_name("quanze")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = make_world(tmp_path_factory.mktemp("evidence") / "home")
    try:
        made.append("reporter-p", {}, {"purpose": "dpv:Marketing"}, {})
        made.append("reporter-r", {"side": "CONSUMER", "correlation": "corr-alone"})
        made.append("reporter-r", {"side": "CONSUMER", "requester": "", "recipient": ""})
        made.do("anchor")
        yield made
    finally:
        made.services.close()


@pytest.fixture(scope="module")
def root(world: World) -> bytes:
    exported = world.do("trust-root.export")
    content: bytes = exported["content"].encode()
    assert exported["fingerprint"] == fingerprint(content)
    return content


def export(world: World, kind: str, identifier: str, **more: Any) -> bytes:
    content: str = world.do("evidence.export", kind=kind, id=identifier, **more)["content"]
    return content.encode()


def test_every_event_exports_and_verifies(world: World, root: bytes) -> None:
    verdicts = []
    for receipt in world.events:
        evidence = export(world, "event", receipt["id"])
        assert statuses(evidence, root) == "PPPPPPPPP"
        verdicts.append(verify(evidence, root).steps[8].reason)
    assert "PURPOSE_NOT_GRANTED" in verdicts[1]
    assert verify(evidence, root).assurance == "OPERATOR_ONLY"


def test_an_altered_byte_of_real_evidence_is_refused(world: World, root: bytes) -> None:
    evidence = export(world, "event", world.events[0]["id"])
    for place in range(0, len(evidence), 401):
        assert failure(flipped(evidence, place), root)[0] >= 0


def test_groups_may_be_withheld(world: World, root: bytes) -> None:
    identifier = world.events[0]["id"]
    assert statuses(export(world, "event", identifier, disclose=["exchange"]), root) == "PPPPPPNNN"
    assert statuses(export(world, "event", identifier, disclose=["binding", "exchange"]), root) == "PPPPPPPNP"
    with pytest.raises(InvalidInputError):
        export(world, "event", identifier, disclose=["everything"])


def test_objects_export_and_verify(world: World, root: bytes) -> None:
    assert statuses(export(world, "agreement", world.agreement), root) == "PPNNNPPNN"
    assert statuses(export(world, "responsibility", world.assignment), root) == "PNNNNPPNN"
    assert statuses(export(world, "case", world.open_case), root) == "PPNNNPPNN"


def test_the_receipt_of_a_signature_verifies(world: World, root: bytes) -> None:
    draft = {**DRAFT, "reference": "DSA-RECEIPT"}
    made = world.do("agreement.draft", text=json.dumps(draft), post=f"office-head@{PROVIDER}")
    signed = world.do("agreement.sign", agreement=made["agreement"], post=f"office-head@{PROVIDER}")
    receipt = signed["receipt_bytes"].encode()
    assert statuses(receipt, root) == "PPNNNPPNN"
    assert json.loads(receipt)["subject"] == {"agreement": made["agreement"]}


def test_a_sealed_cases_evidence_names_nobody(world: World, root: bytes) -> None:
    evidence = export(world, "case", world.sealed_case)
    assert statuses(evidence, root) == "PNNNNPPNN"
    assert REQUESTER.encode() not in evidence
    facts = export(world, "case", world.sealed_case, disclose=["facts"])
    assert statuses(facts, root) == "PPNNNPPNN"
    assert b"the sealed facts" in facts
    assert REQUESTER.encode() not in facts
    with pytest.raises(InvalidInputError, match="respondent"):
        export(world, "case", world.sealed_case, disclose=["respondent"])


@pytest.mark.parametrize(
    ("verb", "asked", "said"),
    [
        ("ask.right", {"agency": REQUESTER, "dataset": DATASET}, "held yes"),
        ("ask.right", {"agency": PROVIDER, "dataset": DATASET}, "held no"),
        ("ask.responsible", {"duty": "DELIVER"}, "lead "),
        ("ask.responsible", {"duty": "DISPOSE"}, "lead -"),
        ("ask.history", {}, "step NOTICE_ISSUED"),
    ],
)
def test_answers_export_and_are_recomputed(
    world: World, root: bytes, verb: str, asked: dict[str, str], said: str
) -> None:
    if verb == "ask.responsible":
        asked = {**asked, "object": world.agreement}
    if verb == "ask.history":
        asked = {"case": world.open_case}
    answer = world.do(verb, **asked)
    evidence = export(world, "answer", answer["id"])
    assert statuses(evidence, root) == "PNNNNPPNP"
    assert said in verify(evidence, root).steps[8].reason
    if verb == "ask.right":
        assert json.loads(evidence)["answer"]["held"] == ("yes" if answer["held"] else "no")


def test_an_answer_is_proved_up_to_now_and_no_later(world: World, root: bytes) -> None:
    asked = {"agency": REQUESTER, "dataset": DATASET}
    answer = world.do("ask.right", **asked)
    subject = json.loads(export(world, "answer", answer["id"]))["subject"]
    newest = world.services.state.final.timestamp
    assert parse_end(subject["known_at"], "known_at") == min(newest, parse_end(answer["known_at"], "known_at"))
    to_come = world.do("ask.right", **asked, known_at="9000-01-01T00:00:00Z")
    with pytest.raises(InvalidInputError, match="at most now"):
        export(world, "answer", to_come["id"])


def test_a_proof_asked_for_exports_as_the_events_evidence(world: World, root: bytes) -> None:
    answer = world.do("ask.prove", event=world.events[0]["id"])
    assert export(world, "answer", answer["id"]) == export(world, "event", world.events[0]["id"])
    assert statuses(export(world, "answer", answer["id"]), root) == "PPPPPPPPP"


def test_what_there_is_not_is_said(world: World) -> None:
    for kind, identifier in (
        ("event", "none"), ("agreement", "none"), ("responsibility", "none"), ("case", "none"), ("answer", "none"),
    ):  # fmt: skip
        with pytest.raises(NotFoundError):
            export(world, kind, identifier)
    with pytest.raises(InvalidInputError):
        export(world, "anything", "x")


def test_an_event_is_no_evidence_before_its_anchor(world: World, root: bytes) -> None:
    (receipt,) = world.append("reporter-p", {})
    with pytest.raises(UnavailableError, match="not anchored yet"):
        export(world, "event", receipt["id"])
    world.do("anchor")
    assert statuses(export(world, "event", receipt["id"]), root) == "PPPPPPPPP"


def test_a_rotated_key_and_a_suspension_stay_provable(world: World) -> None:
    before = export(world, "event", world.events[0]["id"])
    world.do("key.rotate", name="reporter-p-2", post="gateway@" + PROVIDER)
    world.do("agreement.suspend", agreement=world.agreement, post="office-head@" + PROVIDER, reason="decree809:R2")
    root = world.do("trust-root.export")["content"].encode()
    assert statuses(before, root) == "PPPPPPPPP"
    assert statuses(export(world, "event", world.events[0]["id"]), root) == "PPPPPPPPP"
    assert statuses(export(world, "agreement", world.agreement), root) == "PPNNNPPNN"


def test_an_anchored_note_is_found_by_its_hash(world: World) -> None:
    anchors = world.services.state.anchors()
    assert len(anchors) >= 2
    for anchored in anchors:
        assert sha256(note_of(world.services, anchored.event)).digest() == anchored.event.note_hash
    lost = CheckpointAnchored(size=1, root=b"\1" * 32, note_hash=b"\2" * 32)
    with pytest.raises(IntegrityError, match="lacks an anchored checkpoint"):
        note_of(world.services, lost)


def test_the_command_verifies_without_a_home(world: World, root: bytes, tmp_path: Path) -> None:
    file, trust_root = tmp_path / "evidence.json", tmp_path / "trust-root.json"
    file.write_bytes(export(world, "event", world.events[0]["id"]))
    trust_root.write_bytes(root)
    kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    command = [str(QUANZE), "verify", str(file), "--trust-root", str(trust_root)]
    good = subprocess.run(command, env=kept, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert good.returncode == 0, good.stderr
    assert good.stdout.rstrip().splitlines()[-1] == "assurance: OPERATOR_ONLY"
    assert [line[:2] for line in good.stdout.splitlines() if line[:1].isdigit()] == [f"{step}." for step in range(9)]
    file.write_bytes(flipped(file.read_bytes(), 5_000))
    bad = subprocess.run(command, env=kept, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert bad.returncode == 1
    assert "DOES NOT HOLD: step" in bad.stdout
    assert bad.stdout.rstrip().splitlines()[-1] == "assurance: NONE"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evidence.json", "trust-root.json"]
