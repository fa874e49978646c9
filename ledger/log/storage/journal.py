"""The write-ahead journal: what was acknowledged is here first, in groups, each with one sync.

A journal is a few segment files named after their first entry (a multiple of 256). A segment is a header and
then frames, one for each group of entries::

    header  "quanze-log-wal-2" ‖ first index as uint64 ‖ 8 random bytes ‖ SHA-256 of all that
    frame   the first 4 bytes of the header's check ‖ payload length as uint32 ‖ first index as uint64
            ‖ number of entries as uint32
            ‖ the check before it (the header's for the first frame)
            ‖ payload (each entry after its length as uint16) ‖ check: SHA-256 of the header's check ‖ all that

Each frame names the one before it, so frames cannot be altered, moved or taken out unnoticed. Numbers are
big-endian. Whoever has not read the file cannot make a frame of it, since the header's check is in each frame's; so
an entry that looks like a frame is none. (Segments of "quanze-log-wal-1" have zeros for the random bytes, and frames
that begin with "GRP1" and leave the header's check out of theirs; they are read and continued as they are.)

Only the last frame of the last segment may be torn: that group was never acknowledged and is cut off. A whole
frame that does not follow the one before it, or that stands after a bad one, is no torn write: IntegrityError.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.storage.files import no_step, sync_folder
from ledger.log.tiles import decode_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.log.storage.files import AtStep

_MAGIC = b"quanze-log-wal-2"
_FORMER_MAGIC = b"quanze-log-wal-1"
_SALT_BYTES = 8
_HEADER = struct.Struct(f">16sQ{_SALT_BYTES}s")
_MARK_BYTES = 4
_FORMER_MARK = b"GRP1"
_FRAME = struct.Struct(">4sIQI32s")
_CHECK_BYTES = 32
_HEADER_BYTES = _HEADER.size + _CHECK_BYTES
_SUFFIX = ".wal"


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as read: its entries from index ``first`` on, and where its last good frame ends."""

    path: Path
    first: int
    entries: tuple[bytes, ...]
    first_frame_end: int
    good_bytes: int
    total_bytes: int
    check: bytes
    seed: bytes
    last_frame_start: int

    @property
    def end(self) -> int:
        """The index after its last entry."""
        return self.first + len(self.entries)

    @property
    def is_torn(self) -> bool:
        """Say whether bytes that are no frame follow the last good one."""
        return self.good_bytes < self.total_bytes


def segment_paths(folder: Path) -> list[Path]:
    """Return the folder's segments in the order of their entries."""
    return sorted(folder.glob(f"*{_SUFFIX}"))


def read_segment(path: Path) -> Segment:
    """Read a segment and check its frames.

    Raises:
        IntegrityError: the header is not a segment's, or a frame was damaged after it was written.
    """
    data = path.read_bytes()
    check = data[_HEADER.size : _HEADER_BYTES]
    if len(data) < _HEADER_BYTES or sha256(data[: _HEADER.size]).digest() != check:
        raise IntegrityError(path.name, "the header of the journal's segment is damaged")
    magic, first, _ = _HEADER.unpack_from(data)
    if magic not in {_MAGIC, _FORMER_MAGIC} or path.name != segment_name(first):
        raise IntegrityError(path.name, "the file is not the journal's segment that its name says")
    seed = check if magic == _MAGIC else b""
    entries: list[bytes] = []
    position = last_frame_start = _HEADER_BYTES
    first_frame_end = first
    while (frame := _read_frame(seed, data, position)) is not None:
        if (frame.first, frame.before) != (first + len(entries), check):
            raise _damaged(path, first + len(entries))
        entries += frame.entries
        if position == _HEADER_BYTES:
            first_frame_end = first + len(entries)
        last_frame_start, position, check = position, frame.end, frame.check
    if _has_frame_after(seed, data, position):
        raise _damaged(path, first + len(entries))
    return Segment(path, first, tuple(entries), first_frame_end, position, len(data), check, seed, last_frame_start)


def segment_name(first: int) -> str:
    """Return the name of the segment that begins with entry ``first``."""
    return f"{first:020d}{_SUFFIX}"


