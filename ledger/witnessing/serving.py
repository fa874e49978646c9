"""A witness behind HTTP until it is told to stop."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING, Final

import uvicorn

if TYPE_CHECKING:
    import socket

    from ledger.witnessing.witness import Witness

_CONNECTIONS_MAX: Final = 256
"""More at once are answered 503: a witness serves a few logs, each with a connection or two."""

_KEEP_ALIVE_S: Final = 75


def serve(witness: Witness, listener: socket.socket, stop: threading.Event | None = None) -> None:
    """Answer on the listener until SIGINT, SIGTERM or the event; requests under way are finished."""
    config = uvicorn.Config(
        witness.app,
        interface="asgi3",
        lifespan="off",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # Ours end quietly.
    told = threading.Event() if stop is None else stop
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: told.set())

    def watch() -> None:
        told.wait()
        server.should_exit = True

    threading.Thread(target=watch, name="stop", daemon=True).start()
    server.run(sockets=[listener])
    told.set()
