"""``docs/reference/cli.md``: every verb with its arguments and options, from the command itself."""

from __future__ import annotations

import inspect
import os
import typing
from typing import TYPE_CHECKING, Any

import typer
from typer.models import ArgumentInfo, CommandInfo, OptionInfo, ParameterInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHARED = ("home", "json", "lang")
_PATH = "docs/reference/cli.md"


def cli_reference() -> Mapping[str, str]:
    """Return the reference page by its path."""
    os.environ.setdefault("QUANZE_HOME", "/nonexistent")  # The page must not depend on who generates it.
    from ledger.cli.main import commands  # noqa: PLC0415 - only needed here, and slow.

    lines = [
        "# The `quanze` command",
        "",
        "Generated from the code by `make generate`; do not edit.",
        "",
        "Every verb also takes `--home DIR` (else `QUANZE_HOME`, else `~/.quanze`), `--json` (one JSON document, see",
        "[json-output.md](../json-output.md)) and `--lang zh|en` (else `LANG`), before or after the verb.",
        "",
    ]
    for command in commands.registered_commands:
        lines += _command("quanze", command)
    for group in commands.registered_groups:
        inner = group.typer_instance
        if inner is None:
            continue
        name = str(inner.info.name)
        lines += [f"## quanze {name}", "", str(inner.info.help), ""]
        for command in inner.registered_commands:
            lines += _command(f"quanze {name}", command)
    return {_PATH: "\n".join(lines).rstrip() + "\n"}


def _command(prefix: str, command: CommandInfo) -> list[str]:
    callback = command.callback
    if callback is None:
        return []
    parameters = [
        (name, *_info(parameter))
        for name, parameter in inspect.signature(callback).parameters.items()
        if name not in _SHARED
    ]
    usage = " ".join(
        [
            prefix,
            command.name or callback.__name__,
            *(_placeholder(name, info) for name, info, _ in parameters if _is_argument(info)),
        ]
    )
    lines = [f"### `{usage}`", "", inspect.getdoc(callback) or "", ""]
    for name, info, default in parameters:
        shown = "" if default in {inspect.Parameter.empty, "", None, False} else f" Default: `{default}`."
        needed = " Required." if default is inspect.Parameter.empty and not _is_argument(info) else ""
        label = _placeholder(name, info) if _is_argument(info) else ", ".join(_declarations(name, info))
        text = info.help or ""
        lines.append(f"- `{label}`: {text}{needed}{shown}" if text else f"- `{label}`{needed}{shown}")
    return [*lines, ""] if parameters else lines


def _info(parameter: inspect.Parameter) -> tuple[ParameterInfo, Any]:
    if typing.get_origin(parameter.annotation) is typing.Annotated:
        for extra in typing.get_args(parameter.annotation)[1:]:
            if isinstance(extra, ParameterInfo):
                return extra, parameter.default
    if parameter.default is inspect.Parameter.empty:
        return typer.Argument(), parameter.default
    return typer.Option(), parameter.default


def _is_argument(info: ParameterInfo) -> bool:
    return isinstance(info, ArgumentInfo)


def _placeholder(name: str, info: ParameterInfo) -> str:
    return info.metavar or name.upper()


def _declarations(name: str, info: ParameterInfo) -> list[str]:
    declared = list(info.param_decls or ()) if isinstance(info, OptionInfo) else []
    return declared or ["--" + name.replace("_", "-")]
