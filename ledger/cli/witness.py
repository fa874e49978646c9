"""``quanze witness init|key|serve``: a witness that anyone can run, for logs of others."""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger import bootstrap
from ledger.cli.commands import COMMON, group
from ledger.cli.logs import log_service
from ledger.cli.output import console, show
from ledger.cli.passphrase import with_passphrase
from ledger.cli.session import settings
from ledger.domain.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
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
        listener = parts.enter_context(_listen(listen))
        opened = bootstrap.open_witness(with_passphrase(settings()), logs)
        parts.callback(opened.close)
        _announce(opened, listener)
        opened.serve(listener)


def _listen(address: str) -> socket.socket:
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise InvalidInputError("--listen", address, "HOST:PORT, as 127.0.0.1:8441")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), int(port)), family=family)
    except OSError as error:
        raise UnavailableError("port", f"{address}: {error.strerror or error}") from error


def _announce(opened: OpenWitness, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    up = {
        "event": "up",
        "address": f"http://{shown}:{port}/",
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
