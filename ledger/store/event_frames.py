"""How batches of events lie on disk: frames in segment files, each naming the one before it.

A segment is named after its first leaf and begins with a header; then frames follow, one a batch::

    header  "quanze-events-01" ‖ first leaf as uint64 ‖ 8 zero bytes ‖ SHA-256 of all that
    frame   "EVB1" ‖ body length as uint32 ‖ first leaf as uint64 ‖ number of accepted events as uint32
            ‖ the check before it (the header's for the first frame) ‖ body ‖ check: SHA-256 of all that
    body    head length as uint32 ‖ head as canonical JSON
            ‖ packed length as uint32 ‖ the lines, packed by zstd: each after its length as uint32
            ‖ 96 bytes of salts for each accepted event ‖ the place of its binding as uint16

Numbers are big-endian. Every byte is under a check, and no frame can be altered, moved or taken out unnoticed. Only
the last frames of the last segment may be torn or beyond the log: no leaf commits to them, and they are cut off.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec
import zstandard

from ledger.domain.errors import IntegrityError
from ledger.service.stored_batches import SALTS_BYTES, BatchHead, StoredBatch, pack_lines, unpack_lines

_MAGIC: Final = b"quanze-events-01"
_HEADER: Final = struct.Struct(">16sQ8x")
CHECK_BYTES: Final = 32
HEADER_BYTES: Final = _HEADER.size + CHECK_BYTES
_FRAME_MAGIC: Final = b"EVB1"
FRAME_HEAD: Final = struct.Struct(">4sIQI32s")
_LENGTH: Final = struct.Struct(">I")
_BOUND_BYTES: Final = 2
_SUFFIX: Final = ".evt"

_encode: Final = msgspec.json.Encoder(order="sorted").encode
_head_decoder: Final = msgspec.json.Decoder(BatchHead)


@dataclass(frozen=True, slots=True)
class FrameHead:
    """What stands before a frame's body."""

    body_bytes: int
    first: int
    count: int
    before: bytes

    @property
    def total_bytes(self) -> int:
        """The length of the whole frame."""
        return FRAME_HEAD.size + self.body_bytes + CHECK_BYTES


def segment_name(first: int) -> str:
    """Return the name of the segment whose first frame begins with leaf ``first``."""
    return f"{first:020d}{_SUFFIX}"


def segment_header(first: int) -> bytes:
    """Return a segment's header; its last 32 bytes are the check that the first frame names."""
    header = _HEADER.pack(_MAGIC, first)
    return header + sha256(header).digest()


def parse_header(data: bytes, name: str) -> int:
    """Return a segment's first leaf.

    Raises:
        IntegrityError: it is no header, or not the one of a file of this name.
    """
    if len(data) < HEADER_BYTES or sha256(data[: _HEADER.size]).digest() != data[_HEADER.size : HEADER_BYTES]:
        raise IntegrityError("events", "the header of the file is damaged", file=name)
    magic, first = _HEADER.unpack_from(data)
    if segment_header(int(first)) != data[:HEADER_BYTES] or magic != _MAGIC or segment_name(first) != name:
        raise IntegrityError("events", "the file is not what its name says", file=name)
    return int(first)


def encode_frame(before: bytes, batch: StoredBatch) -> bytes:
    """Return the frame of a batch after the frame whose check is ``before``."""
    head = _encode(batch.head)
    packed = batch.packed or pack_lines(batch.lines)
    bound = array("H", batch.bound)
    if sys.byteorder == "little":
        bound.byteswap()
    body = b"".join((_LENGTH.pack(len(head)), head, _LENGTH.pack(len(packed)), packed, batch.salts, bound.tobytes()))
    start = FRAME_HEAD.pack(_FRAME_MAGIC, len(body), batch.first, batch.count, before)
    check = sha256(start)
    check.update(body)
    return b"".join((start, body, check.digest()))


def parse_frame_head(data: bytes) -> FrameHead | None:
    """Return the head of a frame, or None if it is none."""
    if len(data) < FRAME_HEAD.size:
        return None
    magic, body_bytes, first, count, before = FRAME_HEAD.unpack_from(data)
    return FrameHead(body_bytes, first, count, before) if magic == _FRAME_MAGIC and count > 0 else None


def is_whole(head: FrameHead, frame: bytes | memoryview) -> bool:
    """Say whether a frame's check holds."""
    if len(frame) != head.total_bytes:
        return False
    return sha256(frame[:-CHECK_BYTES]).digest() == bytes(frame[-CHECK_BYTES:])


def decode_frame(head: FrameHead, frame: bytes, name: str) -> StoredBatch:
    """Return the batch in a frame.

    Raises:
        IntegrityError: its check does not hold, or its body has another shape.
    """
    if not is_whole(head, frame):
        raise IntegrityError("events", "a batch was altered on disk", file=name, entry=head.first)
    try:
        return _decode_body(head, frame[FRAME_HEAD.size : -CHECK_BYTES])
    except (ValueError, struct.error, msgspec.MsgspecError, zstandard.ZstdError) as error:
        raise IntegrityError("events", f"a batch cannot be read: {error}", file=name, entry=head.first) from error


def _decode_body(head: FrameHead, body: bytes) -> StoredBatch:
    (head_bytes,) = _LENGTH.unpack_from(body)
    position = _LENGTH.size + head_bytes
    written = body[_LENGTH.size : position]
    (packed_bytes,) = _LENGTH.unpack_from(body, position)
    position += _LENGTH.size
    packed = body[position : position + packed_bytes]
    position += packed_bytes
    salts = body[position : position + SALTS_BYTES * head.count]
    places = body[position + len(salts) :]
    if len(salts) != SALTS_BYTES * head.count or len(places) != _BOUND_BYTES * head.count:
        raise ValueError("its parts have other lengths than its head says")
    bound = array("H")
    bound.frombytes(places)
    if sys.byteorder == "little":
        bound.byteswap()
    stored = _head_decoder.decode(written)
    if _encode(stored) != written:
        raise ValueError("its head is not canonical JSON")
    if max(bound) >= len(stored.bindings):
        raise ValueError("an event's binding is missing")
    lines = unpack_lines(packed)
    if len(lines) < head.count:
        raise ValueError("it has fewer lines than events")
    return StoredBatch(head.first, head.count, stored, lines, salts, bound)
