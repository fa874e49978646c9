"""What ``--json`` prints is what docs/json-output.md says: the same keys, no more and no fewer, for every verb."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ledger.cli.main import commands
from tests.cli.command import AUTHORITY, DATASET, PROVIDER, REQUESTER, Command, draft_of, head, make_world
from tests.monitor.operators import look, publish

PAGE = Path(__file__).resolve().parents[2] / "docs" / "json-output.md"
NO_DOCUMENT = {"up", "monitor run", "log serve", "witness serve"}
"""Verbs that end without one: what a service prints when it is ready is tested with it."""

EVENT = {
    "kind": "ACCESS",
    "side": "CONSUMER",
    "occurred_at_ms": 1_757_894_400_000,
    "provider": PROVIDER,
    "requester": REQUESTER,
    "dataset": DATASET,
    "agreement": "J",
}


def _verbs() -> list[str]:
    verbs = [command.name or command.callback.__name__ for command in commands.registered_commands if command.callback]
    for group in commands.registered_groups:
        assert group.typer_instance is not None
        inner = group.typer_instance
        verbs += [f"{inner.info.name} {command.name}" for command in inner.registered_commands]
    return [verb for verb in verbs if verb not in NO_DOCUMENT]


class _Recorder:
    """Runs verbs and keeps the last document of each."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self.documents: dict[str, Any] = {}

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Any:
        said = self.command(*arguments, "--json", stdin=stdin)
        assert said.code in {0, 2}, said
        name = arguments[0] if arguments[0] in _verbs() else " ".join(arguments[:2])
        self.documents[name] = said.json
        return said.json


