"""The options that every verb shares work before and after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.cli.commands import COMMON, Commands, Common, Language, group


def _run(arguments: list[str]) -> tuple[Common, list[str]]:
    COMMON.set(Common())
    seen: list[str] = []
    noun = group("noun", "A noun.")

    @noun.command("verb")
    def verb(name: str, loud: bool = False) -> None:
        """Do it."""
        seen.append(name.upper() if loud else name)

    @noun.command("other")
    def other() -> None:
        """Do something else."""

    app = Commands(name="test")
    app.add_typer(noun)
    app(args=arguments, standalone_mode=False)
    return COMMON.get(), seen


def test_shared_options_are_taken_after_the_verb() -> None:
    common, seen = _run(["noun", "verb", "a", "--json", "--home", "/h", "--lang", "zh", "--loud"])
    assert seen == ["A"]
    assert common == Common(home=Path("/h"), json=True, lang=Language.ZH)


def test_shared_options_default_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUANZE_LANGUAGE", raising=False)
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    common, _ = _run(["noun", "verb", "a"])
    assert (common.home, common.json, common.language) == (None, False, "zh")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert common.language == "en"


def test_a_command_keeps_its_own_help() -> None:
    noun = group("noun", "A noun.")

    @noun.command("verb")
    def verb(name: str) -> None:
        """Do it to NAME."""

    assert noun.registered_commands[0].callback is not verb
    assert noun.registered_commands[0].callback is not None
    assert noun.registered_commands[0].callback.__doc__ == "Do it to NAME."
