"""One call of a verb from a command: session, progress, output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.cli.output import progress, show
from ledger.cli.session import open_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console


def call(verb: str, **arguments: object) -> Any:
    """Run a verb and return its result."""
    with open_session() as session, progress() as told:
        return session.call(verb, arguments, told)


def call_and_show(verb: str, render: Callable[[Console, Any], None] | None = None, **arguments: object) -> None:
    """Run a verb and print its result."""
    show(call(verb, **arguments), render)
