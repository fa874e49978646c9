"""Clients that send batches as fast as they are answered, each a process and a connection of its own.

They cost little beside what they measure: bodies are made and signed before the clock starts, and a client does
nothing between an answer and its next request but send it.
"""

from __future__ import annotations

import multiprocessing
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from multiprocessing.connection import Connection

    from scripts.bench.signed_batches import Stream

_TIMEOUT_S: Final = 120.0
_FORK: Final = multiprocessing.get_context("fork")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: its status, its header lines in lower case, and its body."""

    status: int
    head: bytes
    body: bytes


class Sender:
    """One connection that posts batches."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), timeout=_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = f"{host}:{port}".encode()

    def post(self, body: bytes) -> Answer:
        """Send a batch and return its answer.

        Raises:
            OSError: The connection broke before the answer was here.
        """
        head = (
            b"POST /v1/events HTTP/1.1\r\nHost: %b\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n"
            % (self._host, len(body))
        )
        self._socket.sendall(head + body)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._piece()
        lines = bytes(received[:end]).lower()
        length = int(lines.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        while len(received) < end + 4 + length:
            received += self._piece()
        return Answer(int(lines.split(b" ", 2)[1]), lines, bytes(received[end + 4 :]))

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _piece(self) -> bytes:
        piece = self._socket.recv(1 << 18)
        if not piece:
            raise ConnectionError("the server closed the connection")
        return piece


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took: from the first byte sent to the last answer, and each request's time."""

    events: int
    seconds: float
    times: list[float]

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


def run_clients(host: str, port: int, streams: Sequence[Stream], *, batch: int, batches: int, ahead: bool) -> Run:
    """Send batches of every stream at once, and let the streams go on from there.

    Args:
        host: Where the server listens.
        port: Its port.
        streams: One for each client.
        batch: Events a batch.
        batches: Batches a client.
        ahead: Make all bodies before the clock starts; otherwise each just before it is sent.
    """
    pairs = [_FORK.Pipe() for _ in streams]
    processes = [
        _FORK.Process(target=_client, args=(theirs, host, port, stream, batch, batches, ahead))
        for (_, theirs), stream in zip(pairs, streams, strict=True)
    ]
    for process in processes:
        process.start()
    try:
        for ours, _ in pairs:
            ours.recv()
        started = time.perf_counter()
        for ours, _ in pairs:
            ours.send("go")
        found = [ours.recv() for ours, _ in pairs]
        seconds = time.perf_counter() - started
    finally:
        for process in processes:
            process.join(5)
            process.terminate()
    for stream, (next_seq, last, _, fault) in zip(streams, found, strict=True):
        if fault:
            raise SystemExit(fault)
        stream.next_seq, stream.last = next_seq, last
    return Run(batch * batches * len(streams), seconds, [one for _, _, times, _ in found for one in times])


def _client(
    pipe: Connection[Any, Any], host: str, port: int, stream: Stream, batch: int, batches: int, ahead: bool
) -> None:
    bodies: Iterable[bytes] = stream.batches(batch, batches)
    if ahead:
        bodies = list(bodies)
    sender = Sender(host, port)
    times: list[float] = []
    fault = ""
    pipe.send("ready")
    pipe.recv()
    for body in bodies:
        began = time.perf_counter()
        answer = sender.post(body)
        times.append(time.perf_counter() - began)
        if answer.status != 201:
            fault = f"{answer.status}: {answer.body[:500]!r}"
            break
    sender.close()
    pipe.send((stream.next_seq, stream.last, times, fault))
