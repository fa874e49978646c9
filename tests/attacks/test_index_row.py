"""Somebody with the machine's password alters the index: fsck names the row, and a rebuild mends it."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from ledger import bootstrap
from tests.browser import sample_ledger

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.settings import Settings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    sample = sample_ledger.make(tmp_path_factory.mktemp("sample"))
    settings: Settings = sample.services.settings
    sample.services.close()
    return settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(made.home, tmp_path / "home", ignore=shutil.ignore_patterns("*.sock"))
    return made.model_copy(update={"home": tmp_path / "home"})


ATTACKS = {
    "a mismatch is made to look within scope": (
        "UPDATE facts SET verdict = (SELECT id FROM texts WHERE text = 'WITHIN_SCOPE') WHERE leaf_index = 18",
        "facts 18",
        "verdict is WITHIN_SCOPE, and its sources give MISMATCH",
    ),
    "a name that facts share is changed": (
        "UPDATE texts SET text = 'ods:OTHER' WHERE text = 'uscc:119900000000A00210'",
        "texts ",
        "text is ods:OTHER, and its sources give uscc:119900000000A00210",
    ),
    "a fact is removed": ("DELETE FROM facts WHERE leaf_index = 7", "facts 7", "the row is missing"),
    "a suspended agency is let loose": (
        "UPDATE agencies SET suspended = 1 WHERE agency = (SELECT min(agency) FROM agencies)",
        "agencies ",
        "suspended is True, and its sources give False",
    ),
    "a grant is widened": (
        "UPDATE grants SET valid_to = x'ffffffffffffffff' WHERE version = 1",
        "grants ",
        "valid_to is 18446744073709551615",
    ),
    "a window is written in another form": (
        "UPDATE grants SET valid_from = x'01'",
        "grants ",
        "valid_from is 01, and its sources give",
    ),
    "a flag is made text": ("UPDATE posts SET retired = 'no'", "posts ", "retired is no, and its sources give False"),
    "a key is made text": ("UPDATE sealed_cases SET case_id = 'case'", "sealed_cases ", ""),
    "a number is made text": ("UPDATE facts SET seq = 'seven' WHERE leaf_index = 7", "facts 7", "seq is seven"),
    "a name is taken from a fact": (
        "UPDATE facts SET reporter = 9999 WHERE leaf_index = 3",
        "facts 3",
        "reporter is no text 9999",
    ),
    "a total is changed": (
        "UPDATE tallies SET count = count + 1 WHERE name = 'events'",
        "tallies events",
        "count is ",
    ),
    "a responsible post is swapped": (
        "UPDATE responsibilities SET assignee = zeroblob(32) WHERE duty = 3 AND role = 1",
        "responsibilities ",
        "assignee is 0000",
    ),
    "a sealed case is put among the opened": (
        (
            "INSERT INTO cases SELECT case_id, step, steps, zeroblob(32), zeroblob(32), 1, block, log_index,"
            " block_hash, tx_hash, recorded_at, valid_from, valid_to FROM sealed_cases"
        ),
        "cases ",
        "no source gives this row",
    ),
    "an event's bytes are changed": (
        "UPDATE events SET data = zeroblob(length(data)) WHERE name = 'AgencyAdmitted'",
        "events ",
        "data is 0000",
    ),
    "an anchor is removed": ("DELETE FROM anchors", "anchors ", "the row is missing"),
    "an event is taken from a history": (
        "DELETE FROM event_heads WHERE block = (SELECT max(block) FROM event_heads)",
        "event_heads ",
        "the row is missing",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_altered_row_is_named_by_fsck_and_mended_by_rebuild(settings: Settings, attack: str) -> None:
    statement, entry, reason = ATTACKS[attack]
    with sqlite3.connect(settings.home / "index.db") as plain:
        assert plain.execute(statement).rowcount > 0
    plain.close()
    services = bootstrap.open_home(settings)
    try:
        report: dict[str, Any] = services.dispatch("fsck", {})
        (defect,) = report["defects"]
        assert defect["what"] == "index"
        assert defect["entry"].startswith(entry)
        assert defect["reason"].startswith(reason)
        services.dispatch("rebuild", {})
        assert services.dispatch("fsck", {})["defects"] == []
    finally:
        services.close()
