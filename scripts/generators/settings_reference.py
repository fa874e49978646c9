"""``docs/reference/settings.md``: every setting with its variable, default and meaning, from the settings class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticUndefined

from ledger.settings import GIVEN_BY_CODE, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

_PATH = "docs/reference/settings.md"
_DRAWN = {"home": "`~/.quanze`"}
"""Defaults that depend on who runs it."""


def settings_reference() -> Mapping[str, str]:
    """Return the reference page by its path."""
    prefix = str(Settings.model_config["env_prefix"])
    lines = [
        "# Settings",
        "",
        "Generated from the code by `make generate`; do not edit.",
        "",
        "Every setting is a variable of the environment; `--home` on the command line stands above `QUANZE_HOME`.",
        "A variable that is set but empty counts as not set. Units are in the names. A value that is not allowed ends",
        "the command with exit code 3 and names the variable.",
        "",
        "| Variable | Default | Meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        if name in GIVEN_BY_CODE:
            continue
        lines.append(f"| `{prefix}{name.upper()}` | {_default(name, field)} | {field.description}{_bounds(field)} |")
    lines += [
        "",
        "`QUANZE_DEBUG` set to anything shows the traceback of an error instead of its sentence.",
        "`QUANZE_NATIVE` set to 0 uses no compiled code.",
    ]
    return {_PATH: "\n".join(lines) + "\n"}


def _default(name: str, field: FieldInfo) -> str:
    if name in _DRAWN:
        return _DRAWN[name]
    value: Any = field.default  # Any: a default is of whatever type its setting has.
    if value in {None, "", PydanticUndefined}:
        return "–"
    return f"`{value}`"


def _bounds(field: FieldInfo) -> str:
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    told = [
        f"{word} {getattr(bound, key)}"
        for bound in field.metadata
        for key, word in words.items()
        if getattr(bound, key, None) is not None
    ]
    return f" Allowed: {', '.join(told)}." if told else ""
