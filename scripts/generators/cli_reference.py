"""``docs/reference/cli.md``: every verb with its arguments and options, from the built command itself."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Any

import typer.main

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SHARED = ("home", "json", "lang")
_PATH = "docs/reference/cli.md"


def cli_reference() -> Mapping[str, str]:
    """Return the reference page by its path."""
    lines = [
        "# The `quanze` command",
        "",
        "Generated from the code by `make generate`; do not edit.",
        "",
        "Every verb also takes `--home DIR` (else `QUANZE_HOME`, else `~/.quanze`), `--json` (one JSON document, see",
        "[json-output.md](../json-output.md)) and `--lang zh|en` (else `LANG`), before or after the verb.",
        "",
    ]
    for name, command in _built().commands.items():
        if _is_group(command):
            continue
        lines += _command(f"quanze {name}", command)
    for name, command in _built().commands.items():
        if not _is_group(command):
            continue
        lines += [f"## quanze {name}", "", str(command.help), ""]
        for verb, inner in command.commands.items():
            lines += _command(f"quanze {name} {verb}", inner)
    return {_PATH: "\n".join(lines).rstrip() + "\n"}


def _built() -> Any:
    """Return the command as the program builds it: only that knows how each option is spelt."""
    os.environ.setdefault("QUANZE_HOME", "/nonexistent")  # The page must not depend on who generates it.
    from ledger.cli.main import commands  # noqa: PLC0415 - only needed here, and slow.

    return typer.main.get_command(commands)


def _is_group(command: Any) -> bool:
    return hasattr(command, "commands")


def _command(prefix: str, command: Any) -> list[str]:
    parameters = list(_own(command))
    usage = " ".join([prefix, *(_placeholder(one) for one in parameters if _is_argument(one))])
    lines = [f"### `{usage}`", "", inspect.cleandoc(command.help or ""), ""]
    lines += [_line(parameter) for parameter in parameters]
    return [*lines, ""] if parameters else lines


def _line(parameter: Any) -> str:
    is_argument = _is_argument(parameter)
    label = _placeholder(parameter) if is_argument else ", ".join(_spellings(parameter))
    default = parameter.default
    needed = " Required." if parameter.required and not is_argument else ""
    is_told = not parameter.required and not callable(default) and default not in ("", None, False)
    shown = f" Default: `{default}`." if is_told else ""
    text = parameter.help or ""
    return f"- `{label}`: {text}{needed}{shown}" if text else f"- `{label}`{needed}{shown}"


def _own(command: Any) -> Iterator[Any]:
    return (one for one in command.params if one.name not in _SHARED and one.name != "help")


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _placeholder(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _spellings(option: Any) -> list[str]:
    return [*option.opts, *option.secondary_opts]
