"""A witness: its state, its key and the logs that it watches, behind HTTP as C2SP tlog-witness asks.

``answer`` is the whole protocol; ``app`` reads requests of bounded size in bounded time and sends what it says.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

import structlog

from ledger.domain.errors import IntegrityError, UnavailableError, VerificationError
from ledger.log.note import Signature, print_signature_line
from ledger.log.witness import MAX_REQUEST_BYTES, PATH, SIZE_TYPE, Refused, parse_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ledger.log.cosignature import Cosigner
    from ledger.log.ports import NoteVerifier
    from ledger.witnessing.state import WitnessState

Answer = tuple[int, str, bytes]
"""Status, content type and body."""

_TEXT: Final = "text/plain; charset=utf-8"
_READ_TIMEOUT_S: Final = 10.0
"""A client that sends its few hundred bytes more slowly is cut off."""

_LOG = structlog.get_logger("witness")


class Witness:
    """Answers requests of logs. Every method may be called from any thread."""

    def __init__(
        self,
        state: WitnessState,
        cosigner: Cosigner,
        logs: Mapping[str, Sequence[NoteVerifier]],
        *,
        now_s: Callable[[], int] = lambda: int(time.time()),
        at_step: Callable[[str], None] = lambda _name: None,
    ) -> None:
        """Take the state, the key, and the keys of each log by its origin."""
        self._state = state
        self._cosigner = cosigner
        self._logs = logs
        self._now_s = now_s
        self._at_step = at_step

    def answer(self, body: bytes) -> Answer:
        """Return the answer to ``POST add-checkpoint`` with this body. Never raises."""
        try:
            request = parse_request(body)
            taken = self._state.take(request, self._logs, self._now_s())
        except VerificationError as error:
            return _told(400, error.reason)
        except UnavailableError as error:
            _LOG.warning("witness_unavailable", reason=error.explain())
            return _told(503, "the witness cannot keep what it would sign; try again later")
        except IntegrityError as error:
            _LOG.error("witness_damaged", reason=error.explain())
            return _told(500, "the witness's own record is damaged; it signs nothing")
        if isinstance(taken, Refused):
            _LOG.info("refused", status=taken.status, reason=taken.reason)
            if taken.size is not None:
                return taken.status, SIZE_TYPE, f"{taken.size}\n".encode()
            return _told(taken.status, taken.reason)
        value = self._cosigner.sign_at(taken.text.encode(), taken.time)
        self._at_step("signed")
        line = print_signature_line(Signature(self._cosigner.name, self._cosigner.key_id, value))
        return 200, _TEXT, line.encode()

    async def app(self, scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        """Serve as an ASGI application; a folder before ``add-checkpoint`` is taken as the submission prefix."""
        if scope["type"] != "http":
            return
        if not scope["path"].endswith(f"/{PATH}"):
            await _send(send, _told(404, "no such path"))
        elif scope["method"] != "POST":
            await _send(send, _told(405, "POST alone"), [(b"allow", b"POST")])
        else:
            try:
                async with asyncio.timeout(_READ_TIMEOUT_S):
                    body = await _read(receive)
            except TimeoutError:
                await _send(send, _told(408, "the request came too slowly"), [(b"connection", b"close")])
                return
            if body is None:
                await _send(send, _told(413, f"more than {MAX_REQUEST_BYTES} bytes"), [(b"connection", b"close")])
                return
            await _send(send, await asyncio.to_thread(self.answer, body))


async def _read(receive: Callable[[], Any]) -> bytes | None:
    """Return the body, or None if it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > MAX_REQUEST_BYTES:
            return None
        if not message.get("more_body"):
            return bytes(body)


async def _send(send: Callable[[Any], Any], answer: Answer, headers: Sequence[tuple[bytes, bytes]] = ()) -> None:
    status, kind, body = answer
    await send({
        "type": "http.response.start",
        "status": status,
        "headers": [
            (b"content-type", kind.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *headers,
        ],
    })  # fmt: skip
    await send({"type": "http.response.body", "body": body})


def _told(status: int, sentence: str) -> Answer:
    return status, _TEXT, f"{sentence}\n".encode()
