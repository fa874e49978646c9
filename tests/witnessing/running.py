"""Witnesses on loopback ports: ours, one that answers what a test tells it, and a Go program where one is installed."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from ledger.witnessing.serving import serve
from ledger.witnessing.state import WitnessState, make_state
from ledger.witnessing.witness import Witness
from tests.witnessing.growing import LOGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ledger.log.cosignature import Cosigner
    from ledger.log.ports import NoteVerifier

Answer = tuple[int, str, bytes]


@contextlib.contextmanager
def our_witness(
    folder: Path, cosigner: Cosigner, logs: Mapping[str, Sequence[NoteVerifier]] | None = None
) -> Iterator[str]:
    """Run a witness of ours, and yield its address."""
    make_state(folder)
    state = WitnessState.open(folder)
    witness = Witness(state, cosigner, LOGS if logs is None else logs)
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(witness, listener, stop))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        listener.close()
        state.close()


@contextlib.contextmanager
def told_witness(answer: Callable[[bytes], Answer]) -> Iterator[str]:
    """Run a server that answers each POST as told, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, kind, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            with contextlib.suppress(ConnectionError):  # The client may have given up.
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Tell nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
