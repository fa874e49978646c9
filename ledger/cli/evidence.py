"""``quanze evidence|trust-root|verify|ask|anchor``: answers, and what proves them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from ledger.cli import exit_codes
from ledger.cli.calls import call, call_and_show
from ledger.cli.commands import Commands, group
from ledger.cli.options import AtOption, KnownAtOption, OutputOption
from ledger.cli.output import plain, render_fields, show
from ledger.home import write_atomically

if TYPE_CHECKING:
    from rich.console import Console

DiscloseOption = Annotated[
    str, typer.Option("--disclose", help="Groups of each event to open, by comma; all by default.")
]

evidence = group("evidence", "Files that prove a record to anyone, offline.")
trust_root = group("trust-root", "What a verifier has to trust, as one small file.")
ask = group("ask", "By what right, who answered for it, what happened, prove it.")


@evidence.command("export")
def export(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="event, agreement, responsibility, case or answer.")],
    identifier: Annotated[str, typer.Argument(metavar="ID")],
    output: OutputOption,
    disclose: Annotated[
        str, typer.Option("--disclose", help="Groups of the event to open, by comma; all by default.")
    ] = "",
) -> None:
    """Write an evidence file."""
    made = call("evidence.export", kind=kind, id=identifier, disclose=_parts(disclose))
    _write(output, made.pop("content"))
    show({"file": str(output), **made})


@evidence.command("events")
def export_events(
    entries: Annotated[str, typer.Argument(metavar="ENTRIES", help="Entries of the log: FIRST..LAST, or by comma.")],
    output: OutputOption,
    disclose: DiscloseOption = "",
) -> None:
    """Write one evidence file of many events, with what they share in it once."""
    made = call("evidence.events", entries=entries, disclose=_parts(disclose))
    _write(output, made.pop("content"))
    show({"file": str(output), **made})


@evidence.command("stream")
def export_stream(
    reporter: Annotated[str, typer.Argument(metavar="POST", help="Who reported.")],
    output: OutputOption,
    agreement: Annotated[str, typer.Option("--agreement", help="Under which agreement; none by default.")] = "",
    first: Annotated[int, typer.Option("--first", min=0, help="The reporter's number of the first event.")] = 0,
    last: Annotated[int, typer.Option("--last", help="That of the last; by default the newest anchored.")] = -1,
    disclose: DiscloseOption = "",
) -> None:
    """Write evidence that these are all events that a post reported under an agreement, from one to another."""
    asked = {"reporter": reporter, "agreement": agreement, "first": first, "last": last}
    made = call("evidence.stream", **asked, disclose=_parts(disclose))
    _write(output, made.pop("content"))
    show({"file": str(output), **made})


@trust_root.command("export")
def export_trust_root(output: OutputOption) -> None:
    """Write the trust root, and print its fingerprint for comparing by telephone."""
    made = call("trust-root.export")
    _write(output, made.pop("content"))
    show({"file": str(output), **made})


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The evidence or receipt file.", dir_okay=False)],
    trust_root: Annotated[Path, typer.Option("--trust-root", metavar="FILE", help="The trust root.", dir_okay=False)],
) -> None:
    """Check an evidence file, with no home folder and no network."""
    from ledger.evidence import verify as check  # noqa: PLC0415 - other verbs start faster without it.

    report = check(_bytes(file), _bytes(trust_root))
    steps = [
        {"number": step.number, "title": step.title, "status": step.status.name, "reason": step.reason}
        for step in report.steps
    ]
    show({"holds": report.holds, "steps": steps, "assurance": report.assurance}, _render_report)
    if not report.holds:
        raise typer.Exit(exit_codes.CHECK_FAILED)


def anchor() -> None:
    """Publish a checkpoint and anchor it on chain."""
    call_and_show("anchor")


@ask.command("right")
def right(
    agency: Annotated[str, typer.Option("--agency", help="Who held the data.")],
    dataset: Annotated[str, typer.Option("--dataset", help="AGENCY#CODE.")],
    at: AtOption = "",
    known_at: KnownAtOption = "",
) -> None:
    """By what right did an agency hold a dataset at a time?"""
    call_and_show("ask.right", _render_answer, agency=agency, dataset=dataset, at=at, known_at=known_at)


@ask.command("responsible")
def responsible(
    duty: Annotated[str, typer.Option("--duty", help="As DELIVER.")],
    obj: Annotated[str, typer.Option("--object", help="Agreement, dataset or `platform`.")],
    at: AtOption = "",
    known_at: KnownAtOption = "",
) -> None:
    """Who answered for a duty at a time?"""
    call_and_show("ask.responsible", _render_answer, duty=duty, object=obj, at=at, known_at=known_at)


@ask.command("history")
def history(
    case: Annotated[str, typer.Option("--case", help="The case.")], at: AtOption = "", known_at: KnownAtOption = ""
) -> None:
    """What happened in a case?"""
    call_and_show("ask.history", _render_answer, case=case, at=at, known_at=known_at)


@ask.command("prove")
def prove(
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Its id, or its index in the log.")],
    at: AtOption = "",
    known_at: KnownAtOption = "",
) -> None:
    """What proves an event, and what does it show?"""
    call_and_show("ask.prove", _render_answer, event=event, at=at, known_at=known_at)


def register(commands: Commands) -> None:
    """Add these verbs to the command."""
    for noun in (evidence, trust_root, ask):
        commands.add_typer(noun)
    commands.command("verify")(verify)
    commands.command("anchor")(anchor)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _write(path: Path, content: str) -> None:
    try:
        write_atomically(path, content.encode())
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error


def _render_report(out: Console, report: dict[str, Any]) -> None:
    for step in report["steps"]:
        out.print(Text(f"{step['number']}. {plain(step['title'])}: {step['status'].replace('_', ' ')}"))
        if step["reason"]:
            out.print(Text(f"   {plain(step['reason'])}"))
    failed = next((step for step in report["steps"] if step["status"] == "FAILED"), None)
    out.print("")
    if failed is not None:
        out.print(Text(f"DOES NOT HOLD: step {failed['number']}: {plain(failed['reason'])}", style="bold red"))
    out.print(Text(f"assurance: {report['assurance']}"))


def _render_answer(out: Console, answer: dict[str, Any]) -> None:
    out.print(Text(plain(answer["answer"]), style="bold"))
    render_fields(out, {name: value for name, value in answer.items() if name != "answer"})
