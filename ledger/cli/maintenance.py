"""``quanze init|status|up|fsck|rebuild|backup|restore``: the operator's verbs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.text import Text

from ledger import bootstrap
from ledger.cli import exit_codes
from ledger.cli.calls import call, call_and_show
from ledger.cli.logs import log_warnings
from ledger.cli.output import plain, progress, render_any, show
from ledger.cli.passphrase import with_passphrase
from ledger.cli.session import settings
from ledger.cli.up import run_up
from ledger.domain.errors import IntegrityError

if TYPE_CHECKING:
    from rich.console import Console

    from ledger.cli.commands import Commands

_REPORTED: Final = frozenset({"engine_stopped", "replay_differs", "snapshot_left_aside"})
"""What the engine's log says of itself when its records differ: the report names it."""


def init(
    origin: Annotated[
        str, typer.Option("--origin", help="The log's name, as log.example.org/quanze; drawn when absent.")
    ] = "",
    demonstration: Annotated[
        bool, typer.Option("--demonstration", help="Mark everything in this home as a demonstration.")
    ] = False,
) -> None:
    """Make a home: keys, chain, contracts and log. Run again after a crash, it goes on."""
    chosen = with_passphrase(settings(), twice=True)
    with progress() as told:
        made = bootstrap.init_home(chosen, origin=origin, demonstration=demonstration, progress=told)
    show(made)


def status() -> None:
    """Show what this home holds and whether it is up."""
    call_and_show("status", _render_status)


def up(
    host: Annotated[str, typer.Option("--host", help="Address of the API (else QUANZE_HOST).")] = "",
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="Port of the API, 0 for a free one (else QUANZE_PORT)."),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Record nothing; also for an older copy of a home that went on.")
    ] = False,
) -> None:
    """Run chain, sealer, follower, anchors, API and explorer until Ctrl-C."""
    chosen = with_passphrase(settings())
    update: dict[str, Any] = {}
    if host:
        update["host"] = host
    if port is not None:
        update["port"] = port
    if read_only:
        update["read_only"] = True
    run_up(chosen.model_copy(update=update))


def fsck(
    log_only: Annotated[bool, typer.Option("--log-only", help="Check the log's entries and tiles alone.")] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Do not read again what an earlier resumable check of the log read and nothing changed."
        ),
    ] = False,
) -> None:
    """Recompute chain, log, vault, index and bindings; name the first entry that differs."""
    log_warnings(told_in_result=_REPORTED)
    try:
        report = call("fsck", log_only=log_only, resume=resume)
    except IntegrityError as error:
        report = _stopped_by(error)
    show(report, _render_fsck)
    if report["defects"]:
        raise typer.Exit(exit_codes.CHECK_FAILED)


def rebuild() -> None:
    """Drop the index and make it again from chain, log and vault."""
    call_and_show("rebuild")


def backup(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")]) -> None:
    """Copy the whole home, consistently, while it runs."""
    call_and_show("backup", folder=str(folder.absolute()))


def restore(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder made by `quanze backup`.")]) -> None:
    """Make this home from a backup. The home must not exist."""
    chosen = with_passphrase(settings())
    with progress() as told:
        restored = bootstrap.restore_home(chosen, folder, progress=told)
    show(restored)


def register(commands: Commands) -> None:
    """Add these verbs to the command."""
    for verb in (init, status, up, fsck, rebuild, backup, restore):
        commands.command(verb.__name__)(verb)


def _render_status(out: Console, result: Any) -> None:
    """Print what must be acted on first, then the rest."""
    for alarm in filter(None, (result["older_copy"], (result["witnesses"] or {}).get("alarm"))):
        out.print(Text(f"ALARM: {plain(alarm)}", style="bold red"))
    render_any(out, result)


def _stopped_by(error: IntegrityError) -> dict[str, Any]:
    """Return the report of a home that does not open: what stopped it, and no check."""
    found = [f"{name} {error.fields[name]}" for name in ("leaf", "block") if name in error.fields]
    found += [str(error.fields[name]) for name in ("entry", "commitment", "file", "part") if name in error.fields]
    defect = {"what": error.what, "entry": found[0] if found else "", "reason": error.explain()}
    return {"checks": [], "defects": [defect], "not_brought": None}


def _render_fsck(out: Console, report: dict[str, Any]) -> None:
    for check in report["checks"]:
        out.print(Text(f"{check['what']}: {check['checked']} checked, {check['defects']} differ"))
    if report["not_brought"]:
        out.print(f"{report['not_brought']} commitments of records signed elsewhere came without their documents")
    for defect in report["defects"][:20]:
        out.print(Text(f"DIFFERS {defect['what']} {plain(defect['entry'])}: {plain(defect['reason'])}", style="red"))
    if not report["checks"]:
        out.print("the check stopped there: the other stores, and the rest of this one, were not checked")
    if not report["defects"]:
        out.print("all stores agree")