@pytest.fixture(scope="module")
def documents(new_command: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The documents of all verbs, from one run of a small ledger."""
    folder = tmp_path_factory.mktemp("json")
    command: Command = new_command()
    run = _Recorder(command)
    fresh = _Recorder(Command(folder / "fresh", command.settings))
    fresh("init")
    with command.up():
        make_world(command)
        _registry(run)
        _agreements(run, folder)
        _duties(run)
        _cases(run)
        _events(run, folder)
        for verb in ("status", "version", "fsck", "rebuild"):
            run(verb)
        run("backup", str(folder / "backup"))
        run("log", "migrate", "--to", str(folder / "log"))
        busy = command("log", "rotate-key", "--json")
        assert "stop `quanze up`" in busy.error["message"]
    run("log", "rotate-key")
    _watching(run, folder)
    witness = _Recorder(Command(folder / "witness", command.settings))
    witness("witness", "init", "--name", "witness.example/w1")
    witness("witness", "key")
    restored = _Recorder(Command(folder / "restored", command.settings))
    restored("restore", str(folder / "backup"))
    return {**run.documents, **fresh.documents, **restored.documents, **witness.documents}


def _registry(run: _Recorder) -> None:
    run("agency", "add", "ods:X26", "--name-en", "X")
    run("agency", "list")
    run("agency", "show", PROVIDER)
    run("post", "add", f"clerk@{PROVIDER}", "--roles", "PROVIDER_OFFICE_HEAD", "--name-en", "Clerk")
    run("post", "list")
    run("post", "show", head(PROVIDER))
    run("key", "new", "one")
    run("key", "bind", "one", "--post", f"clerk@{PROVIDER}")
    run("key", "rotate", "two", "--post", f"clerk@{PROVIDER}")
    run("key", "list")
    run("catalogue", "add", DATASET, "--as", head(PROVIDER), "--name-en", "Persons")
    run("catalogue", "list")
    run("catalogue", "show", DATASET)


def _agreements(run: _Recorder, folder: Path) -> None:
    heads = (head(PROVIDER), head(REQUESTER))
    for reference in ("J", "K"):
        run("agreement", "draft", "-", "--as", heads[0], stdin=json.dumps(draft_of(reference)).encode())
        for post in heads:
            run("agreement", "sign", reference, "--as", post, "--yes")
    run("agreement", "suspend", "K", "--as", heads[0], "--reason", "x:y")
    run("agreement", "resume", "K", "--as", heads[0])
    run("agreement", "amend", "-", "--as", heads[0], stdin=json.dumps(draft_of("K", title="T")).encode())
    run("agreement", "cancel", "K", "--as", heads[0], "--reason", "x:y")
    run("agreement", "terminate", "K", "--as", heads[0], "--reason", "x:y")
    certificate = folder / "certificate.txt"
    certificate.write_text("Done.", encoding="utf-8")
    run("agreement", "dispose", "K", "--as", heads[1], "--certificate", str(certificate))
    run("agreement", "show", "J")
    run("agreement", "list")


def _duties(run: _Recorder) -> None:
    made = run("responsibility", "assign", "DELIVER", "J", "--to", head(PROVIDER), "--as", head(PROVIDER))
    run("responsibility", "accept", made["assignment"])
    handed = run(
        *("responsibility", "hand-over", made["assignment"], "--to", f"clerk@{PROVIDER}", "--as", head(PROVIDER))
    )
    run("responsibility", "accept", handed["assignment"])
    run("responsibility", "vacate", handed["assignment"], "--as", f"clerk@{PROVIDER}")
    run("responsibility", "list")
    run("responsibility", "who", "DELIVER", "J")


def _cases(run: _Recorder) -> None:
    inspector, director, reviewer = (f"{code}@{AUTHORITY}" for code in ("inspector", "director", "reviewer"))
    run(
        *("case", "file", "--as", inspector, "--respondent", REQUESTER, "--violation", "decree809:R6"),
        *("--reference", "C"),
    )
    run("case", "tell", "C", "--as", inspector)
    run("case", "decide", "C", "--as", director, "--measure", "NOTICE")
    run("case", "notify", "C", "--as", director)
    run("case", "rectify", "C", "--as", director, "--due", "2027-01-31")
    run("case", "rectify", "C", "--as", inspector, "--evidence")
    run("case", "appeal", "C", "--as", head(REQUESTER))
    run("case", "review", "C", "--as", reviewer)
    run("case", "close", "C", "--as", director)
    run("case", "reopen", "C", "--as", inspector)
    run("case", "withdraw", "C", "--as", director)
    run("case", "list")
    run("case", "show", "C")
    run("ask", "history", "--case", "C")


def _events(run: _Recorder, folder: Path) -> None:
    made = run("event", "append", "-", "--as", f"reporter@{REQUESTER}", stdin=json.dumps(EVENT).encode())
    event = str(made["first"])
    run("event", "list")
    run("event", "show", event)
    run("event", "state", event)
    run("event", "last", "--as", f"reporter@{REQUESTER}", "--agreement", "J")
    run("anchor")
    run("evidence", "events", f"{event}..{event}", "-o", str(folder / "events.json"))
    run("evidence", "stream", f"reporter@{REQUESTER}", "--agreement", "J", "-o", str(folder / "stream.json"))
    key = run("log", "key", "--public")["vkey"]
    run("log", "gaps", str(run.command.home / "log"), "--vkey", key)
    run("ask", "right", "--agency", REQUESTER, "--dataset", DATASET)
    run("ask", "responsible", "--duty", "DELIVER", "--object", "J")
    run("ask", "prove", event)
    run("evidence", "export", "event", event, "-o", str(folder / "event.json"))
    run("trust-root", "export", "-o", str(folder / "root.json"))
    run("verify", str(folder / "event.json"), "--trust-root", str(folder / "root.json"))
    sample = Path(__file__).resolve().parents[2] / "scripts" / "sample"
    for name in ("nhs-dsa", "xroad-opmon", "violation-cases"):
        run("import", name, str(sample / f"{name}.json"), "--demo-keys")


def _watching(run: _Recorder, folder: Path) -> None:
    for name, first in (("one", b"one"), ("other", b"other")):
        publish(folder / name, [first])
    look(folder / "one", folder / "memory")
    forked = look(folder / "other", folder / "memory")
    run("monitor", "check-alarm", str(forked.raised[0].file))
    look(folder / "one", folder / "memory-of-one")
    run("monitor", "compare", str(folder / "memory-of-one"), str(folder / "memory-of-one"))


def described() -> dict[str, tuple[list[str], list[str]]]:
    """The keys of each verb's document, and those of its items, as the page says."""
    rows: dict[str, tuple[list[str], list[str]]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"\| `([a-z -]+)` \| (.*?) \| (.*?) \|", line):
            rows[match[1]] = (re.findall("`([a-z_]+)`", match[2]), re.findall("`([a-z_]+)`", match[3]))
    return rows


def items_of(document: dict[str, Any]) -> dict[str, Any] | None:
    """The first item of a list, or None."""
    items = document.get("items")
    return items[0] if isinstance(items, list) and items else None


def test_every_verb_is_described() -> None:
    assert sorted(described()) == sorted(_verbs())


@pytest.mark.parametrize("verb", _verbs())
def test_a_document_has_the_keys_that_are_described(documents: dict[str, Any], verb: str) -> None:
    keys, items = described()[verb]
    assert keys == sorted(documents[verb])
    found = items_of(documents[verb])
    assert items == (sorted(found) if found is not None else [])
