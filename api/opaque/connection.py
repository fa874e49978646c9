"""One HTTP/1.1 connection: requests in, answers out in the same order, within limits.

httptools (the parser of Node) reads the requests, strictly. Each request takes a place in the connection's line of
answers; an answer is written when every one before it has been, so that pipelined requests work.
"""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

import httptools

from ledger.domain.errors import IntegrityError
from ledger.log.tiles import MAX_ENTRY_BYTES

if TYPE_CHECKING:
    from api.opaque.server import Server
    from ledger.domain.errors import LedgerError

_HEAD_BYTES: Final = 16 << 10
_URL_BYTES: Final = 2048
_LINE_MAX: Final = 1024
"""Requests of one connection that may wait; beyond that nothing more is read from it."""

_UNSENT_BYTES: Final = 1 << 20
_ADD: Final = b"/add"
_RETRY: Final = b"Retry-After: 1\r\n"
_CLOSE: Final = b"Connection: close\r\n"
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Place:
    """A request's place in its connection's line of answers."""

    __slots__ = ("answer", "connection", "entry", "is_head", "is_last", "url")

    def __init__(self, connection: Connection, *, is_last: bool) -> None:
        self.connection = connection
        self.is_last = is_last
        self.entry = b""
        self.url = b""
        self.is_head = False
        self.answer = b""

    def accept(self, index: int) -> None:
        """Answer with the index of the entry, which is on disk."""
        self.answer = self.connection.server.answers.index(index)
        self.connection.flush()

    def refuse(self, error: LedgerError) -> None:
        """Answer that the entry was not taken, and why."""
        is_broken = isinstance(error, IntegrityError)
        status = HTTPStatus.INTERNAL_SERVER_ERROR if is_broken else HTTPStatus.SERVICE_UNAVAILABLE
        self.answer = self.connection.server.answers.refusal(status, error.explain(), _RETRY)
        self.connection.flush()


