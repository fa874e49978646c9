"""The server: connections, the queue before the log, the checkpoints behind it, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import uvloop

from api.opaque.answers import Answers
from api.opaque.connection import Connection
from api.opaque.files import PublicFiles
from api.opaque.intake import Intake, Publisher

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ledger.log.ports import Fetcher
    from ledger.service.opaque_log import OpaqueLog

_TICK_S: Final = 0.5
_BACKLOG: Final = 4096
_LEAVE_S: Final = 5.0
_SWITCH_S: Final = 0.0005
"""How long a thread that waits for Python's lock lets another go on. The usual 5 ms, at each of a checkpoint's some
hundred reads and writes of files, would make a checkpoint take a second while requests come in."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the server holds at most, and how long it waits.

    Attributes:
        entries: entries that wait for the disk; beyond that the answer is 429.
        entries_bytes: their bytes.
        connections: open connections; beyond that the answer is 503.
        busy_s: how long a request may take to come in, or its answer to be read.
        idle_s: how long a connection may ask nothing.
    """

    entries: int = 16_384
    entries_bytes: int = 128 << 20
    connections: int = 16_384
    busy_s: float = 20.0
    idle_s: float = 120.0


class Server:
    """What all connections share. Made in the running event loop."""

    def __init__(self, log: OpaqueLog, fetcher: Fetcher, limits: Limits, checkpoint_interval_s: float) -> None:
        self.answers = Answers()
        self.files = PublicFiles(log, fetcher, self.answers)
        self.publisher = Publisher(log, checkpoint_interval_s)
        self.intake = Intake(log, self.publisher, entries_max=limits.entries, bytes_max=limits.entries_bytes)
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._connections: set[Connection] = set()
        self._empty = asyncio.Event()
        self.is_leaving = False
        self.now = self._loop.time()
        self._timer = self._loop.call_later(_TICK_S, self._tick)

    def take(self, connection: Connection) -> bool:
        """Count a connection in; return False if there are too many."""
        self._empty.clear()
        self._connections.add(connection)
        return len(self._connections) <= self._limits.connections and not self.is_leaving

    def drop(self, connection: Connection) -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    async def close(self) -> None:
        """Answer what was asked, publish its checkpoint, and let every connection go."""
        self.is_leaving = True
        self._timer.cancel()
        for connection in list(self._connections):
            connection.leave()
        await self.intake.close()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), _LEAVE_S)
        self.publisher.close()

    def _tick(self) -> None:
        self.now = self._loop.time()
        self.answers.tick()
        for connection in list(self._connections):
            connection.check_time(busy_s=self._limits.busy_s, idle_s=self._limits.idle_s)
        self._timer = self._loop.call_later(_TICK_S, self._tick)


def serve(
    log: OpaqueLog,
    fetcher: Fetcher,
    listener: socket.socket,
    *,
    checkpoint_interval_s: float,
    limits: Limits,
    announce: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT; the log stays open and belongs to the caller.

    Args:
        log: where entries go.
        fetcher: the log's public files.
        listener: the socket to serve on.
        checkpoint_interval_s: time between checkpoints while the log grows.
        limits: what to hold at most.
        announce: called once requests are answered and signals are heard.
    """
    sys.setswitchinterval(_SWITCH_S)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        server = Server(log, fetcher, limits, checkpoint_interval_s)
        server.publisher.due()  # What a killed process had taken may be in no checkpoint yet.
        listening = await loop.create_server(lambda: Connection(server), sock=listener, backlog=_BACKLOG)
        announce()
        await stop.wait()
        listening.close()
        await server.close()

    uvloop.run(run())
