"""``quanze monitor``: a standing checker of a log and its anchors, for anyone; no home is needed."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text
from typer.core import TyperGroup

from ledger.bootstrap.monitoring import Subject, open_monitor, watched_of
from ledger.bootstrap.reading import open_fetcher
from ledger.cli import exit_codes
from ledger.cli.commands import COMMON, Commands
from ledger.cli.output import plain, show
from ledger.domain.errors import InvalidInputError, LedgerError
from ledger.home import write_atomically
from ledger.monitor.comparing import compare_notes
from ledger.monitor.evidence import check, parse_alarm, print_alarm
from ledger.monitor.monitor import Cadence
from ledger.monitor.state import read_notes, read_watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from ledger.log.ports import Fetcher
    from ledger.monitor.evidence import Finding
    from ledger.monitor.monitor import Monitor, Raised, Round


class _RunByDefault(TyperGroup):
    """Runs the verb ``run`` where no verb is named: ``quanze monitor --once …``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put ``run`` before options that stand alone."""
        if args and "--help" not in args and not any(word in self.commands for word in args):
            args = ["run", *args]
        return super().parse_args(ctx, args)


monitor = Commands(
    name="monitor",
    cls=_RunByDefault,
    no_args_is_help=True,
    help="A standing checker of a log and its anchors, which anyone can run. Without a verb, `run`.",
)

_STATE: Final = Path("quanze-monitor")

TrustRootOption = Annotated[
    Path | None,
    typer.Option("--trust-root", metavar="FILE", help="The trust root: names log key, chain and anchor contract."),
]
VkeyOption = Annotated[str, typer.Option("--vkey", help="The log's verifier key, in place of a trust root.")]


@monitor.command("run")
def run(
    log: Annotated[str, typer.Option("--log", metavar="URL|DIR", help="Where the log's `checkpoint` and `tile/` are.")],
    trust_root: TrustRootOption = None,
    vkey: VkeyOption = "",
    chain_url: Annotated[
        str, typer.Option("--chain-url", metavar="URL", help="A JSON-RPC node, or `…/rpc` of a `quanze up`.")
    ] = "",
    anchor: Annotated[
        str, typer.Option("--anchor", metavar="ADDRESS", help="The CheckpointAnchor contract, with --vkey.")
    ] = "",
    finality_blocks: Annotated[
        int | None,
        typer.Option("--finality-blocks", min=0, help="Blocks on top that make one final (else `finalized`)."),
    ] = None,
    first_block: Annotated[int, typer.Option("--first-block", min=0, help="The block to read anchors from.")] = 0,
    state: Annotated[
        Path, typer.Option("--state", metavar="DIR", help="This monitor's memory; never share or delete it.")
    ] = _STATE,
    interval: Annotated[float, typer.Option("--interval", min=0.05, help="Seconds between two looks.")] = 5.0,
    anchor_within: Annotated[
        float, typer.Option("--anchor-within", min=0, help="Seconds from a checkpoint to its anchor, else an alarm.")
    ] = 120.0,
    answer_within: Annotated[
        float, typer.Option("--answer-within", min=0, help="Seconds that the log may be silent, else an alarm.")
    ] = 60.0,
    recheck: Annotated[int, typer.Option("--recheck", min=0, help="Old bundles read again in each look.")] = 8,
    once: Annotated[bool, typer.Option("--once", help="Look once and end, as from cron.")] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Go on after an alarm.")] = False,
) -> None:
    """Follow a log and its anchors. Ends with 1 at the first alarm; the alarm's file is the evidence."""
    subject = Subject(
        log=log,
        trust_root=b"" if trust_root is None else _bytes(trust_root),
        vkey=vkey,
        chain_url=chain_url,
        contract=anchor,
        finality_blocks=finality_blocks,
    )
    cadence = Cadence(
        anchor_s=anchor_within, checkpoint_s=answer_within, recheck_bundles=recheck, first_block=first_block
    )
    with _stopping() as stop, open_monitor(subject, state, cadence) as opened:
        alarmed = _watch(opened, stop, interval, once=once, keep_going=keep_going)
    if alarmed:
        raise typer.Exit(exit_codes.CHECK_FAILED)


@monitor.command("check-alarm")
def check_alarm(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An alarm's file.", dir_okay=False)],
    trust_root: TrustRootOption = None,
    vkey: VkeyOption = "",
) -> None:
    """Check an alarm's file offline: is it proven by its own bytes, or the word of who made it?"""
    held = None
    if trust_root is not None or vkey:
        data = b"" if trust_root is None else _bytes(trust_root)
        held = watched_of(Subject(log="", trust_root=data, vkey=vkey))[0].log
    alarm = parse_alarm(_bytes(file))
    found = check(alarm, held)
    show(
        {
            "kind": found.kind.value,
            "proven": found.proven,
            "reason": found.reason,
            "detail": alarm.detail,
            "origin": alarm.log.origin,
            "vkey": alarm.log.vkey,
            "key_is_yours": held is not None,
        },
        _render_finding(found),
    )
    if not found.proven:
        raise typer.Exit(exit_codes.CHECK_FAILED)


