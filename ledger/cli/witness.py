"""``quanze witness init|key|serve``: a witness that anyone can run, for logs of others."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger import bootstrap
from ledger.cli.commands import COMMON, group
from ledger.cli.listening import listen_on, url_of
from ledger.cli.logs import log_service
from ledger.cli.output import console, show
from ledger.cli.passphrase import with_passphrase
from ledger.cli.session import settings

if TYPE_CHECKING:
    import socket

    from ledger.bootstrap.witness import OpenWitness

witness = group("witness", "A witness: cosigns checkpoints of logs that only ever grow.")


@witness.command("init")
def init(
    name: Annotated[str, typer.Option("--name", help="The witness's name, as witness.example.org/w1.")],
) -> None:
    """Make a witness in this home: its key and its empty record. Run again after a crash, it goes on."""
    vkey = bootstrap.init_witness(with_passphrase(settings(), twice=True), name)
    show({"name": name, "vkey": vkey}, lambda out, found: out.print(found["vkey"]))


@witness.command("key")
def key() -> None:
    """Print the key that the witness's cosignatures verify with, as one C2SP vkey."""
    show({"vkey": bootstrap.witness_key(settings())}, lambda out, found: out.print(found["vkey"]))


@witness.command("serve")
def serve(
    logs: Annotated[
        Path, typer.Option("--logs", metavar="FILE", help="The logs to watch, one line each: log VKEY [URL].")
    ],
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Address to listen on; port 0 takes a free one.")
    ] = "127.0.0.1:0",
) -> None:
    """Answer add-checkpoint (C2SP tlog-witness) until Ctrl-C."""
    log_service()
    with contextlib.ExitStack() as parts:
        listener = parts.enter_context(listen_on(listen))
        opened = bootstrap.open_witness(with_passphrase(settings()), logs)
        parts.callback(opened.close)
        _announce(opened, listener)
        opened.serve(listener)


def _announce(opened: OpenWitness, listener: socket.socket) -> None:
    up = {
        "event": "up",
        "address": url_of(listener),
        "vkey": opened.vkey,
        "logs": list(opened.origins),
    }
    if COMMON.get().json or not sys.stdout.isatty():
        sys.stdout.write(json.dumps(up) + "\n")
        sys.stdout.flush()
        return
    out = console()
    out.print(f"the witness is up at {up['address']}  (Ctrl-C stops it)")
    out.print(f"  key {opened.vkey}")
