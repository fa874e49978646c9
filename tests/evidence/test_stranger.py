"""A verifier written from the pages with other people's libraries agrees with ours on every vector."""

from __future__ import annotations

from typing import Any

import pytest

from tests.evidence.altering import failure, flipped
from tests.evidence.conftest import Made
from tests.evidence.stranger_batch import holds, verifier
from tests.evidence.stranger_chain import EVENTS, FUNCTIONS, ROLES, RULES
from tests.evidence.test_vectors import EVERY, read


def test_the_strangers_tables_are_whole() -> None:
    assert (len(EVENTS), len(FUNCTIONS), len(RULES), len(ROLES)) == (32, 24, 29, 30)


@pytest.mark.parametrize(("folder", "case"), EVERY)
def test_a_stranger_finds_what_we_find(folder: str, case: dict[str, Any]) -> None:
    evidence, root = read(folder, case)
    wanted = case.get("fails_at", 8) == 8
    if wanted:
        verifier(evidence, root).run()
    assert holds(evidence, root) == wanted


def test_a_stranger_refuses_altered_bytes_as_we_do(made: Made) -> None:
    whole = made.world.events_evidence([0, 1, 2])
    some = made.world.events_evidence([0, 1, 2], None, ["exchange"])
    for evidence, stride in ((made.evidence, 997), (whole, 997), (some, 97)):
        for place in range(13, len(evidence), stride):
            forged = flipped(evidence, place)
            step, _ = failure(forged, made.root)
            assert step >= 0
            assert step == 8 or not holds(forged, made.root)
