"""uvicorn's connection, with a batch's bytes copied less often on their way to the application.

uvicorn gathers a body in a buffer, copies it out of there, and stops reading the socket at 64 KiB until it did. A
batch of 256 events arrives as one or two reads of more than that. Here a read that finds nothing waiting is handed on
as it is (ADR 124). Everything else of HTTP/1.1 is uvicorn's.
"""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_UNREAD_BYTES: Final = 256 << 10
"""As much as one read brings at most; with more waiting for the application, nothing more is read."""


class Connection(HttpToolsProtocol):
    """One client's connection. Every method is called in the event loop's thread."""

    def on_body(self, body: bytes) -> None:
        """Take a part of a body from the parser, which never uses it again."""
        cycle: Any = self.cycle  # Its body is declared a buffer; it is only measured, and copied to bytes.
        if cycle.response_complete or self.parser.should_upgrade():
            super().on_body(body)
        elif cycle.body:
            # Few large parts or very many small ones: only a buffer that grows in place is cheap for both.
            if isinstance(cycle.body, bytes):
                cycle.body = bytearray(cycle.body)
            super().on_body(body)
        else:
            cycle.body = body
            if len(body) > _UNREAD_BYTES:
                self.flow.pause_reading()
            cycle.message_event.set()
