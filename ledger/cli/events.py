"""``quanze event``: usage records, appended from NDJSON and shown."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer
from rich.text import Text

from ledger.cli import exit_codes
from ledger.cli.calls import call_and_show
from ledger.cli.commands import group
from ledger.cli.options import AsOption, KeyOption
from ledger.cli.output import plain, progress, render_rows, show
from ledger.cli.rejections import Rejections
from ledger.cli.session import open_session
from ledger.domain.canonical import MAX_ENTRY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

event = group("event", "Usage events: deliveries, accesses, storage, destruction.")

ReporterOption = Annotated[
    str, typer.Option("--as", metavar="POST", help="The reporting post (the only one here by default).")
]
BATCH_LINES = 1_000
BATCH_BYTES = 4 << 20


@event.command("append")
def append(
    file: Annotated[str, typer.Argument(metavar="FILE", help="NDJSON, one event a line; `-` reads standard input.")],
    as_post: ReporterOption = "",
    key: KeyOption = "",
    no_anchor: Annotated[bool, typer.Option("--no-anchor", help="Leave the anchor to the running service.")] = False,
) -> None:
    """Sign events as a reporter's post, bind and append them; lists rejected lines."""
    totals: dict[str, Any] = {"appended": 0, "repeated": 0, "verdicts": {}, "first": -1, "last": -1}
    rejections = Rejections()
    size = Path(file).stat().st_size if file != "-" and Path(file).is_file() else 0
    with open_session() as session, progress() as told, _open(file) as stream:
        for first_line, lines, done in _batches(stream):
            result = session.call(
                "event.append-lines",
                {"lines": lines, "first_line": first_line, "post": as_post, "key": key},
                lambda _what, _done, _total: None,
            )
            _add(totals, result)
            rejections.add(result["rejected"])
            told("events", done, size)
        if totals["appended"] and not no_anchor:
            totals["anchor"] = session.call("anchor", {}, told)
    show({**totals, **rejections.result()}, _render)
    if rejections.total:
        raise typer.Exit(exit_codes.PARTLY_DONE)


@event.command("list")
def list_all(
    agreement: Annotated[str, typer.Option("--agreement", help="Only claiming this agreement.")] = "",
    verdict: Annotated[str, typer.Option("--verdict", help="WITHIN_SCOPE or MISMATCH.")] = "",
    after: Annotated[str, typer.Option("--after", help="The cursor of the page before.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 100,
) -> None:
    """List events in the order of the log."""
    call_and_show("event.list", _render_page, agreement=agreement, verdict=verdict, after=after, limit=limit)


@event.command("show")
def show_one(
    identifier: Annotated[str, typer.Argument(metavar="EVENT", help="Its id, or its index in the log.")],
) -> None:
    """Show an event with its binding and place in the log."""
    call_and_show("event.show", event=identifier)


@event.command("state")
def state(
    identifier: Annotated[str, typer.Argument(metavar="EVENT", help="Its index in the log, or its id.")],
    wait: Annotated[
        str, typer.Option("--wait", metavar="STATE", help="Wait for accepted, included, anchored or final.")
    ] = "",
    timeout_s: Annotated[
        int, typer.Option("--timeout", min=0, max=600, metavar="SECONDS", help="How long to wait at most.")
    ] = 120,
) -> None:
    """Say how far an event has come: accepted, included, anchored or final, and when."""
    call_and_show("event.state", _render_state, event=identifier, wait=wait, timeout_s=timeout_s)


@event.command("last")
def last(
    as_post: AsOption,
    agreement: Annotated[str, typer.Option("--agreement", help="The stream's agreement, none for unnamed ones.")] = "",
) -> None:
    """Say the last sequence number that the ledger holds of a reporter."""
    call_and_show("event.last", post=as_post, agreement=agreement)


def _open(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error


def _batches(stream: BinaryIO) -> Iterator[tuple[int, list[str], int]]:
    """Yield (first line's number, lines in base64, bytes read) with bounded memory.

    A line longer than an entry may be is cut after that length; the service then rejects it by its length.
    """
    number, first, done, began = 0, 1, 0, 0
    lines: list[str] = []
    while line := stream.readline(MAX_ENTRY_BYTES + 2):
        number += 1
        done += len(line)
        rest = line
        while not rest.endswith(b"\n") and len(rest) == MAX_ENTRY_BYTES + 2:
            rest = stream.readline(MAX_ENTRY_BYTES + 2)
            done += len(rest)
        lines.append(base64.b64encode(line.rstrip(b"\r\n")).decode())
        if len(lines) == BATCH_LINES or done - began >= BATCH_BYTES:
            yield first, lines, done
            first, lines, began = number + 1, [], done
    if lines:
        yield first, lines, done


def _add(totals: dict[str, Any], result: dict[str, Any]) -> None:
    totals["appended"] += result["appended"]
    totals["repeated"] += result["repeated"]
    for code, count in result["verdicts"].items():
        totals["verdicts"][code] = totals["verdicts"].get(code, 0) + count
    if result["appended"]:
        if totals["first"] < 0:
            totals["first"] = result["first"]
        totals["last"] = result["last"]


def _render(out: Console, totals: dict[str, Any]) -> None:
    if totals["appended"]:
        out.print(f"{totals['appended']} events appended, leaves {totals['first']} to {totals['last']}")
    else:
        out.print("nothing new appended")
    if totals["repeated"]:
        out.print(f"{totals['repeated']} were in the ledger already: unchanged")
    for code, count in sorted(totals["verdicts"].items()):
        out.print(f"  {code}: {count}")
    if anchor := totals.get("anchor"):
        out.print(f"anchored at size {anchor['size']} in block {anchor['block']}")
    for rejection in totals["rejected"][: Rejections.SHOWN]:
        out.print(Text(f"line {rejection['line']}: {plain(rejection['field'])}: {plain(rejection['reason'])}"))
    if (more := totals["rejected_total"] - Rejections.SHOWN) > 0:
        out.print(f"… and {more} more rejected lines (--json lists more)")


def _render_state(out: Console, state: dict[str, Any]) -> None:
    out.print(f"entry {state['index']} is {state['state']}")
    out.print(f"  accepted  {state['accepted_at']} (the operator's claim)")
    if state["state"] != "ACCEPTED":
        out.print(f"  included  {state['included_at'] or 'before this service started'}")
    if anchor := state["anchor"]:
        out.print(f"  anchored  {anchor['at']}, block {anchor['block']}, at size {anchor['size']}")
    if state["state"] == "FINAL":
        out.print(f"  final     {state['final_at'] or 'before this service started'}")


def _render_page(out: Console, page: dict[str, Any]) -> None:
    render_rows(out, page["items"])
    if page["next"]:
        out.print(f"more: --after {page['next']}")
