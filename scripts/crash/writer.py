"""The process that is crashed: it owns a log, and does and answers one order after another.

``python -m scripts.crash.writer SOCKET`` reads folders, one a line, from its standard input and forks a child for
each, so that a life costs no import. The child connects to the socket, says its process id, waits for the first order
(whoever traces it attaches meanwhile), opens the folder's log and goes on until it is told to close it, or dies.

Orders and answers are JSON, one a line::

    {"do": "go"}                                  {"is": "opened", "size": 12}
    {"do": "append", "name": "a", "count": 3}     {"is": "appended", "first": 12, "name": "a", "count": 3}
    {"do": "publish"}                             {"is": "published", "note": "…"}
    {"do": "close"}                               {"is": "closed"}
    any                                           {"is": "refused", "code": "unavailable", "reason": "…"}

After a refusal the log is recovered in this process before the next order.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import random
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from ledger.domain.errors import LedgerError
from ledger.log.note import Ed25519Signer
from ledger.log.storage import FolderLog
from ledger.log.storage import folder as folder_module
from ledger.log.storage import segments as segments_module

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNER = Ed25519Signer("example.org/crash", bytes(range(32)))

_SMALL = ((segments_module, "_SEGMENT_BYTES", 3_000), (folder_module, "_EDGE_ENTRIES", 400))
"""So that a short life begins and removes segments and writes tiles without a checkpoint."""

_ANY_TRACER = (0x59616D61, -1)  # prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)


def entries_of(name: str, count: int) -> list[bytes]:
    """Return the entries of an order; bytes and lengths follow from its name, and no two are the same."""
    chance = random.Random(name)  # noqa: S311 - no secret
    return [f"{name} {number} ".encode() + chance.randbytes(chance.randrange(40)) for number in range(count)]


@contextlib.contextmanager
def small_files() -> Iterator[None]:
    """Let logs of this process begin segments and write tiles after a few entries."""
    before = [getattr(module, name) for module, name, _ in _SMALL]
    for module, name, value in _SMALL:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(_SMALL, before, strict=True):
            setattr(module, name, value)


def open_log(folder: Path) -> FolderLog:
    """Open the drill's log in a folder."""
    return FolderLog.open(folder, signer=SIGNER, origin=SIGNER.name)


def serve(folder: Path, connection: socket.socket) -> None:
    """Do orders until ``close``."""
    log: FolderLog | None = None
    with connection, connection.makefile("rb") as orders:
        _tell(connection, {"pid": os.getpid()})
        for line in orders:
            order = json.loads(line)
            if order["do"] == "die":
                os._exit(0)
            try:
                if log is None:
                    log = open_log(folder)
                    answer: dict[str, Any] = {"is": "opened", "size": log.size()}
                elif order["do"] == "append":
                    first = log.append(entries_of(order["name"], order["count"]))
                    answer = {"is": "appended", "first": first, "name": order["name"], "count": order["count"]}
                elif order["do"] == "publish":
                    answer = {"is": "published", "note": log.publish_checkpoint().decode()}
                elif order["do"] == "recover":
                    log.recover()
                    answer = {"is": "recovered", "size": log.size()}
                else:
                    log.close()
                    answer = {"is": "closed"}
            except LedgerError as error:
                answer = {"is": "refused", "code": error.code, "reason": error.explain()}
            except OSError as error:
                answer = {"is": "refused", "code": "raw", "reason": str(error)}
            _tell(connection, answer)
            if answer["is"] == "closed":
                return


def _tell(connection: socket.socket, answer: dict[str, Any]) -> None:
    connection.sendall(json.dumps(answer).encode() + b"\n")


def main() -> None:
    """Fork a child for each folder and say how it ended."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # stdout is taken.
    with small_files():
        for line in sys.stdin:
            child = os.fork()
            if child == 0:
                ctypes.CDLL(None).prctl(*_ANY_TRACER, 0, 0, 0)
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(sys.argv[1])
                serve(Path(json.loads(line)), connection)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            os.write(1, f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main()