class JournalWriter:
    """Appends groups to one segment. One owner; a failed write leaves it unusable."""

    __slots__ = ("_at_step", "_check", "_file", "_seed", "bytes_written", "path")

    def __init__(self, path: Path, seed: bytes, check: bytes, good_bytes: int, at_step: AtStep = no_step) -> None:
        """Continue a segment after its last good frame, cutting off what follows."""
        self.path = path
        self.bytes_written = good_bytes
        self._seed = seed
        self._check = check
        self._at_step = at_step
        self._file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            # For the owner alone, whoever may read the public files beside it: it holds what is not published yet.
            os.fchmod(self._file, 0o600)
            path.parent.chmod(0o700)
            if is_cut := os.fstat(self._file).st_size != good_bytes:
                os.ftruncate(self._file, good_bytes)
            os.fsync(self._file)  # Also where nothing is left to cut: who cut it may not have come to this.
            if is_cut:
                at_step("journal cut")
            os.lseek(self._file, good_bytes, os.SEEK_SET)
        except BaseException:  # Also when interrupted: nobody else has the file, which is let go.
            os.close(self._file)
            raise

    @classmethod
    def create(cls, folder: Path, first: int, payload: bytes, count: int, at_step: AtStep = no_step) -> JournalWriter:
        """Make a segment, with a first group of ``count`` entries unless that is 0."""
        header = _HEADER.pack(_MAGIC, first, os.urandom(_SALT_BYTES))
        seed = check = sha256(header).digest()
        data = header + check
        if count:
            frame = _encode_frame(seed, check, first, count, payload)
            data += frame
            check = frame[-_CHECK_BYTES:]
        path = folder / segment_name(first)
        aside = path.with_suffix(".tmp")
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        at_step("segment written aside")
        aside.replace(path)
        sync_folder(folder)
        at_step("segment renamed")
        return cls(path, seed, check, len(data), at_step)

    @classmethod
    def resume(cls, segment: Segment, at_step: AtStep = no_step) -> JournalWriter:
        """Continue a segment that was read, with its last group written once more and synced.

        That group's sync may have failed before its owner died. Then it can be read, but is not on disk, and since the
        system takes it for written, no later sync would write it.
        """
        writer = cls(segment.path, segment.seed, segment.check, segment.good_bytes, at_step)
        try:
            writer._write_again(segment.last_frame_start)
        except BaseException:  # Likewise.
            writer.close()
            raise
        return writer

    def append(self, first: int, count: int, payload: bytes) -> None:
        """Write one group and return when it is on disk.

        Raises:
            OSError: it may or may not be on disk; the segment must be read again before it is used.
        """
        frame = _encode_frame(self._seed, self._check, first, count, payload)
        self._at_step("group taken")
        self._write(frame)
        self._at_step("group written")
        os.fdatasync(self._file)
        self._at_step("group synced")
        self._check = frame[-_CHECK_BYTES:]
        self.bytes_written += len(frame)

    def reopened(self) -> JournalWriter:
        """Close the file after a failed write and return its next writer, with what was not synced cut off on disk.

        Raises:
            OSError: the file cannot be cut, and this writer stays what it was.
            IntegrityError: the file does not end with the last group that was synced.
        """
        writer = JournalWriter(self.path, self._seed, self._check, self.bytes_written, self._at_step)
        with self.path.open("rb") as file:
            file.seek(-_CHECK_BYTES, os.SEEK_END)
            end = file.read()
        if end != self._check:
            writer.close()
            raise IntegrityError(self.path.name, "the journal does not end with the last group that was acknowledged")
        self.close()
        return writer

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]

    def _write_again(self, start: int) -> None:
        with self.path.open("rb") as file:
            file.seek(start)
            data = file.read(self.bytes_written - start)
        os.lseek(self._file, start, os.SEEK_SET)
        self._write(data)
        os.fsync(self._file)


def remove_after(path: Path) -> None:
    """Remove the segments after one, the newest first, durably: those that a failed write left half made."""
    for later in reversed(segment_paths(path.parent)):
        if later.name > path.name:
            later.unlink()
            sync_folder(path.parent)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A whole frame: what it holds, the check it follows, its own, and the position after it."""

    first: int
    before: bytes
    entries: list[bytes]
    check: bytes
    end: int


def _mark(seed: bytes) -> bytes:
    return seed[:_MARK_BYTES] or _FORMER_MARK


def _encode_frame(seed: bytes, before: bytes, first: int, count: int, payload: bytes) -> bytes:
    head = _FRAME.pack(_mark(seed), len(payload), first, count, before)
    digest = sha256(seed + head)
    digest.update(payload)
    return b"".join((head, payload, digest.digest()))


def _read_frame(seed: bytes, data: bytes, position: int) -> _Frame | None:
    """Return the frame at ``position``, or None if there is no whole one."""
    start = position + _FRAME.size
    if start > len(data):
        return None
    magic, length, first, count, before = _FRAME.unpack_from(data, position)
    end = start + length
    check = data[end : end + _CHECK_BYTES]
    if magic != _mark(seed) or len(check) != _CHECK_BYTES:
        return None
    digest = sha256(seed)
    digest.update(memoryview(data)[position:end])
    if digest.digest() != check:
        return None
    try:
        return _Frame(first, before, decode_bundle(data[start:end], count), check, end + _CHECK_BYTES)
    except VerificationError:
        return None


def _has_frame_after(seed: bytes, data: bytes, position: int) -> bool:
    """Say whether a whole frame stands somewhere after a bad one."""
    found = data.find(_mark(seed), position + 1)
    while found >= 0:
        if _read_frame(seed, data, found) is not None:
            return True
        found = data.find(_mark(seed), found + 1)
    return False


def _damaged(path: Path, entry: int) -> IntegrityError:
    return IntegrityError(path.name, f"the group that begins with entry {entry} is damaged", entry=entry)
