"""A verifier written from the pages with other people's libraries agrees with ours on every vector."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.domain import canonical
from scripts.evidence_vectors.build import FOLDER
from scripts.evidence_vectors.patches import apply
from tests.evidence.altering import failure, flipped
from tests.evidence.conftest import Made
from tests.evidence.stranger import Stranger, holds
from tests.evidence.stranger_chain import EVENTS, FUNCTIONS, ROLES, RULES

VECTORS = Path(__file__).parents[2] / FOLDER
CASES: list[dict[str, Any]] = json.loads((VECTORS / "index.json").read_bytes())


def test_the_strangers_tables_are_whole() -> None:
    assert (len(EVENTS), len(FUNCTIONS), len(RULES), len(ROLES)) == (32, 24, 29, 30)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["title"])
def test_a_stranger_finds_what_we_find(case: dict[str, Any]) -> None:
    evidence, root = (VECTORS / case["file"]).read_bytes(), (VECTORS / case["trust_root"]).read_bytes()
    if "patch" in case:
        evidence = canonical.encode(apply(json.loads(evidence), case["patch"]))
    wanted = case.get("fails_at", 8) == 8
    if wanted:
        Stranger(evidence, root).run()
    assert holds(evidence, root) == wanted


def test_a_stranger_refuses_altered_bytes_as_we_do(made: Made) -> None:
    for place in range(11, len(made.evidence), 997):
        forged = flipped(made.evidence, place)
        step, _ = failure(forged, made.root)
        assert step >= 0
        assert step == 8 or not holds(forged, made.root)
