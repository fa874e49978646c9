"""How results and errors are shown: one JSON document with ``--json``, else plain aligned text.

Results are JSON values (what a use-case returns). ``show`` prints any of them; verbs with a better way
pass a ``render`` of their own, used only without ``--json``.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ledger.cli.commands import COMMON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ledger.cli.local_socket import Progress as ProgressCall


_PIPED_WIDTH: Final = 10_000
_HASH: Final = re.compile("(0x)?[0-9a-f]{40,64}")
_HASH_DIGITS: Final = 12


def console() -> Console:
    """Return a console on standard output that never wraps what is piped."""
    watched = sys.stdout.isatty()
    return Console(width=None if watched else _PIPED_WIDTH, highlight=False, markup=False, emoji=False)


def show(result: Any, render: Callable[[Console, Any], None] | None = None) -> None:
    """Print a result as the user asked for it."""
    if COMMON.get().json:
        sys.stdout.write(json.dumps(result, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        sys.stdout.flush()
        return
    (render or render_any)(console(), result)


def render_any(out: Console, result: Any) -> None:
    """Print a list of objects as a table and an object as aligned lines."""
    if isinstance(result, dict) and set(result) == {"items"}:
        result = result["items"]
    if isinstance(result, list):
        render_rows(out, result)
    elif isinstance(result, dict):
        render_fields(out, result)
    else:
        out.print(Text(str(result)))


def render_rows(out: Console, rows: Sequence[Mapping[str, object]]) -> None:
    """Print rows under the keys of the first one."""
    if not rows:
        out.print(Text("(none)"))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for key in rows[0]:
        table.add_column(key.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_short(plain(row.get(key)))) for key in rows[0]))
    out.print(table)


def _short(text: str) -> str:
    """Return a long hash's first digits, which name it as well where an id is asked for; any other text as it is."""
    return text[:_HASH_DIGITS] if _HASH.fullmatch(text) else text


def render_fields(out: Console, fields: Mapping[str, Any], indent: int = 0) -> None:
    """Print one ``name: value`` line a field, nested ones indented."""
    width = max((len(key) for key in fields), default=0)
    margin = " " * indent
    for key, value in fields.items():
        label = key.replace("_", " ")
        if isinstance(value, dict) and value:
            out.print(Text(f"{margin}{label}:"))
            render_fields(out, value, indent + 2)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            out.print(Text(f"{margin}{label}:"))
            for item in value:
                render_fields(out, item, indent + 2)
                if len(item) > 3 and item is not value[-1]:
                    out.print("")
        else:
            out.print(Text(f"{margin}{label:<{width}}  {plain(value)}"))


def plain(value: object) -> str:
    """Return a value as people read it; control characters are shown, never sent to the terminal."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{key}={plain(item)}" for key, item in value.items()) or "-"
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in str(value))


def complain(code: str, message: str) -> None:
    """Print an error on standard error, as JSON with ``--json``."""
    if COMMON.get().json:
        complain_as_json(code, message)
    else:
        sys.stderr.write(f"error [{code}]: {plain(message)}\n")


def complain_as_json(code: str, message: str) -> None:
    """Print an error on standard error as one JSON document."""
    sys.stderr.write(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False) + "\n")


def _no_progress(_what: str, _done: int, _total: int) -> None:
    """Show nothing."""


@contextlib.contextmanager
def progress() -> Iterator[ProgressCall]:
    """Yield a function that draws progress on a terminal and does nothing elsewhere."""
    if not sys.stderr.isatty() or COMMON.get().json:
        yield _no_progress
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def update(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None)
            bar.update(tasks[what], completed=done, total=total or None)

        yield update
