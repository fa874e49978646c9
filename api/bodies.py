"""A batch's body as it arrives: decoded piece by piece, counted before and after, and refused where it grows too far.

A compressed body may be small and mean much: what comes out is counted as it comes, and never more than the limit
is held.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final, Protocol

import zstandard
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

IDENTITY: Final = "identity"
_GZIP_WINDOW: Final = 31
_ZSTD_WINDOW_MAX: Final = 8 << 20
"""What RFC 8878 asks every decoder to have; a larger window would be memory that a stranger chooses."""
_PIECE: Final = 256 << 10


class Decoder(Protocol):
    """Undoes one content encoding."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what some received bytes stand for, in pieces of bounded size."""

    def is_complete(self) -> bool:
        """Say whether the encoded body has ended as its format says."""


class _Identity:
    def pieces(self, data: bytes) -> Iterator[bytes]:
        yield data

    def is_complete(self) -> bool:
        return True


class _Gzip:
    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(_GZIP_WINDOW)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if self._decoder.eof and data:
            raise HTTPException(400, "bytes stand after the end of the gzip body")
        try:
            while data and not self._decoder.eof:
                yield self._decoder.decompress(data, _PIECE)
                data = self._decoder.unconsumed_tail
        except zlib.error as error:
            raise HTTPException(400, "the body is not gzip") from error
        if self._decoder.unused_data:
            raise HTTPException(400, "bytes stand after the end of the gzip body")

    def is_complete(self) -> bool:
        return self._decoder.eof


class _Zstd:
    """One frame. The library's decoder gives all of its output at once, so it is fed a little at a time."""

    _FED: Final = 64
    """At most 16 blocks, since a block takes 4 bytes at least; each is at most 128 KiB when decoded."""

    def __init__(self) -> None:
        self._decoder = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_MAX).decompressobj()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), self._FED):
            if self._decoder.eof:
                raise HTTPException(400, "bytes stand after the end of the zstd body")
            try:
                yield self._decoder.decompress(data[start : start + self._FED])
            except zstandard.ZstdError as error:
                raise HTTPException(400, "the body is not zstd, or its window is more than 8 MiB") from error
            if self._decoder.unused_data:
                raise HTTPException(400, "bytes stand after the end of the zstd body")

    def is_complete(self) -> bool:
        return self._decoder.eof


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {IDENTITY: _Identity, "gzip": _Gzip, "zstd": _Zstd}


async def receive_body(request: Request, limit: int, grow: Callable[[int], None]) -> bytes:
    """Return a request's body, decoded.

    Args:
        request: The request; its body is read here.
        limit: The most bytes, before decoding and after.
        grow: Told of each piece before it is kept; it may refuse it.

    Raises:
        HTTPException: 413 beyond the limit, 415 for an unknown encoding, 400 for a body that is not of its encoding.
        ClientDisconnect: The client hung up before the body was here.
    """
    encoding = request.headers.get("content-encoding", IDENTITY).strip().lower()
    if encoding not in DECODERS:
        raise HTTPException(415, f"a body here is encoded as one of {', '.join(DECODERS)}")
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdecimal() and int(stated[:20]) > limit:
        raise HTTPException(413, f"a body here has at most {limit} bytes; this one states {stated[:20]}")
    decoder = DECODERS[encoding]()
    kept: list[bytes] = []
    received = size = 0
    is_last = False
    while not is_last:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        is_last = not message.get("more_body", False)
        piece = message.get("body", b"")
        received += len(piece)
        if received > limit:
            raise HTTPException(413, f"a body here has at most {limit} bytes")
        for decoded in decoder.pieces(piece) if piece else ():
            size += len(decoded)
            if size > limit:
                raise HTTPException(413, f"a body here has at most {limit} bytes when it is decoded")
            grow(len(decoded))
            kept.append(decoded)
    if not decoder.is_complete():
        raise HTTPException(400, f"the {encoding} body ends too early")
    return kept[0] if len(kept) == 1 else b"".join(kept)
