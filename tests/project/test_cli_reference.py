"""The reference names the options that the command takes, and the command takes those that it names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer.main

from ledger.cli.main import commands

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
SHARED = {"--home", "--json", "--lang", "--help"}


def _on_the_page() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    verb = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r"### `(.*)`", line):
            verb = re.sub(r" [^a-z].*", "", heading[1])
            found[verb] = set()
        elif option := re.match(r"- `(-[^`]*)`", line):
            found[verb] |= set(option[1].split(", "))
    return found


def _in_the_command(command: Any, name: str) -> dict[str, set[str]]:
    if hasattr(command, "commands"):
        parts = [_in_the_command(inner, f"{name} {verb}") for verb, inner in command.commands.items()]
        return {verb: options for part in parts for verb, options in part.items()}
    options = {text for one in command.params for text in (*one.opts, *one.secondary_opts) if text.startswith("-")}
    return {name: options - SHARED}


def test_the_page_and_the_command_name_the_same_options() -> None:
    assert _on_the_page() == _in_the_command(typer.main.get_command(commands), "quanze")


def test_options_are_named_as_people_type_them() -> None:
    page = _on_the_page()
    assert {"--from", "--to-time", "--as"} <= page["quanze responsibility assign"]
    assert page["quanze case file"] >= {"--case", "--lead"}
    assert page["quanze evidence export"] >= {"-o", "--output"}
