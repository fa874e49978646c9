"""Reads a log's public files from a web server over one connection, several at a time.

The answers to requests sent together come back in their order (HTTP/1.1 pipelining), so that what a read needs costs
one round trip. Nothing that a server says is believed here or bounded by its word: answers have a largest size and a
longest time. Nothing in between may answer from memory, and no variable of the environment names a proxy.
"""

from __future__ import annotations

import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httptools

from ledger.domain.errors import InvalidInputError, UnavailableError
from ledger.log.errors import MissingFileError
from ledger.log.tiles import MAX_ENTRY_BYTES, TILE_WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence

_BODY_MAX: Final = TILE_WIDTH * (MAX_ENTRY_BYTES + 2)
"""No file of a log is longer than a bundle of the longest entries."""

_MISSING: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_USUAL: Final = _MISSING | {HTTPStatus.OK}
_HEAD_MAX: Final = 64 << 10
_URL: Final = "http://HOST[:PORT]/[PATH] or https, in printable ASCII"
_TOGETHER: Final = 64
_PART_BYTES: Final = 256 << 10


class HTTPFetcher:
    """A Fetcher over HTTP. For one thread at a time."""

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        """Read below a URL such as ``http://127.0.0.1:8440/``; nothing is sent yet.

        Raises:
            InvalidInputError: it is no URL of http or https.
        """
        try:
            found = urlsplit(url)
            port = found.port
        except ValueError as error:
            raise InvalidInputError("url", url, _URL) from error
        if found.scheme not in {"http", "https"} or not found.hostname or found.query or found.fragment:
            raise InvalidInputError("url", url, _URL)
        if not url.isascii() or not url.isprintable() or " " in url:
            raise InvalidInputError("url", url, _URL)
        self._host = found.hostname
        self._is_secure = found.scheme == "https"
        self._port = port or (443 if self._is_secure else 80)
        self._prefix = found.path.rstrip("/") + "/"
        host = found.netloc.rpartition("@")[2]
        self._tail = f" HTTP/1.1\r\nHost: {host}\r\nCache-Control: no-cache\r\n\r\n"
        self._timeout_s = timeout_s
        self._connection: socket.socket | None = None

    def read(self, path: str) -> bytes:
        """Return one file.

        Raises:
            MissingFileError: the server has no such file.
            UnavailableError: it does not answer, or not as a web server should.
        """
        found = self.read_many([path])[0]
        if found is None:
            raise MissingFileError(path)
        return found

    def read_many(self, paths: Sequence[str]) -> list[bytes | None]:
        """Return files in the order asked for, None for each that is not there. Raises as ``read``."""
        found: list[bytes | None] = []
        for start in range(0, len(paths), _TOGETHER):
            found += self._ask(paths[start : start + _TOGETHER])
        return found

    def close(self) -> None:
        """Let go of the connection; the next read makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, paths: Sequence[str]) -> list[bytes | None]:
        request = "".join([f"GET {self._prefix}{path}{self._tail}" for path in paths]).encode("ascii")
        is_fresh = self._connection is None
        try:
            answers = self._exchange(request, paths)
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have.
            self.close()
            if is_fresh:
                raise self._unavailable(str(error)) from error
            return self._ask(paths)  # A server may close what was idle: once more over a new connection.
        if answers.is_closing:
            self.close()
        if len(answers.found) < len(paths):  # It closes after each answer.
            return [*answers.found, *self._ask(paths[len(answers.found) :])]
        return answers.found

    def _exchange(self, request: bytes, paths: Sequence[str]) -> _Answers:
        connection = self._connection or self._connect()
        connection.sendall(request)
        answers = _Answers()
        while len(answers.found) < len(paths) and not answers.is_closing:
            part = connection.recv(_PART_BYTES)
            if not part:
                raise ConnectionResetError("the server closed the connection")
            try:
                answers.feed(part)
            except httptools.HttpParserError as error:
                self.close()
                raise self._unavailable(answers.refused or "the answer is no HTTP") from error
        if answers.status not in _USUAL:
            self.close()
            raise self._unavailable(f"it answers {answers.status}")
        if len(answers.found) > len(paths):
            self.close()
            raise self._unavailable("it answers what was not asked")
        return answers

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self._host, self._port), self._timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._is_secure:
            connection = ssl.create_default_context().wrap_socket(connection, server_hostname=self._host)
        self._connection = connection
        return connection

    def _unavailable(self, reason: str) -> UnavailableError:
        return UnavailableError("log's server", reason, host=self._host, port=self._port)


class _Answers:
    """What came back so far. A refusal leaves the parser by an exception, as it must."""

    def __init__(self) -> None:
        self.found: list[bytes | None] = []
        self.status = int(HTTPStatus.OK)
        self.is_closing = False
        self.refused = ""
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._held = 0
        self._head = 0
        self._in_head = False

    def feed(self, part: bytes) -> None:
        """Take what came."""
        if self._in_head:
            self._head += len(part)
            self._refuse_if(self._head > _HEAD_MAX, "the head of its answer is too long")
        self._parser.feed_data(part)

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head = self._held = 0
        self._parts = []

    def on_headers_complete(self) -> None:
        self._in_head = False

    def on_body(self, part: bytes) -> None:
        self._held += len(part)
        self._refuse_if(self._held > _BODY_MAX, "its answer is longer than any file of a log")
        self._parts.append(part)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status not in _USUAL or self.status != HTTPStatus.OK:
            self.status = status if self.status == HTTPStatus.OK else self.status
            self.is_closing = True
            return
        self.found.append(b"".join(self._parts) if status == HTTPStatus.OK else None)
        self.is_closing = not self._parser.should_keep_alive()

    def _refuse_if(self, is_wrong: bool, reason: str) -> None:
        if is_wrong:
            self.refused = reason
            raise httptools.HttpParserError(reason)
