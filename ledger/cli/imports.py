"""``quanze import``: records that others published, as proposals, leads and events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer
from rich.text import Text

from ledger.cli import exit_codes
from ledger.cli.commands import group
from ledger.cli.options import KeyOption, read_input
from ledger.cli.output import plain, progress, show
from ledger.cli.rejections import Rejections
from ledger.cli.session import open_session
from ledger.service.importing import nhs_dsa, violation_cases, xroad_opmon
from ledger.service.importing.source_file import Rejection
from ledger.service.importing.source_stream import stream_records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

imports = group("import", "Published records: agreements, exchanges, decisions.")

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="JSON, or one record a line; `-` reads standard input.")
]
ImporterOption = Annotated[
    str, typer.Option("--as", metavar="POST", help="The importing post, CODE@AGENCY, which signs what is made.")
]
DemoKeysOption = Annotated[
    bool,
    typer.Option(
        "--demo-keys", help="Let the bodies named sign with generated keys; all of it is marked as a demonstration."
    ),
]
MappingOption = Annotated[
    str, typer.Option("--mapping", metavar="FILE", help="What exchanges cannot say: agreement, purpose, delivery.")
]
CHUNK_RECORDS = 500
CHUNK_BYTES = 4 << 20
_SHOWN_ITEMS = 10_000


@imports.command("nhs-dsa")
def import_agreements(
    file: FileArgument, as_post: ImporterOption = "", key: KeyOption = "", demo_keys: DemoKeysOption = False
) -> None:
    """Propose agreements of NHS England's Data Uses Register; with --demo-keys, sign them too."""
    _import("nhs-dsa", nhs_dsa.MEMBER, nhs_dsa.FIELDS, file, {"post": as_post, "key": key, "demo_keys": demo_keys})


@imports.command("xroad-opmon")
def import_exchanges(
    file: FileArgument,
    as_post: ImporterOption = "",
    key: KeyOption = "",
    demo_keys: DemoKeysOption = False,
    mapping: MappingOption = "",
) -> None:
    """Append X-Road operational-monitoring records as usage events, bound and with a verdict each."""
    rules = read_input(mapping) if mapping else ""
    arguments = {"post": as_post, "key": key, "demo_keys": demo_keys, "mapping": rules}
    _import("xroad-opmon", xroad_opmon.MEMBER, xroad_opmon.FIELDS, file, arguments)


@imports.command("violation-cases")
def import_decisions(
    file: FileArgument, as_post: ImporterOption = "", key: KeyOption = "", demo_keys: DemoKeysOption = False
) -> None:
    """Record published decisions as leads; filing one is a step of its own."""
    _import(
        "violation-cases",
        violation_cases.MEMBER,
        violation_cases.FIELDS,
        file,
        {"post": as_post, "key": key, "demo_keys": demo_keys},
    )


def _import(kind: str, member: str, fields: tuple[str, ...], file: str, arguments: dict[str, object]) -> None:
    rejections = Rejections()
    totals: dict[str, Any] = {"format": kind, "records": 0, "imported": 0, "unchanged": 0, "items": []}
    if "mapping" in arguments:
        totals["verdicts"] = {}
    with open_session() as session, progress() as told, _open(file) as stream:
        for records, unreadable in _chunks(stream, member, fields):
            rejected = unreadable
            if records:
                result = session.call(f"import.{kind}", {**arguments, "records": records}, told)
                rejected = sorted((*unreadable, *result["rejected"]), key=lambda rejection: int(rejection["record"]))
                _add(totals, result)
            rejections.add(rejected)
            totals["records"] += len(records) + len(unreadable)
            told("records", totals["records"], 0)
    totals["demonstration"] = arguments["demo_keys"]
    show({**totals, **rejections.result()}, _render)
    if rejections.total:
        raise typer.Exit(exit_codes.PARTLY_DONE)


def _open(file: str) -> BinaryIO:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from error


def _chunks(
    stream: BinaryIO, member: str, fields: tuple[str, ...]
) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Yield records and rejections, some hundreds at a time, and fewer where they are long."""
    records: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    size = 0
    for found in stream_records(stream, member, fields):
        match found.item:
            case Rejection(record, field, reason):
                refused.append({"record": record, "field": field, "reason": reason})
            case record:
                records.append({"record": found.number, "value": record})
        size += found.size
        if len(records) + len(refused) >= CHUNK_RECORDS or size >= CHUNK_BYTES:
            yield records, refused
            records, refused, size = [], [], 0
    if records or refused:
        yield records, refused


def _add(totals: dict[str, Any], result: dict[str, Any]) -> None:
    totals["imported"] += result["imported"]
    totals["unchanged"] += result["unchanged"]
    totals["items"] += result["items"][: max(0, _SHOWN_ITEMS - len(totals["items"]))]
    for code, count in result.get("verdicts", {}).items():
        totals["verdicts"][code] = totals["verdicts"].get(code, 0) + count


def _render(out: Console, totals: dict[str, Any]) -> None:
    if totals["demonstration"]:
        out.print(
            Text("DEMONSTRATION: signed with generated keys; the bodies named have signed nothing.", "bold yellow")
        )
    out.print(
        f"{totals['records']} records: {totals['imported']} imported, {totals['unchanged']} in the ledger already"
    )
    if totals["unchanged"] and not totals["imported"]:
        out.print("nothing was changed")
    for code, count in sorted(totals.get("verdicts", {}).items()):
        out.print(f"  {code}: {count}")
    for rejection in totals["rejected"][: Rejections.SHOWN]:
        what = f"record {rejection['record']}: {plain(rejection['field'])}: {plain(rejection['reason'])}"
        out.print(Text(f"rejected {what}"))
    if (more := totals["rejected_total"] - Rejections.SHOWN) > 0:
        out.print(f"… and {more} more rejected records (--json lists more)")
