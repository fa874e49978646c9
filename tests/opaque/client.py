"""A client over plain sockets, so that a test decides every byte that is sent."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.errors import MissingFileError
from ledger.log.note import Ed25519Verifier

if TYPE_CHECKING:
    from tests.opaque.server import Running


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def post(entry: bytes, path: str = "/add") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(entry)}\r\n\r\n".encode() + entry


def get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode()


class Reader:
    """Answers, one after another, from a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.file = connection.makefile("rb")

    def answer(self, *, has_body: bool = True) -> Answer:
        status_line = self.file.readline()
        if not status_line:
            raise ConnectionError
        headers = {}
        while (line := self.file.readline().strip()) != b"":
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        length = int(headers.get("content-length", "0")) if has_body else 0
        body = self.file.read(length)
        if len(body) < length:
            raise ConnectionError
        return Answer(int(status_line.split()[1]), headers, body)

    def is_at_end(self) -> bool:
        return self.file.read(1) == b""


def ask(server: Running, data: bytes, *, has_body: bool = True) -> Answer:
    with server.connect() as connection:
        connection.sendall(data)
        return Reader(connection).answer(has_body=has_body)


def add(server: Running, entry: bytes) -> int:
    found = ask(server, post(entry))
    assert found.status == 200, found
    return int(found.body)


class HTTPFetcher:
    """The log's files over HTTP."""

    def __init__(self, server: Running) -> None:
        self.server = server

    def read(self, path: str) -> bytes:
        found = ask(self.server, get(f"/{path}"))
        if found.status == 404:
            raise MissingFileError(path)
        assert found.status == 200, found
        return found.body


def checkpoint_over(server: Running, size: int) -> Checkpoint:
    """Wait for a checkpoint of at least ``size``."""
    deadline = time.monotonic() + 30
    while True:
        found = open_checkpoint(HTTPFetcher(server).read("checkpoint"), Ed25519Verifier.from_vkey(server.vkey))
        if found.size >= size:
            return found
        assert time.monotonic() < deadline, found
