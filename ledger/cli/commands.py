"""The Typer application whose every sub-command takes ``--home``, ``--json`` and ``--lang``.

People type options where they think of them, so the three work before the verb and after it alike.
"""

from __future__ import annotations

import functools
import inspect
import os
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Callable


class Language(StrEnum):
    """A language that texts are shown in."""

    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Common:
    """The options that every sub-command shares."""

    home: Path | None = None
    json: bool = False
    lang: Language | None = None

    @property
    def language(self) -> str:
        """``zh`` or ``en``: the option, else ``QUANZE_LANGUAGE``, else the locale."""
        if self.lang is not None:
            return self.lang.value
        if chosen := os.environ.get("QUANZE_LANGUAGE", ""):
            return chosen
        locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
        return "zh" if locale.startswith("zh") else "en"


COMMON: ContextVar[Common] = ContextVar("COMMON", default=Common())  # noqa: B039 - frozen

HomeOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The home folder (else QUANZE_HOME, else ~/.quanze)."),
]
JSONOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
LangOption: TypeAlias = Annotated[
    Language | None, typer.Option("--lang", help="Language of what is shown (else LANG).")
]

_SHARED = (("home", HomeOption, None), ("json", JSONOption, False), ("lang", LangOption, None))


def remember(home: Path | None, json: bool, lang: Language | None) -> None:
    """Add the given options to those already seen on this command line."""
    seen = COMMON.get()
    COMMON.set(replace(seen, home=home or seen.home, json=json or seen.json, lang=lang or seen.lang))


F = TypeVar("F", bound="Callable[..., Any]")


def with_shared_options(function: F) -> F:
    """Return ``function`` with the shared options appended to its parameters."""
    signature = inspect.signature(function, eval_str=True)
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, annotation, default in _SHARED
    ]

    @functools.wraps(function)
    def run(**values: Any) -> Any:
        remember(values.pop("home"), values.pop("json"), values.pop("lang"))
        return function(**values)

    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), *shared])  # type: ignore[attr-defined]
    run.__annotations__ = {name: p.annotation for name, p in signature.parameters.items()} | {
        parameter.name: parameter.annotation for parameter in shared
    }
    del run.__wrapped__  # Or Typer would read the signature of the function beneath.
    return run  # type: ignore[return-value]


class Commands(typer.Typer):
    """A Typer application whose commands take the shared options."""

    def command(self, name: str | None = None, **keywords: Any) -> Callable[[F], F]:
        """Register a command as Typer does."""
        register = super().command(name, **keywords)

        def decorate(function: F) -> F:
            register(with_shared_options(function))
            return function

        return decorate


def group(name: str, about: str) -> Commands:
    """Make a group of verbs about one noun."""
    return Commands(name=name, help=about, no_args_is_help=True)
