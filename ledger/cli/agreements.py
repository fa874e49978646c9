"""``quanze agreement``: from a draft to disposal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli import agreement_text
from ledger.cli.calls import call, call_and_show
from ledger.cli.commands import COMMON, group
from ledger.cli.options import AsOption, KeyOption, ReasonOption, YesOption, read_input
from ledger.cli.output import console, show
from ledger.cli.receipts import write_receipt

if TYPE_CHECKING:
    from rich.console import Console

agreement = group("agreement", "Sharing agreements: draft, sign, suspend, amend, end.")

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Reference, id in hex, or a prefix of 8 digits.")]


@agreement.command("draft")
def draft(
    file: Annotated[str, typer.Argument(metavar="FILE", help="YAML or JSON; `-` reads standard input.")],
    as_post: AsOption = "",
    key: KeyOption = "",
) -> None:
    """Check a draft, keep its texts in the vault, and propose it on chain."""
    call_and_show("agreement.draft", text=read_input(file), post=as_post, key=key)


@agreement.command("amend")
def amend(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The whole new version, YAML or JSON.")],
    identifier: Annotated[str, typer.Option("--agreement", help="The agreement (else the draft's reference).")] = "",
    as_post: AsOption = "",
    key: KeyOption = "",
) -> None:
    """Propose the next version; every party signs again."""
    call_and_show("agreement.amend", text=read_input(file), agreement=identifier, post=as_post, key=key)


@agreement.command("sign")
def sign(identifier: IdArgument, as_post: AsOption, key: KeyOption = "", yes: YesOption = False) -> None:
    """Show the terms, sign them for a post, and keep a receipt."""
    terms = call("agreement.show", agreement=identifier)
    if not COMMON.get().json:
        agreement_text.render(console(), terms, COMMON.get().language)
    if not yes:
        typer.confirm(agreement_text.question(COMMON.get().language, as_post), abort=True, err=True)
    signed = call("agreement.sign", agreement=identifier, post=as_post, key=key, terms_hash=terms["pending_terms_hash"])
    signed["receipt"] = str(write_receipt(signed.pop("receipt_name"), signed.pop("receipt_bytes")))
    show(signed, _render_signed)


@agreement.command("show")
def show_one(identifier: IdArgument) -> None:
    """Show an agreement with its versions and signatures."""
    call_and_show("agreement.show", _render, agreement=identifier)


def _render_signed(out: Console, signed: dict[str, Any]) -> None:
    agreement_text.render_signed(out, signed, COMMON.get().language)


def _render(out: Console, result: dict[str, Any]) -> None:
    agreement_text.render(out, result, COMMON.get().language)


@agreement.command("list")
def list_all(
    party: Annotated[str, typer.Option("--party", help="Only of this agency.")] = "",
    status: Annotated[str, typer.Option("--status", help="Only in this status, as ACTIVE.")] = "",
) -> None:
    """List the agreements."""
    call_and_show("agreement.list", party=party, status=status)


@agreement.command("suspend")
def suspend(identifier: IdArgument, as_post: AsOption, reason: ReasonOption, key: KeyOption = "") -> None:
    """Suspend an agreement in force."""
    call_and_show("agreement.suspend", agreement=identifier, post=as_post, reason=reason, key=key)


@agreement.command("resume")
def resume(identifier: IdArgument, as_post: AsOption, key: KeyOption = "") -> None:
    """Put a suspended agreement in force again."""
    call_and_show("agreement.resume", agreement=identifier, post=as_post, key=key)


@agreement.command("terminate")
def terminate(identifier: IdArgument, as_post: AsOption, reason: ReasonOption, key: KeyOption = "") -> None:
    """End an agreement."""
    call_and_show("agreement.terminate", agreement=identifier, post=as_post, reason=reason, key=key)


@agreement.command("cancel")
def cancel(identifier: IdArgument, as_post: AsOption, reason: ReasonOption, key: KeyOption = "") -> None:
    """Withdraw the version that still waits for signatures."""
    call_and_show("agreement.cancel", agreement=identifier, post=as_post, reason=reason, key=key)


@agreement.command("dispose")
def dispose(
    identifier: IdArgument,
    as_post: AsOption,
    certificate: Annotated[str, typer.Option("--certificate", help="File with the disposal certificate's text.")],
    key: KeyOption = "",
) -> None:
    """Certify that a party has disposed of what it received."""
    call_and_show("agreement.dispose", agreement=identifier, post=as_post, certificate=read_input(certificate), key=key)