@monitor.command("compare")
def compare(
    first: Annotated[Path, typer.Argument(metavar="DIR", help="A monitor's state folder.", file_okay=False)],
    second: Annotated[Path, typer.Argument(metavar="DIR", help="Another's, or a copy of it.", file_okay=False)],
    log: Annotated[
        list[str] | None,
        typer.Option("--log", metavar="URL|DIR", help="Where to ask for a proof between two sizes; may stand twice."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Where to write the evidence of a fork.")
    ] = None,
) -> None:
    """Compare what two monitors were shown: catches a log that shows two people two logs."""
    watched, other = read_watched(first), read_watched(second)
    if other.vkey != watched.vkey and other.vkey in {vkey for vkey, _ in watched.former}:
        other = watched  # It has not heard of the log's new key yet.
    elif watched.vkey != other.vkey and watched.vkey in {vkey for vkey, _ in other.former}:
        watched = other
    if (watched.origin, watched.vkey) != (other.origin, other.vkey):
        raise InvalidInputError("DIR", str(second), f"a monitor of {watched.origin} under the key {watched.vkey}")
    ours, theirs = (read_notes(folder / "notes.ndjson") for folder in (first, second))
    with contextlib.ExitStack() as opened:
        fetchers = [opened.enter_context(open_fetcher(place)) for place in log or ()]
        found = compare_notes(
            watched.log,
            ours,
            theirs,
            fetchers=fetchers or _known_places(ours[-1:] + theirs[-1:], opened),
            now_ms=time.time_ns() // 1_000_000,
        )
    told: dict[str, Any] = {
        "common_sizes": found.common,
        "largest_common_size": found.largest_common,
        "joined_sizes": list(found.joined),
        "fork": found.alarm is not None,
        "file": "",
    }
    if found.alarm is not None:
        path = output or Path(found.alarm.name)
        write_atomically(path, print_alarm(found.alarm))
        told |= {"file": str(path), "detail": found.alarm.detail}
    show(told)
    if found.alarm is not None:
        raise typer.Exit(exit_codes.CHECK_FAILED)
    if not found.common and not found.joined:
        raise typer.Exit(exit_codes.UNAVAILABLE)


def _watch(opened: Monitor, stop: threading.Event, interval: float, *, once: bool, keep_going: bool) -> bool:
    standing = opened.standing()
    for path, alarm in standing:
        _tell({"event": "standing", "kind": alarm.kind.value, "detail": alarm.detail, "file": str(path)})
    alarmed = bool(standing)
    while not stop.is_set():
        found = opened.round()
        for raised in found.raised:
            _tell_alarm(raised)
        _tell_round(found)
        alarmed = alarmed or bool(found.raised)
        if once or (alarmed and not keep_going):
            break
        stop.wait(interval)
    return alarmed


def _tell_alarm(raised: Raised) -> None:
    _tell(
        {
            "event": "alarm",
            "kind": raised.alarm.kind.value,
            "detail": raised.alarm.detail,
            "file": str(raised.file),
            "new": raised.is_new,
        }
    )


def _tell_round(found: Round) -> None:
    _tell(
        {
            "event": "looked",
            "size": found.size,
            "root": found.root,
            "new_entries": found.new_entries,
            "anchored": found.anchored,
            "block": found.block,
            "alarms": len(found.raised),
        }
    )


def _tell(event: dict[str, Any]) -> None:
    """Print one event: a JSON line, or a line for people."""
    if COMMON.get().json or not sys.stdout.isatty():
        sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    elif event["event"] == "looked":
        sys.stdout.write(f"{event['size']} entries hashed and right, {event['anchored']} of them anchored\n")
    else:
        sys.stdout.write(f"ALARM {event['kind']}: {plain(event['detail'])}\n  evidence: {event['file']}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set, so that a round ends before the monitor does."""
    stop = threading.Event()
    is_main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if is_main else ()
    before = {number: signal.signal(number, lambda _number, _frame: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _known_places(seen: list[Any], opened: contextlib.ExitStack) -> list[Fetcher]:
    places = []
    for source in dict.fromkeys(one.source for one in seen):
        try:
            places.append(opened.enter_context(open_fetcher(source)))
        except LedgerError:
            continue
    return places


def _render_finding(found: Finding) -> Any:
    def render(out: Console, shown: dict[str, Any]) -> None:
        word = "PROVEN" if found.proven else "A CLAIM"
        out.print(Text(f"{word}: {found.kind.value}: {plain(found.reason)}", style="bold red"))
        out.print(Text(f"log {plain(shown['origin'])}, key {plain(shown['vkey'])}"))
        if not shown["key_is_yours"]:
            out.print("the key is the file's own: compare it with the trust root's")

    return render


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