class Connection(asyncio.Protocol):
    """Reads requests and writes answers. Every method is called in the event loop's thread."""

    __slots__ = (
        "_body",
        "_body_bytes",
        "_content_length",
        "_expects",
        "_has_host",
        "_head_bytes",
        "_is_draining",
        "_is_paused",
        "_line",
        "_method",
        "_parser",
        "_stage",
        "_transport",
        "_url",
        "server",
        "since",
    )

    def __init__(self, server: Server) -> None:
        self.server = server
        self.since = server.now
        self._line: deque[Place] = deque()
        self._parser = httptools.HttpRequestParser(self)
        self._stage = ""
        self._is_draining = False
        self._is_paused = False
        self._head_bytes = 0

    # The transport calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or refuse it when there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        if not self.server.take(self):
            self._stop(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections", _RETRY)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature.
        """Forget the connection; what it sent is written all the same."""
        self._is_draining = True
        self._line.clear()
        self.server.drop(self)

    def data_received(self, data: bytes) -> None:
        """Read what came; a request that is no HTTP ends the connection with its answer."""
        if self._is_draining:
            return
        if self._stage == "head":
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES:
                self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the head has more than {_HEAD_BYTES} bytes")
                return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._stop(HTTPStatus.BAD_REQUEST, "no other protocol is spoken here")
        except httptools.HttpParserError:
            self._stop(HTTPStatus.BAD_REQUEST, "this is not a request of HTTP/1.1")
        if len(self._line) > _LINE_MAX:
            self._pause()

    def eof_received(self) -> bool:
        """Answer what was asked before the client's last byte, then close."""
        if not self._line or self._is_draining:
            return False
        self._line[-1].is_last = True
        self._is_draining = True
        return True

    def pause_writing(self) -> None:
        """Read nothing more from a client that does not read."""
        self.since = self.server.now
        self._pause()

    def resume_writing(self) -> None:
        """Go on with the answers."""
        self.flush()

    # The parser calls these.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self.since = self.server.now
        self._stage = "head"
        self._head_bytes = 0
        self._url = b""
        self._body = b""
        self._body_bytes = 0
        self._content_length = 0
        self._expects = False
        self._has_host = False

    def on_url(self, url: bytes) -> None:
        """Take (a part of) the request's target."""
        self._url += url
        if len(self._url) > _URL_BYTES:
            self._stop(HTTPStatus.REQUEST_URI_TOO_LONG, f"the path has more than {_URL_BYTES} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Look at the few headers that matter."""
        self._head_bytes += len(name) + len(value)
        length = len(name)  # Compared first, since it is cheap and rarely one of these.
        if length == 4:
            self._has_host = self._has_host or name.lower() == b"host"
        elif length == 14:
            if name.lower() == b"content-length":
                self._content_length = int(value)
        elif length == 6:
            self._expects = self._expects or name.lower() == b"expect"

    def on_headers_complete(self) -> None:
        """Refuse what need not be read to its end."""
        self._method = self._parser.get_method()
        if self._is_draining:
            return
        if self._head_bytes > _HEAD_BYTES:
            self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the head has more than {_HEAD_BYTES} bytes")
        elif not self._has_host and self._parser.get_http_version() == "1.1":
            self._stop(HTTPStatus.BAD_REQUEST, "a request of HTTP/1.1 names its host")
        elif self._content_length > MAX_ENTRY_BYTES:
            self._too_long()
        elif self._expects and not self._line:
            self._transport.write(_CONTINUE)
        self._stage = "body"
        self._head_bytes = 0

    def on_body(self, part: bytes) -> None:
        """Take (a part of) an entry."""
        self._body_bytes += len(part)
        if self._body_bytes > MAX_ENTRY_BYTES:
            self._too_long()
        else:
            self._body = self._body + part if self._body else part

    def on_message_complete(self) -> None:
        """Give the request its place, and the entry to the log."""
        self._stage = ""
        if self._is_draining:
            return
        parser = self._parser
        is_last = not parser.should_keep_alive() or parser.get_http_version() != "1.1"
        place = Place(self, is_last=is_last)
        self._line.append(place)
        if is_last:
            self._is_draining = True
        if self._url == _ADD or self._url.partition(b"?")[0] == _ADD:
            self._take_entry(place)
        elif self._method in {b"GET", b"HEAD"}:
            place.url, place.is_head = self._url, self._method == b"HEAD"
            self.flush()
        else:
            self._answer(place, HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD", b"Allow: GET, HEAD\r\n")

    # The server calls these.

    def flush(self) -> None:
        """Write the answers that are next in line."""
        line = self._line
        transport = self._transport
        while line:
            place = line[0]
            answer = place.answer
            if not answer:
                if not place.url or transport.get_write_buffer_size() > _UNSENT_BYTES:
                    break
                # Only now, so that a client which asks for many files and reads none holds one in memory at most.
                answer = self.server.files.answer(place.url, with_body=not place.is_head)
            line.popleft()
            transport.write(answer)
            if place.is_last:
                self._end()
                return
        if self._is_paused and len(line) < _LINE_MAX // 2 and transport.get_write_buffer_size() <= _UNSENT_BYTES:
            self._is_paused = False
            transport.resume_reading()
        self.since = self.server.now

    def leave(self) -> None:
        """Close once what was asked is answered: the server stops."""
        if self._line:
            self._line[-1].is_last = True
            self._is_draining = True
        else:
            self._transport.close()

    def check_time(self, *, busy_s: float, idle_s: float) -> None:
        """Close a connection that takes too long: to send a request, to read its answers, or to ask again."""
        waited = self.server.now - self.since
        if waited < busy_s:
            return
        if self._transport.is_closing() or self._is_paused:
            self._transport.abort()
        elif self._is_draining:
            if not self._line:
                self._transport.abort()
        elif self._stage:
            self._stop(HTTPStatus.REQUEST_TIMEOUT, f"the request was not complete after {busy_s:.0f} s")
        elif not self._line and waited >= idle_s:
            self._transport.close()

    def _take_entry(self, place: Place) -> None:
        if self._method != b"POST":
            self._answer(place, HTTPStatus.METHOD_NOT_ALLOWED, "only POST", b"Allow: POST\r\n")
            return
        if not self._body:
            self._answer(place, HTTPStatus.BAD_REQUEST, "an entry has 1 to 65535 bytes; this one has none")
            return
        place.entry = self._body
        if not self.server.intake.add(place):
            place.entry = b""
            self._answer(place, HTTPStatus.TOO_MANY_REQUESTS, "too many entries wait for the disk", _RETRY)

    def _answer(self, place: Place, status: HTTPStatus, reason: str, headers: bytes = b"") -> None:
        place.answer = self.server.answers.refusal(status, reason, headers, with_body=self._method != b"HEAD")
        self.flush()

    def _too_long(self) -> None:
        self._stop(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"an entry has at most {MAX_ENTRY_BYTES} bytes")

    def _stop(self, status: HTTPStatus, reason: str, headers: bytes = b"") -> None:
        """Answer, after all that was asked before, and read no further request."""
        if self._is_draining:
            return
        self._is_draining = True
        place = Place(self, is_last=True)
        place.answer = self.server.answers.refusal(status, reason, _CLOSE + headers)
        self._line.append(place)
        self.flush()

    def _end(self) -> None:
        """Say that no more will come, and wait a little for the client to close, so that it gets the answer."""
        self._is_draining = True
        self._line.clear()
        self.since = self.server.now
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        if self._transport.can_write_eof() and not self.server.is_leaving:
            self._transport.write_eof()
        else:
            self._transport.close()

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
