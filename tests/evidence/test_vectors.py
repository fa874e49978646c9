"""The vectors of docs/spec/vectors: each file gives what the index says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.domain import canonical
from ledger.evidence import verify
from ledger.evidence.file import KINDS
from scripts.evidence_vectors.build import FOLDER, evidence_vectors
from scripts.evidence_vectors.patches import apply
from tests.evidence.altering import statuses

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / FOLDER
CASES: list[dict[str, Any]] = json.loads((VECTORS / "index.json").read_bytes())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_a_vector_gives_what_the_index_says(case: dict[str, Any]) -> None:
    evidence, root = (VECTORS / case["file"]).read_bytes(), (VECTORS / case["trust_root"]).read_bytes()
    if "patch" in case:
        evidence = canonical.encode(apply(json.loads(evidence), case["patch"]))
    report = verify(evidence, root)
    assert statuses(evidence, root) == case["steps"]
    assert report.assurance == case["assurance"]
    assert (report.failed.number if report.failed else None) == case.get("fails_at")
    assert (report.failed.reason if report.failed else None) == case.get("reason")


def test_the_vectors_are_fresh_and_all_named() -> None:
    made = evidence_vectors()
    assert {path: text for path, text in made.items() if (ROOT / path).read_text() != text} == {}
    used = {case["file"] for case in CASES} | {case["trust_root"] for case in CASES} | {"index.json"}
    assert {path.name for path in VECTORS.iterdir()} == used


def test_every_step_fails_in_some_vector_and_every_kind_holds_in_one() -> None:
    assert {case["fails_at"] for case in CASES if "fails_at" in case} == set(range(9))
    kinds = {json.loads((VECTORS / case["file"]).read_bytes())["kind"] for case in CASES if case["assurance"] != "NONE"}
    assert kinds == set(KINDS)
