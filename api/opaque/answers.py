"""The bytes of answers. All carry a date, a type and a length, and no cache keeps what is not a file of the log."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from api.headers import NO_STORE

TEXT: Final = "text/plain; charset=utf-8"
_NO_STORE_LINE: Final = f"Cache-Control: {NO_STORE['Cache-Control']}\r\n".encode()


class Answers:
    """Makes answers. The date is renewed by ``tick``, so that no answer pays for it."""

    __slots__ = ("_date", "_ok")

    def __init__(self) -> None:
        self.tick()

    def tick(self) -> None:
        """Take the time of day anew."""
        self._date = f"Date: {formatdate(time.time(), usegmt=True)}\r\n".encode()
        self._ok = b"".join(
            (b"HTTP/1.1 200 OK\r\n", self._date, f"Content-Type: {TEXT}\r\n".encode(), b"Content-Length: ")
        )

    def index(self, index: int) -> bytes:
        """Say that an entry is on disk at an index."""
        digits = b"%d" % index
        return b"%b%d\r\n\r\n%b" % (self._ok, len(digits), digits)

    def file(self, content: bytes, content_type: bytes, headers: bytes, *, with_body: bool) -> bytes:
        """Give a public file."""
        head = b"HTTP/1.1 200 OK\r\n%bContent-Type: %b\r\nContent-Length: %d\r\n%b\r\n" % (
            self._date,
            content_type,
            len(content),
            headers,
        )
        return head + content if with_body else head

    def refusal(self, status: HTTPStatus, reason: str, headers: bytes = b"", *, with_body: bool = True) -> bytes:
        """Say why a request was not done."""
        body = f"{reason}\n".encode()
        head = b"HTTP/1.1 %d %b\r\n%bContent-Type: %b\r\nContent-Length: %d\r\n%b%b\r\n" % (
            status.value,
            status.phrase.encode(),
            self._date,
            TEXT.encode(),
            len(body),
            _NO_STORE_LINE,
            headers,
        )
        return head + body if with_body else head
