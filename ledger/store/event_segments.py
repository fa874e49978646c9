"""One file of events: where its frames are, how far they hold together, and what of it is whole."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError
from ledger.store.event_frames import (
    CHECK_BYTES,
    FRAME_HEAD,
    HEADER_BYTES,
    decode_frame,
    is_whole,
    parse_frame_head,
    parse_header,
    segment_header,
)

if TYPE_CHECKING:
    from pathlib import Path

_MARK_LEAVES: Final = 1024
"""A segment's frames are found from marks that stand at least this many leaves apart."""


@dataclass(slots=True)
class Segment:
    """One file: its first leaf, and once it was scanned marks of (first leaf, offset) and its end."""

    path: Path
    first: int
    marks: list[tuple[int, int]] = field(default_factory=list)
    scanned_to: int = HEADER_BYTES
    end: int = 0

    def note(self, first: int, end: int, frame_bytes: int) -> None:
        """Take a frame that follows the last one."""
        if not self.marks or first >= self.marks[-1][0] + _MARK_LEAVES:
            self.marks.append((first, self.scanned_to))
        self.scanned_to += frame_bytes
        self.end = end


def scan(segment: Segment, size: int) -> tuple[bytes, bool]:
    """Take the frames of the last segment below leaf ``size``; return the last check, and whether more follows."""
    data = segment.path.read_bytes()
    view = memoryview(data)
    check, position = data[HEADER_BYTES - CHECK_BYTES : HEADER_BYTES], HEADER_BYTES
    while (head := parse_frame_head(data[position : position + FRAME_HEAD.size])) is not None and segment.end < size:
        if (head.first, head.before) != (segment.end, check):
            raise IntegrityError(
                "events", f"the batch of entry {segment.end} is damaged", file=segment.path.name, entry=segment.end
            )
        if not is_whole(head, view[position : position + head.total_bytes]):
            break
        segment.note(head.first, head.first + head.count, head.total_bytes)
        position = segment.scanned_to
        check = data[position - CHECK_BYTES : position]
    return check, position < len(data)


def whole_end(segment: Segment, size: int) -> int:
    """Return the leaf after the last whole frame of a file; those before leaf ``size`` are taken to be whole."""
    data = segment.path.read_bytes()
    end, offset = segment.first, HEADER_BYTES
    while True:
        head = parse_frame_head(data[offset : offset + FRAME_HEAD.size])
        if head is None or head.first != end:
            return end
        if head.first >= size and not is_whole(head, data[offset : offset + head.total_bytes]):
            return end
        end, offset = head.first + head.count, offset + head.total_bytes


def mark(segment: Segment) -> None:
    """Find the marks of a segment that is full, from its frames' heads alone."""
    total = segment.path.stat().st_size
    descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while segment.scanned_to < total:
            head = parse_frame_head(os.pread(descriptor, FRAME_HEAD.size, segment.scanned_to))
            if head is None or head.first != max(segment.end, segment.first):
                return
            segment.note(head.first, head.first + head.count, head.total_bytes)
    finally:
        os.close(descriptor)


def check_segment(path: Path, first: int, until: int, *, is_last: bool) -> int:
    """Read every frame of a file below leaf ``until``, and return where they end; only the last file may go on."""
    position, check = HEADER_BYTES, segment_header(first)[-CHECK_BYTES:]
    parse_header(read_at(path, 0, HEADER_BYTES), path.name)
    total = path.stat().st_size
    while first < until:
        head = parse_frame_head(read_at(path, position, FRAME_HEAD.size))
        if head is None or (head.first, head.before) != (first, check) or position + head.total_bytes > total:
            raise IntegrityError("events", f"the batch of entry {first} is damaged", file=path.name, entry=first)
        frame = read_at(path, position, head.total_bytes)
        decode_frame(head, frame, path.name)
        position, check, first = position + head.total_bytes, frame[-CHECK_BYTES:], head.first + head.count
    if position < total and not is_last:
        raise IntegrityError("events", "bytes follow its last batch", file=path.name)
    return first


def read_at(path: Path, offset: int, length: int) -> bytes:
    """Return bytes of a file, fewer at its end. Raises OSError."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)
