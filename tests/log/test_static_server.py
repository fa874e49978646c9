"""A log's folder behind a web server that knows nothing of logs, read by our client and by Tessera's fsck."""

from __future__ import annotations

import http.server
import os
import shutil
import subprocess
import threading
from functools import partial
from typing import TYPE_CHECKING

import httpx
import pytest

from ledger.log.client import read_checkpoint, read_entry, verify_log
from ledger.log.errors import MissingFileError
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from tests.log.conftest import numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ledger.log.storage import FolderLog


class WebFetcher:
    """Reads a log as any client on the web does."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address)

    def read(self, path: str) -> bytes:
        answer = self._client.get(path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise MissingFileError(path)
        return answer.raise_for_status().content

    def close(self) -> None:
        self._client.close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Python's own static files, without a line for each."""

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(folder: Path) -> Iterator[str]:
    """The address of a static web server over the log's folder."""
    folder.mkdir(exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("size", [1, 256, 70_005])
def test_any_static_web_server_serves_the_log(
    open_log: Callable[[], FolderLog], signer: Ed25519Signer, served: str, size: int
) -> None:
    log = open_log()
    for first in range(0, size, 1000):
        log.append(numbered(first, min(1000, size - first)))
    log.publish_checkpoint()
    fetcher = WebFetcher(served)
    key = Ed25519Verifier.from_vkey(signer.vkey)
    *_, last = verify_log(fetcher, key)
    assert last.entries == size
    checkpoint = read_checkpoint(fetcher, key)
    for index in {0, size // 2, size - 1}:
        assert read_entry(fetcher, index, checkpoint) == b"entry %d" % index
    fetcher.close()


def test_tessera_reads_the_log_behind_a_static_web_server(
    open_log: Callable[[], FolderLog], signer: Ed25519Signer, served: str, tmp_path: Path
) -> None:
    log = open_log()
    log.append(numbered(0, 70_005))
    log.publish_checkpoint()
    log.append(numbered(70_005, 300))
    log.publish_checkpoint()
    given = os.environ.get("QUANZE_TESSERA_FSCK", "")
    program = shutil.which(given) if given else None
    if program is None:
        print("QUANZE_TESSERA_FSCK names no program: our own client reads the log in Tessera's place")
        fetcher = WebFetcher(served)
        *_, last = verify_log(fetcher, Ed25519Verifier.from_vkey(signer.vkey))
        fetcher.close()
        assert last.entries == 70_305
        return
    key = tmp_path / "key"
    key.write_text(signer.vkey, "ascii")
    said = subprocess.run(
        [program, "--ui=false", "--storage_url", served, "--public_key", str(key)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Successfully fsck'd log with size 70305" in said.stderr  # Its exit code says nothing.
