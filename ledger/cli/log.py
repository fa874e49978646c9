"""``quanze log serve|key``: a plain log for any bytes, and the key that a log's checkpoints verify with."""

from __future__ import annotations

import contextlib
import importlib
import json
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger import bootstrap
from ledger.cli import exit_codes
from ledger.cli.calls import call_and_show
from ledger.cli.commands import COMMON, group
from ledger.cli.listening import listen_on, url_of
from ledger.cli.logs import log_service
from ledger.cli.output import console, progress, show
from ledger.cli.passphrase import with_passphrase
from ledger.cli.session import settings
from ledger.domain.errors import InvalidInputError

if TYPE_CHECKING:
    import socket

    from ledger.bootstrap.opaque import OpaqueHome

log = group("log", "The log itself: a plain one for any bytes, and its public key.")

_FILES_WANTED = 1 << 16


@log.command("serve")
def serve(
    opaque: Annotated[
        bool, typer.Option("--opaque", help="Take any bytes; without a chain, agreements or checks.")
    ] = False,
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Address to listen on; port 0 takes a free one.")
    ] = "127.0.0.1:0",
    origin: Annotated[
        str, typer.Option("--origin", help="A new log's name, as log.example.org/plain; drawn when absent.")
    ] = "",
    checkpoint_ms: Annotated[
        int,
        typer.Option("--checkpoint-ms", min=10, max=1000, help="Time between checkpoints while the log grows."),
    ] = 40,
) -> None:
    """Serve a plain log until Ctrl-C: POST /add, and its tlog-tiles files. An empty home gets a log of its own."""
    if not opaque:
        raise InvalidInputError("--opaque", "absent", "`--opaque`; a ledger's own log is served by `quanze up`")
    log_service()
    _raise_file_limit()
    chosen = settings()
    if bootstrap.has_sealed_log_key(chosen):
        chosen = with_passphrase(chosen)
    with contextlib.ExitStack() as parts:
        listener = parts.enter_context(listen_on(listen))
        home = bootstrap.open_opaque(chosen, origin=origin)
        parts.callback(home.close)
        # Found by name, since only this verb needs the server: the others start sooner without it.
        server = importlib.import_module("api.opaque")
        server.serve(
            home.log,
            home.fetcher,
            listener,
            checkpoint_interval_s=checkpoint_ms / 1000,
            limits=server.Limits(),
            announce=lambda: _announce(home, listener, str(chosen.home)),
        )


@log.command("key")
def key(public: Annotated[bool, typer.Option("--public", help="Print the verifier key.")] = False) -> None:
    """Print the key that the log's checkpoints verify with, as one C2SP vkey."""
    if not public:
        raise InvalidInputError("--public", "absent", "`--public`; the private part is never shown")
    vkey = bootstrap.public_log_key(settings())
    show({"vkey": vkey}, lambda out, found: out.print(found["vkey"]))


@log.command("rotate-key")
def rotate_key(
    retire: Annotated[bool, typer.Option("--retire", help="End the overlap: the key before signs no more.")] = False,
) -> None:
    """Let a new key sign the log, recorded on chain; the one before signs too until --retire.

    `quanze up` must be stopped meanwhile. Run again after a crash, it goes on.
    """
    show(bootstrap.rotate_log_key(with_passphrase(settings()), retire=retire))


@log.command("gaps")
def gaps(
    source: Annotated[str, typer.Argument(metavar="LOG", help="The log's folder, or the address of its files.")],
    vkey: Annotated[str, typer.Option("--vkey", metavar="VKEY", help="The verifier key of its checkpoints.")],
) -> None:
    """Check a log and tell where a stream of leaves does not follow; needs no home and no account."""
    with progress() as told:
        found = bootstrap.stream_gaps(source, vkey, told)
    show(found)
    if found["gaps"]:
        raise typer.Exit(exit_codes.CHECK_FAILED)


@log.command("migrate")
def migrate(
    to: Annotated[
        str,
        typer.Option("--to", metavar="STORE", help="s3://bucket/prefix, a folder, or the home's own log folder."),
    ],
    endpoint: Annotated[
        str, typer.Option("--endpoint", help="The S3 service, where it is not Amazon's (else QUANZE_S3_ENDPOINT).")
    ] = "",
) -> None:
    """Publish the log in another place: copy, verify every file, switch. Run again after a crash, it goes on."""
    if "://" not in to:
        to = str(Path(to).absolute())
        endpoint = ""
    elif not endpoint:
        endpoint = settings().s3_endpoint
    call_and_show("log.migrate", to=to, endpoint=endpoint)


def _announce(home: OpaqueHome, listener: socket.socket, path: str) -> None:
    up = {
        "event": "up",
        "address": url_of(listener),
        "home": path,
        "vkey": home.vkey,
        "log_size": home.log.size(),
        "key_sealed": home.is_key_sealed,
    }
    if not home.is_key_sealed:
        sys.stderr.write(
            f"warning: the log's key is not encrypted; whoever can read {path}/keys can sign for this log "
            "(QUANZE_PASSPHRASE_FILE, set before the first start, encrypts it)\n"
        )
    if COMMON.get().json or not sys.stdout.isatty():
        sys.stdout.write(json.dumps(up) + "\n")
        sys.stdout.flush()
        return
    out = console()
    out.print(f"a plain log is up at {up['address']}  (Ctrl-C stops it)")
    out.print(f"  home {path}, size {up['log_size']}, key {home.vkey}")


def _raise_file_limit() -> None:
    """Let the process hold as many connections as the system allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, _FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
