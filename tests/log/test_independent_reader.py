"""A log that we wrote, read by somebody else's program: Tessera's ``fsck``, where Go is present."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from ledger.log.storage import FolderLog
from ledger.log.tiles import decode_bundle, encode_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ledger.log.note import Ed25519Signer

FSCK = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4"


class Silent(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each on stderr."""

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="session")
def fsck(root: Path) -> Path:
    """Tessera's fsck, built once into the project's build folder."""
    folder = root / "build" / "go"
    program = folder / "fsck"
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        pytest.skip("NOT RUN: Go is not here, so no independent program read our log")
    folder.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(
        [go, "install", FSCK],
        env={**os.environ, "GOFLAGS": "-mod=mod", "GOBIN": str(folder)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    if built.returncode:
        pytest.skip(f"NOT RUN: Go could not build the independent reader of our log: {built.stderr[-300:]}")
    return program


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[[], str]]:
    """Serve the log's folder as plain files; return the address."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def started() -> str:
        handler = functools.partial(Silent, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield started
    for server in servers:
        server.shutdown()
        server.server_close()


def run(fsck: Path, address: str, signer: Ed25519Signer, folder: Path) -> str:
    """Return what fsck says; its exit code is 0 even when it refuses a log."""
    key = folder.parent / "log.vkey"
    key.write_text(signer.vkey)
    done = subprocess.run(
        [fsck, "--storage_url", address, "--public_key", key, "--ui=false"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stderr


def write(log: FolderLog, count: int) -> None:
    for first in range(0, count, 100):
        log.append([b"entry %d" % index for index in range(first, min(first + 100, count))])


@pytest.mark.parametrize("size", [1, 256, 700, 66_000])
def test_independent_reader_accepts_our_log(
    fsck: Path,
    serve: Callable[[], str],
    open_log: Callable[[], FolderLog],
    folder: Path,
    signer: Ed25519Signer,
    size: int,
) -> None:
    log = open_log()
    write(log, size // 3)
    log.publish_checkpoint()
    write(log, size - size // 3)
    log.publish_checkpoint()
    said = run(fsck, serve(), signer, folder)
    assert f"Successfully fsck'd log with size {size} " in said, said


def test_independent_reader_refuses_our_log_with_an_altered_entry(
    fsck: Path, serve: Callable[[], str], open_log: Callable[[], FolderLog], folder: Path, signer: Ed25519Signer
) -> None:
    log = open_log()
    write(log, 300)
    log.publish_checkpoint()
    bundle = folder / "tile" / "entries" / "001.p" / "44"
    entries = decode_bundle(bundle.read_bytes(), 44)
    entries[7] = b"forged"
    bundle.write_bytes(encode_bundle(entries))
    said = run(fsck, serve(), signer, folder)
    assert "fsck failed" in said
    assert "Successfully" not in said
