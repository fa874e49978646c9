"""Somebody alters the files of a home: ``quanze fsck`` names store and entry, also where the home no longer opens."""

from __future__ import annotations

import shutil
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import sample_ledger
from tests.cli.command import Command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.settings import Settings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    sample = sample_ledger.make(tmp_path_factory.mktemp("sample"))
    sample.services.dispatch("anchor", {})  # A second checkpoint, so that the first one's partial files are old.
    settings: Settings = sample.services.settings
    sample.services.close()
    return settings


@pytest.fixture
def quanze(made: Settings, tmp_path: Path) -> Command:
    """The command over a copy of the sample's home."""
    shutil.copytree(made.home, tmp_path / "home", ignore=shutil.ignore_patterns("*.sock"))
    return Command(
        tmp_path / "home",
        {
            "QUANZE_PASSPHRASE_FILE": str(made.passphrase_file),
            "QUANZE_KEYSTORE_SCRYPT_N": str(made.keystore_scrypt_n),
            "QUANZE_BLOCK_TIME_LEAD_MAX_S": str(made.block_time_lead_max_s),
        },
    )


def flip(path: Path, position: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as plain:
        assert plain.execute(statement).rowcount > 0
    plain.close()


def partials(home: Path, kind: str) -> list[Path]:
    """The partial files of the log's first tile or bundle, the widest last."""
    return sorted((home / "log" / "tile" / kind / "000.p").iterdir(), key=lambda path: int(path.name))


def flip_journal(home: Path) -> None:
    (segment,) = (home / "log" / "wal").glob("*.wal")
    flip(segment, 300)


STOPS: dict[str, tuple[Callable[[Path], None], str, str, str]] = {
    "the newest bundle": (
        lambda home: flip(partials(home, "entries")[-1]),
        "log",
        "tile/entries/000.p/",
        "the file differs from what the journal's entries give",
    ),
    "the newest tile": (
        lambda home: flip(partials(home, "0")[-1]),
        "log",
        "tile/0/000.p/",
        "the file differs from what the journal's entries give",
    ),
    "the checkpoint": (lambda home: flip(home / "log" / "checkpoint", 30), "log", "checkpoint", ""),
    "the log's journal": (flip_journal, "log", "0: ", "the group that begins with entry 0 is damaged"),
    "a body in the vault": (
        lambda home: change(home / "vault.db", "UPDATE documents SET body = zeroblob(length(body))"),
        "vault",
        "",
        "do not match their digest",
    ),
    "missing documents of events": (
        lambda home: (home / "events" / f"{0:020d}.evt").unlink(),
        "events",
        f"{0:020d}.evt",
        "its files end before the log does",
    ),
    "a block of the chain": (
        lambda home: change(
            home / "chain" / "journal.db",
            "UPDATE blocks SET hash = randomblob(32) WHERE number = (SELECT max(number) FROM blocks)",
        ),
        "chain",
        "block ",
        "",
    ),
}


@pytest.mark.parametrize("damage", STOPS)
def test_what_keeps_a_home_from_opening_is_reported_as_a_defect(quanze: Command, damage: str) -> None:
    alter, store, entry, reason = STOPS[damage]
    alter(quanze.home)
    said = quanze("fsck")
    assert said.code == 1
    first, second = said.out.strip().splitlines()
    assert first.startswith(f"DIFFERS {store} {entry}")
    assert reason in first
    assert "the other stores" in second
    assert said.err == ""
    report = quanze("fsck", "--json")
    assert (report.code, report.err) == (1, "")
    (defect,) = report.json["defects"]
    assert defect["what"] == store
    assert defect["entry"].startswith(entry.removesuffix(": "))
    assert defect["entry"]
    assert report.json["checks"] == []


def reported(quanze: Command) -> dict[str, Any]:
    said = quanze("fsck", "--json")
    assert (said.code, said.err) == (1, "")
    (defect,) = said.json["defects"]
    found: dict[str, Any] = defect
    return found


def test_a_home_that_lost_every_document_but_its_events_opens_and_each_is_named(quanze: Command) -> None:
    change(quanze.home / "vault.db", "DELETE FROM documents")
    report = quanze("fsck", "--json")
    assert (report.code, report.err) == (1, "")
    differ = {check["what"]: check["defects"] for check in report.json["checks"] if check["defects"]}
    openings = next(check["checked"] for check in report.json["checks"] if check["what"] == "openings")
    assert differ == {"anchors": 2, "openings": openings}
    assert openings > 30
    assert sum(differ.values()) == len(report.json["defects"])
    assert all("lacks" in defect["reason"] for defect in report.json["defects"])


@pytest.mark.parametrize("kind", ["entries", "0"])
def test_altered_tile_of_an_earlier_checkpoint_is_reported(quanze: Command, kind: str) -> None:
    earlier, _newest = partials(quanze.home, kind)
    flip(earlier)
    defect = reported(quanze)
    assert defect["what"] == "log"
    assert f"tile/{kind}/000.p/{earlier.name}" in defect["reason"]


def test_altered_snapshot_is_reported_and_the_chain_still_serves(quanze: Command) -> None:
    snapshot = max((quanze.home / "chain" / "snapshots").iterdir())
    flip(snapshot)
    defect = reported(quanze)
    assert (defect["what"], defect["entry"]) == ("chain", f"snapshots/{snapshot.name}")
    assert "not the one that was written" in defect["reason"]
