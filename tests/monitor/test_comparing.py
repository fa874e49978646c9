"""Two people who were shown two logs find out as soon as their monitors' notes meet."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ledger.monitor.evidence import check, parse_alarm
from tests.cli.command import Command
from tests.monitor.operators import SIGNER, WATCHED, entries, kinds, look, publish

if TYPE_CHECKING:
    from pathlib import Path


def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "no home")


def test_two_views_of_one_size_are_a_proven_fork(tmp_path: Path) -> None:
    for name, first in (("a", b"one"), ("b", b"two")):
        publish(tmp_path / name, [first, *entries(299)])
        assert kinds(look(tmp_path / name, tmp_path / f"memory-{name}", source=str(tmp_path / name))) == []
    said = command(tmp_path)(
        "monitor", "compare", str(tmp_path / "memory-a"), str(tmp_path / "memory-b"), "-o", str(tmp_path / "fork.json"),
        "--json",
    )  # fmt: skip
    assert said.code == 1
    assert said.json["fork"] is True
    assert check(parse_alarm((tmp_path / "fork.json").read_bytes()), WATCHED.log).proven
    told = command(tmp_path)("monitor", "check-alarm", str(tmp_path / "fork.json"), "--vkey", SIGNER.vkey, "--json")
    assert (told.code, told.json["proven"], told.json["key_is_yours"]) == (0, True, True)


def test_two_views_of_two_sizes_are_proven_by_the_logs_own_tiles(tmp_path: Path) -> None:
    for name, count, first in (("a", 100, b"one"), ("b", 400, b"two")):
        publish(tmp_path / name, [first, *entries(count)])
        look(tmp_path / name, tmp_path / f"memory-{name}", source=str(tmp_path / name))
    output = tmp_path / "fork.json"
    folders = (str(tmp_path / "memory-a"), str(tmp_path / "memory-b"))
    said = command(tmp_path)("monitor", "compare", *folders, "-o", str(output), "--json")
    assert said.code == 1
    assert check(parse_alarm(output.read_bytes()), WATCHED.log).proven


def test_two_views_of_one_honest_log_agree(tmp_path: Path) -> None:
    log = tmp_path / "log"
    publish(log, entries(100))
    look(log, tmp_path / "memory-a", source=str(log))
    publish(log, entries(200, 100))
    look(log, tmp_path / "memory-b", source=str(log))
    said = command(tmp_path)("monitor", "compare", str(tmp_path / "memory-a"), str(tmp_path / "memory-b"), "--json")
    assert (said.code, said.json["fork"], said.json["joined_sizes"]) == (0, False, [100, 300])


def test_views_that_nothing_joins_are_told_as_not_compared(tmp_path: Path) -> None:
    for name, count in (("a", 100), ("b", 400)):
        publish(tmp_path / name, entries(count))
        look(tmp_path / name, tmp_path / f"memory-{name}", source="gone")
    said = command(tmp_path)("monitor", "compare", str(tmp_path / "memory-a"), str(tmp_path / "memory-b"), "--json")
    assert (said.code, said.json["fork"], said.json["joined_sizes"]) == (5, False, [])


def test_an_alarm_file_that_was_altered_is_refused(tmp_path: Path) -> None:
    log, memory = tmp_path / "log", tmp_path / "memory"
    publish(log, entries(9))
    look(log, memory)
    publish(tmp_path / "b", entries(9, 1))
    (log / "checkpoint").write_bytes((tmp_path / "b" / "checkpoint").read_bytes())
    found = look(log, memory)
    assert kinds(found) == ["FORK"]
    path = found.raised[0].file
    whole = json.loads(path.read_bytes())
    swapped = {**whole, "notes": [whole["notes"][0], whole["notes"][0]]}
    for name, altered in (
        ("space", path.read_bytes() + b"\n"),
        ("signature", path.read_bytes().replace(b"example.org/log\\n9", b"example.org/log\\n8", 1)),
        ("twice", json.dumps(swapped, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()),
    ):
        (tmp_path / name).write_bytes(altered)
        said = command(tmp_path)("monitor", "check-alarm", str(tmp_path / name), "--json")
        assert (said.code, said.error["code"]) == (1, "verification_failed"), name
    other = command(tmp_path)("monitor", "check-alarm", str(path), "--vkey", _another_vkey(), "--json")
    assert other.code == 1


def _another_vkey() -> str:
    from tests.monitor.operators import STRANGER

    return STRANGER.vkey
