"""The vault of events: files of batches in the order of the log, durable before any leaf commits to them.

    store = FileEventStore.open(home / "events", size=log.size())
    store.append([batch])          # one write and one sync; on disk when it returns
    store.batch(index)             # the batch that holds the event of a leaf

Life of a batch: (1) its frame is written to the last segment and synced; (2) only then the log takes its leaves.
A crash between the two leaves frames beyond the log's end. No leaf commits to them and nobody got a receipt, so
opening cuts them off. Must stay true: below the log's end every frame is there, in order, as it was written.
"""

from __future__ import annotations

import os
import shutil
import threading
from bisect import bisect_right
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Self

from ledger.domain.errors import IntegrityError, NotFoundError, UnavailableError
from ledger.store.event_frames import (
    CHECK_BYTES,
    FRAME_HEAD,
    HEADER_BYTES,
    FrameHead,
    decode_frame,
    encode_frame,
    parse_frame_head,
    parse_header,
    segment_header,
    segment_name,
)
from ledger.store.event_segments import Segment, check_segment, mark, read_at, scan, whole_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ledger.service.stored_batches import StoredBatch

SEGMENT_BYTES: Final = 64 << 20
_CACHED_BATCHES: Final = 8
_BEYOND_LEAVES: Final = 40_000
"""More than one group of batches holds: what is beyond the log after a crash is at most one."""


