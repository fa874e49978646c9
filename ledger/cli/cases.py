"""``quanze case``: a violation case from its filing to its closing. Sealed until its notice."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.calls import call_and_show
from ledger.cli.commands import group
from ledger.cli.options import AsOption, KeyOption, read_input

case = group("case", "Violation cases: filed, told, decided, notified, rectified, reviewed, closed.")

IdArgument = Annotated[str, typer.Argument(metavar="CASE", help="Reference, id in hex, or a prefix of 8 digits.")]
TextOption = Annotated[str, typer.Option("--text", help="What is recorded; stays private until the notice.")]
FileOption = Annotated[str, typer.Option("--file", help="A file with that text; `-` reads standard input.")]


def _text(text: str, file: str) -> str:
    if text and file:
        raise typer.BadParameter("give --text or --file, not both")
    return read_input(file) if file else text


@case.command("file")
def file_case(
    as_post: AsOption,
    respondent: Annotated[
        str, typer.Option("--respondent", metavar="AGENCY", help="Whom the case is about (else as the lead says).")
    ] = "",
    violation: Annotated[
        list[str] | None, typer.Option("--violation", help="scheme:value, as decree809:R6 (else as the lead says).")
    ] = None,
    reference: Annotated[str, typer.Option("--reference", help="A name for people, as 2026-17.")] = "",
    case_id: Annotated[str, typer.Option("--case", help="File a recorded lead rather than a new case.")] = "",
    lead_only: Annotated[bool, typer.Option("--lead", help="Record a lead only; file it later.")] = False,
    text: TextOption = "",
    file: FileOption = "",
    key: KeyOption = "",
) -> None:
    """Open a sealed case against an agency."""
    call_and_show(
        "case.file",
        respondent=respondent,
        post=as_post,
        violations=violation or [],
        reference=reference,
        case=case_id,
        lead_only=lead_only,
        text=_text(text, file),
        key=key,
    )


@case.command("tell")
def tell(
    identifier: IdArgument, as_post: AsOption, text: TextOption = "", file: FileOption = "", key: KeyOption = ""
) -> None:
    """Record that the respondent was told the facts, and what it answered."""
    call_and_show("case.tell", case=identifier, post=as_post, text=_text(text, file), key=key)


@case.command("decide")
def decide(
    identifier: IdArgument,
    as_post: AsOption,
    measure: Annotated[list[str] | None, typer.Option("--measure", help="As ORDER_TO_CORRECT or NOTICE.")] = None,
    no_action: Annotated[bool, typer.Option("--no-action", help="End the case without a finding.")] = False,
    text: TextOption = "",
    file: FileOption = "",
    key: KeyOption = "",
) -> None:
    """Record the decision."""
    call_and_show(
        "case.decide",
        case=identifier,
        post=as_post,
        measures=measure or [],
        no_action=no_action,
        text=_text(text, file),
        key=key,
    )


@case.command("notify")
def notify(
    identifier: IdArgument, as_post: AsOption, text: TextOption = "", file: FileOption = "", key: KeyOption = ""
) -> None:
    """Issue the notice: opens the respondent and the violations to the public."""
    call_and_show("case.notify", case=identifier, post=as_post, text=_text(text, file), key=key)


@case.command("rectify")
def rectify(
    identifier: IdArgument,
    as_post: AsOption,
    due: Annotated[str, typer.Option("--due", help="Order rectification by this date.")] = "",
    evidence: Annotated[bool, typer.Option("--evidence", help="File what was done, rather than order it.")] = False,
    text: TextOption = "",
    file: FileOption = "",
    key: KeyOption = "",
) -> None:
    """Order a rectification, or file the evidence of one."""
    call_and_show(
        "case.rectify", case=identifier, post=as_post, due=due, evidence=evidence, text=_text(text, file), key=key
    )


@case.command("review")
def review(
    identifier: IdArgument,
    as_post: AsOption,
    rework: Annotated[bool, typer.Option("--rework", help="Not good enough: back to the respondent.")] = False,
    appeal: Annotated[str, typer.Option("--appeal", help="Decide the appeal: UPHELD, VARIED or REVOKED.")] = "",
    text: TextOption = "",
    file: FileOption = "",
    key: KeyOption = "",
) -> None:
    """Record the independent review, or decide an appeal."""
    call_and_show(
        "case.review", case=identifier, post=as_post, rework=rework, appeal=appeal, text=_text(text, file), key=key
    )


@case.command("close")
def close(
    identifier: IdArgument, as_post: AsOption, text: TextOption = "", file: FileOption = "", key: KeyOption = ""
) -> None:
    """Close the case."""
    call_and_show("case.close", case=identifier, post=as_post, text=_text(text, file), key=key)


@case.command("appeal")
def appeal(
    identifier: IdArgument, as_post: AsOption, text: TextOption = "", file: FileOption = "", key: KeyOption = ""
) -> None:
    """Record an appeal; `case review --appeal` decides it."""
    call_and_show("case.appeal", case=identifier, post=as_post, text=_text(text, file), key=key)


@case.command("withdraw")
def withdraw(
    identifier: IdArgument, as_post: AsOption, text: TextOption = "", file: FileOption = "", key: KeyOption = ""
) -> None:
    """Withdraw the case."""
    call_and_show("case.withdraw", case=identifier, post=as_post, text=_text(text, file), key=key)


@case.command("reopen")
def reopen(
    identifier: IdArgument, as_post: AsOption, text: TextOption = "", file: FileOption = "", key: KeyOption = ""
) -> None:
    """Reopen a closed case."""
    call_and_show("case.reopen", case=identifier, post=as_post, text=_text(text, file), key=key)


@case.command("list")
def list_all(
    sealed: Annotated[bool, typer.Option("--sealed", help="Cases without a notice, known to this home only.")] = False,
) -> None:
    """List the cases whose notice was issued."""
    call_and_show("case.list", sealed=sealed)


@case.command("show")
def show_one(identifier: IdArgument) -> None:
    """Show a case with its steps."""
    call_and_show("case.show", case=identifier)
