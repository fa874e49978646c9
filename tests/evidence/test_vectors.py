"""The vectors of docs/spec/vectors: each file gives what the index says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from ledger.domain.event_groups import GROUPS
from ledger.evidence import verify
from ledger.evidence.file import KINDS
from scripts.evidence_vectors.batch import BATCH_FOLDER, batch_vectors
from scripts.evidence_vectors.build import FOLDER, evidence_vectors
from scripts.evidence_vectors.cases import content_of
from tests.evidence.altering import statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
MADE: Final[dict[str, Callable[[], Mapping[str, str]]]] = {FOLDER: evidence_vectors, BATCH_FOLDER: batch_vectors}
CASES: Final[dict[str, list[dict[str, Any]]]] = {
    folder: json.loads((ROOT / folder / "index.json").read_bytes()) for folder in MADE
}
EVERY: Final = [pytest.param(folder, case, id=case["title"]) for folder, some in CASES.items() for case in some]


def read(folder: str, case: dict[str, Any]) -> tuple[bytes, bytes]:
    """Return the bytes of a case, and its trust root."""
    place = ROOT / folder
    return content_of(case, (place / case["file"]).read_bytes()), (place / case["trust_root"]).read_bytes()


@pytest.mark.parametrize(("folder", "case"), EVERY)
def test_a_vector_gives_what_the_index_says(folder: str, case: dict[str, Any]) -> None:
    evidence, root = read(folder, case)
    report = verify(evidence, root)
    assert statuses(evidence, root) == case["steps"]
    assert report.assurance == case["assurance"]
    assert (report.failed.number if report.failed else None) == case.get("fails_at")
    assert (report.failed.reason if report.failed else None) == case.get("reason")
    assert "unexpected" not in case.get("reason", "")


@pytest.mark.parametrize("folder", MADE)
def test_the_vectors_are_fresh_and_all_named(folder: str) -> None:
    made = MADE[folder]()
    assert {path: text for path, text in made.items() if (ROOT / path).read_text() != text} == {}
    used = {name for case in CASES[folder] for name in (case["file"], case["trust_root"])} | {"index.json"}
    assert {path.name for path in (ROOT / folder).iterdir()} == used
    titles = [case["title"] for case in CASES[folder]]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("folder", MADE)
def test_every_step_fails_in_some_vector(folder: str) -> None:
    assert {case["fails_at"] for case in CASES[folder] if "fails_at" in case} == set(range(9))


def test_every_kind_holds_in_some_vector() -> None:
    kinds = {
        json.loads(read(folder, case)[0])["kind"]
        for folder, some in CASES.items()
        for case in some
        if case["assurance"] != "NONE"
    }
    assert kinds == {*KINDS, "events", "stream"}


def test_every_group_is_withheld_and_alone_in_some_file_of_many_events_that_holds() -> None:
    shown = set()
    for case in CASES[BATCH_FOLDER]:
        if case["assurance"] != "NONE" and "patch" not in case:
            value = json.loads(read(BATCH_FOLDER, case)[0])
            groups = value["checkpoints"][0]["entries"][0]["groups"]
            shown.add((value["kind"], tuple(group[1] for group in groups if not isinstance(group, str))))
    for kind in ("events", "stream"):
        assert shown >= {(kind, GROUPS), *((kind, (name,)) for name in GROUPS)}
