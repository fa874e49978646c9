"""The local socket of ``quanze up``: one JSON line asks for a verb, JSON lines answer.

    -> {"verb": "agency.list", "arguments": {}}
    <- {"progress": {"what": "events", "done": 1000, "total": 5000}}      (any number)
    <- {"result": ...}   or   {"error": {"code": ..., "message": ..., "exit_code": ...}}

The socket lies in the home folder, readable by its owner only; whoever can open it could as well have
taken the home's lock.
"""

from __future__ import annotations

import contextlib
import os
import socket
import socketserver
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ledger.cli.exit_codes import RemoteError, exit_code_of
from ledger.domain.errors import LedgerError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ledger.service.services import Services

Progress: TypeAlias = "Callable[[str, int, int], None]"
MAX_REQUEST_BYTES = 256 << 20


class SocketServer:
    """Answers verbs on the home's socket from a thread of its own until closed."""

    def __init__(self, path: Path, services: Services) -> None:
        self._path = path
        with contextlib.suppress(FileNotFoundError):
            path.unlink()  # The home lock is held, so a file here is a dead process's.
        handler = _handler_for(services)
        with _short_path(path) as address:
            self._server = _Server(address, handler)
        path.chmod(0o600)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="socket", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False


def _handler_for(services: Services) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            # A client that hangs up early is no fault of ours; the verb's effects are durable anyway.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                while line := self.rfile.readline(MAX_REQUEST_BYTES):
                    self._send(self._answer(line))

        def _answer(self, line: bytes) -> dict[str, object]:
            def progress(what: str, done: int, total: int) -> None:
                self._send({"progress": {"what": what, "done": done, "total": total}})

            try:
                request = msgspec.json.decode(line)
                result = services.dispatch(request["verb"], request["arguments"], progress)
            except LedgerError as error:
                return {"error": describe(error)}
            except Exception:  # noqa: BLE001 - reported in full; the asker learns that there was a fault.
                services.report_fault()
                return {"error": {"code": "INTERNAL", "message": "a fault of this program", "exit_code": 5}}
            return {"result": result}

        def _send(self, frame: dict[str, object]) -> None:
            self.wfile.write(msgspec.json.encode(frame) + b"\n")

    return Handler


def describe(error: LedgerError) -> dict[str, object]:
    """Return an error as the JSON values that travel over the socket and that ``--json`` prints."""
    return {"code": error.code, "message": error.explain(), "exit_code": exit_code_of(error)}


class SocketSession:
    """Calls verbs of a running ``quanze up``."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _short_path(path) as address:
                self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise
        self._reader = self._socket.makefile("rb")

    def call(self, verb: str, arguments: Mapping[str, object], progress: Progress) -> Any:
        """Ask for a verb and return its JSON result.

        Raises:
            RemoteError: With the code and message that the other process gave.
            UnavailableError: If it went away before answering.
        """
        try:
            self._socket.sendall(msgspec.json.encode({"verb": verb, "arguments": arguments}) + b"\n")
            while line := self._reader.readline():
                frame = msgspec.json.decode(line)
                if "progress" in frame:
                    told = frame["progress"]
                    progress(told["what"], told["done"], told["total"])
                elif "error" in frame:
                    raise RemoteError(**frame["error"])
                else:
                    return frame["result"]
        except OSError as error:
            raise UnavailableError(what="quanze up", reason="the running process closed the connection") from error
        raise UnavailableError(what="quanze up", reason="the running process stopped before it answered")

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self._socket.close()


@contextlib.contextmanager
def _short_path(path: Path) -> Iterator[str]:
    """Yield an address for ``path`` within the 108 bytes that a Unix socket's name may have."""
    if len(os.fsencode(path)) < 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