class FileEventStore:
    """Implements `ledger.service.stored_batches.EventStore` in a folder. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Use ``FileEventStore.open``."""
        self._folder = folder
        self._lock = threading.RLock()
        self._segments: list[Segment] = []
        self._descriptor = -1
        self._check = b""
        self._end = 0
        self._is_failed = False
        self._cache: OrderedDict[int, StoredBatch] = OrderedDict()

    @classmethod
    def open(cls, folder: Path, *, size: int, read_only: bool = False) -> Self:
        """Open or make the folder, and cut off what no leaf below ``size``, the log's, needs.

        Args:
            folder: The folder.
            size: The log's.
            read_only: Change nothing on disk, and take no batch.

        Raises:
            UnavailableError: it cannot be opened.
            IntegrityError: it is behind the log, or damaged where no crash damages.
        """
        store = cls(folder)
        if read_only:
            store.refresh(size)
            store._is_failed = True
            return store
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Also where it was there: who made it, or its first file, may have died before the names were durable.
            _sync_folder(folder.parent)
            _sync_folder(folder)
            store._open(size)
        except OSError as error:
            raise UnavailableError("events", f"the events' files cannot be opened: {error}") from error
        return store

    @classmethod
    def reading(cls, folder: Path) -> Self:
        """Return the files as another process's owner writes them; ``refresh`` says how far they may be read."""
        return cls(folder)

    def refresh(self, end: int) -> None:
        """See the files up to leaf ``end``, all of which must be on disk.

        Raises:
            IntegrityError: a file's header is damaged.
        """
        with self._lock:
            known = {segment.path for segment in self._segments}
            self._segments += [
                Segment(path, parse_header(read_at(path, 0, HEADER_BYTES), path.name))
                for path in sorted(self._folder.glob("*.evt"))
                if path not in known
            ]
            self._end = end

    def append(self, batches: Sequence[StoredBatch]) -> None:
        """Store batches that follow the last one, with one write and one sync.

        Raises:
            UnavailableError: the write failed; ``recover`` must come before the next one.
            IntegrityError: they do not follow.
        """
        with self._lock:
            if self._is_failed:
                raise UnavailableError("events", "a write failed before; the store must recover first")
            check, end, frames = self._check, self._end, []
            for batch in batches:
                if batch.first != end:
                    raise IntegrityError("events", "a batch does not follow the last one", first=batch.first, end=end)
                frame = encode_frame(check, batch)
                check, end = frame[-CHECK_BYTES:], batch.end
                frames.append(frame)
            try:
                if self._segments[-1].scanned_to > SEGMENT_BYTES:
                    frames, check = self._next_segment(batches)
                _write(self._descriptor, b"".join(frames))
                os.fdatasync(self._descriptor)
            except OSError as error:
                self._is_failed = True
                raise UnavailableError("events", f"the write failed: {error}") from error
            segment = self._segments[-1]
            for batch, frame in zip(batches, frames, strict=True):
                segment.note(batch.first, batch.end, len(frame))
            self._check, self._end = check, end

    def batch(self, index: int) -> StoredBatch:
        """Return the batch that holds the event of leaf ``index``. Raises as the port says."""
        with self._lock:
            if not 0 <= index < self._end:
                raise NotFoundError("event", str(index))
            for first in reversed(self._cache):
                if first <= index < self._cache[first].end:
                    self._cache.move_to_end(first)
                    return self._cache[first]
            segment = self._segments[bisect_right(self._segments, index, key=lambda one: one.first) - 1]
            head, offset = self._find(segment, index)
        batch = decode_frame(head, read_at(segment.path, offset, head.total_bytes), segment.path.name)
        with self._lock:
            self._cache[batch.first] = batch
            if len(self._cache) > _CACHED_BATCHES:
                self._cache.popitem(last=False)
        return batch

    def batches(self, first: int) -> Iterator[StoredBatch]:
        """Yield the batches from the one that holds leaf ``first`` to the present end."""
        end = self.end()
        while first < end:
            batch = self.batch(first)
            yield batch
            first = batch.end

    def end(self) -> int:
        """Return the index after the last event that is kept."""
        with self._lock:
            return self._end

    def recover(self, size: int) -> None:
        """Go on after a failed write: what no leaf below ``size`` needs is cut off. Raises as ``open``."""
        with self._lock:
            self._let_go()
            self._segments.clear()
            self._cache.clear()
            try:
                self._open(size)
            except OSError as error:
                raise UnavailableError("events", f"the events' files cannot be opened: {error}") from error
            self._is_failed = False

    def defects(self) -> Iterator[tuple[str, str]]:
        """Read every frame of every segment, and yield the files whose frames do not hold together."""
        with self._lock:
            segments = [(segment.path, segment.first) for segment in self._segments]
            end = self._end
        for place, (path, first) in enumerate(segments):
            until = segments[place + 1][1] if place + 1 < len(segments) else end
            try:
                reached = check_segment(path, first, until, is_last=place + 1 == len(segments))
            except (IntegrityError, OSError) as error:
                yield path.name, error.explain() if isinstance(error, IntegrityError) else str(error)
                continue
            if reached != until:
                yield path.name, f"it ends before leaf {reached}, and the next begins with leaf {until}"

    def backup(self, target: Path, *, size: int) -> None:
        """Copy the batches below leaf ``size``, where one ends, into a new folder; appending goes on meanwhile.

        Raises:
            IntegrityError: no batch ends there.
        """
        lengths = self._lengths(size)
        target.mkdir(mode=0o700)
        for path, length in lengths:
            if length < 0:
                shutil.copy2(path, target / path.name)
                continue
            with path.open("rb") as source, (target / path.name).open("wb") as copy:
                left = length
                while left > 0 and (piece := source.read(min(left, 1 << 20))):
                    copy.write(piece)
                    left -= len(piece)

    def _lengths(self, size: int) -> list[tuple[Path, int]]:
        """Return the files with batches below a leaf, and how much of each; -1 is all of it."""
        with self._lock:
            segments = [segment for segment in self._segments if segment.first < size] or self._segments[:1]
            if size == 0:
                return [(segment.path, HEADER_BYTES) for segment in segments]
            head, offset = self._find(segments[-1], size - 1)
            if head.first + head.count != size:
                raise IntegrityError("events", "no batch ends where the log was held", entry=size)
            return [*((one.path, -1) for one in segments[:-1]), (segments[-1].path, offset + head.total_bytes)]

    def close(self) -> None:
        """Let go of the last file."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self, size: int) -> None:
        for leftover in self._folder.glob("*.tmp"):
            leftover.unlink()
        paths = sorted(self._folder.glob("*.evt"))
        self._segments = [Segment(path, parse_header(read_at(path, 0, HEADER_BYTES), path.name)) for path in paths]
        self._check_beyond(size)
        while len(self._segments) > 1 and self._segments[-1].first >= size:
            # It was begun for batches that the log never took, or holds none yet.
            self._segments.pop().path.unlink()
            _sync_folder(self._folder)
        if not self._segments:
            self._segments = [self._create(0)]
        last = self._segments[-1]
        last.end = last.first
        check, torn = scan(last, size)
        if last.end != size:
            reason = "its files end before the log does" if last.end < size else "a batch goes beyond the log's end"
            raise IntegrityError("events", reason, events=last.end, log=size, file=last.path.name)
        self._descriptor = os.open(last.path, os.O_WRONLY | os.O_CLOEXEC)
        os.fchmod(self._descriptor, 0o600)
        if torn:
            os.ftruncate(self._descriptor, last.scanned_to)
            os.fsync(self._descriptor)
        os.lseek(self._descriptor, last.scanned_to, os.SEEK_SET)
        self._check, self._end = check, size

    def _check_beyond(self, size: int) -> None:
        """Return if what goes beyond the log is no more than a crash leaves: else the log lost its end, not we.

        Raises:
            IntegrityError: the log is an older copy, or was cut.
        """
        if not self._segments:
            return
        end = whole_end(self._segments[-1], size)
        if end - size > _BEYOND_LEAVES:
            reason = "they go on beyond the log by more than a crash leaves: it lost its end, or is an older copy"
            raise IntegrityError("events", reason, events=end, log=size)

    def _create(self, first: int) -> Segment:
        path = self._folder / segment_name(first)
        aside = path.with_suffix(".tmp")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write(descriptor, segment_header(first))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        aside.replace(path)
        _sync_folder(self._folder)
        return Segment(path, first, end=first)

    def _next_segment(self, batches: Sequence[StoredBatch]) -> tuple[list[bytes], bytes]:
        """Begin a segment for batches, and return their frames after its header and the last one's check."""
        segment = self._create(batches[0].first)
        self._let_go()
        self._descriptor = os.open(segment.path, os.O_WRONLY | os.O_CLOEXEC)
        os.lseek(self._descriptor, HEADER_BYTES, os.SEEK_SET)
        self._segments.append(segment)
        check = segment_header(segment.first)[-CHECK_BYTES:]
        frames = []
        for batch in batches:
            frames.append(encode_frame(check, batch))
            check = frames[-1][-CHECK_BYTES:]
        return frames, check

    def _find(self, segment: Segment, index: int) -> tuple[FrameHead, int]:
        """Return the head and offset of the frame that holds a leaf, scanning heads from the mark before it."""
        if segment.end <= index:
            mark(segment)
        place = bisect_right(segment.marks, index, key=lambda mark: mark[0]) - 1
        offset = segment.marks[place][1] if place >= 0 else HEADER_BYTES
        descriptor = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while True:
                head = parse_frame_head(os.pread(descriptor, FRAME_HEAD.size, offset))
                if head is None or head.first > index:
                    raise IntegrityError(
                        "events", "no batch in it holds the event of a leaf", file=segment.path.name, entry=index
                    )
                if index < head.first + head.count:
                    return head, offset
                offset += head.total_bytes
        finally:
            os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
