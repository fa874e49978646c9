"""The journal as one file after another: a segment is begun, mended after a failed write, and removed when it is done.

Must stay true:

* every segment begins at a multiple of 256, and all full tiles before the first that is kept are on disk;
* what a failed step left of a new segment never stays beside the one that goes on;
* a segment goes only when all its entries are in full tiles, or in the segment after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from ledger.domain.errors import IntegrityError
from ledger.log.storage.files import sync_folder
from ledger.log.storage.journal import JournalWriter, remove_after
from ledger.log.tiles import TILE_WIDTH

if TYPE_CHECKING:
    from threading import Lock

    from ledger.log.storage.files import AtStep
    from ledger.log.storage.recovery import Recovered

_LOG = structlog.get_logger("log")

_SEGMENT_BYTES = 16 << 20
"""A longer segment is followed by a new one; opening reads about two of them."""


class Segments:
    """A log's segments, of which the last is written by one thread at a time."""

    def __init__(self, recovered: Recovered, writer: JournalWriter, lock: Lock, at_step: AtStep) -> None:
        """Go on with ``writer`` after the recovered segments; ``lock`` guards the recovered edge, and their list."""
        self._edge = recovered.edge
        self._segments = list(recovered.segments)
        self._writer = writer
        self._state = lock
        self._at_step = at_step
        self._half_made: OSError | None = None

    def first(self) -> int:
        """Return the index of the first entry that is still in the journal."""
        with self._state:
            return self._segments[0][0]

    def check_whole(self) -> None:
        """Return if nothing is left of a segment that could not be begun.

        Raises:
            OSError: something is, and contradicts what would be written now: ``mend`` first.
        """
        if self._half_made is not None:
            raise self._half_made

    def append(self, count: int, payload: bytes) -> None:
        """Write a group after all that the edge holds, and return when it is on disk.

        Raises:
            OSError: it may or may not be on disk: ``mend`` first.
        """
        self._writer.append(self._edge.size, count, payload)

    def mend(self) -> None:
        """Make the journal what was acknowledged. Nothing is committed meanwhile.

        Raises:
            OSError: it cannot be mended yet.
            IntegrityError: it no longer holds what was acknowledged.
        """
        remove_after(self._writer.path)
        self._writer = self._writer.reopened()
        self._half_made = None
        _LOG.warning("journal_mended", segment=self._writer.path.name, size=self._edge.size)

    def follow_long(self) -> None:
        """Begin a segment after one that has grown long enough.

        If that fails, this one goes on: then nothing of the new one may stay, as it would contradict this.
        """
        if self._writer.bytes_written <= _SEGMENT_BYTES:
            return
        try:
            self._begin()
        except OSError as error:
            _LOG.warning("segment_not_begun", reason=str(error), segment=self._writer.path.name)
            try:
                remove_after(self._writer.path)
            except OSError as worse:
                self._half_made = worse

    def drop_done(self) -> None:
        """Remove the segments whose entries are all in full tiles, or in a segment after them.

        Raises:
            OSError: one cannot be removed.
        """
        with self._state:
            done = [
                path
                for (_, path), (following, _) in zip(self._segments, self._segments[1:], strict=False)
                if following <= self._edge.first
            ]
        for segment in done:
            segment.unlink(missing_ok=True)  # It is gone already where only the sync failed before.
            # One by one, so that a power cut never brings an older segment back without the one after it.
            sync_folder(segment.parent)
            with self._state:
                del self._segments[0]
            self._at_step("segment removed")

    def shorten(self) -> None:
        """Leave no more in the journal than what is in no full tile. Without it the log is as good, and longer."""
        if self._half_made is not None:
            return
        try:
            self._begin()
            self.drop_done()
        except (OSError, IntegrityError) as error:
            _LOG.warning("journal_not_shortened", reason=str(error))

    def close(self) -> None:
        """Let go of the file."""
        self._writer.close()

    def _begin(self) -> None:
        """Go on in a new segment, which begins with a copy of the entries that are in no full bundle yet.

        A segment is named after its first entry, so this one goes on until it holds a full bundle.
        """
        first = self._edge.size // TILE_WIDTH * TILE_WIDTH
        with self._state:
            if first == self._segments[-1][0]:
                return
            payload, count = self._edge.last_bundle()
        folder = self._writer.path.parent
        writer = JournalWriter.create(folder, first, payload, count, self._at_step)
        old, self._writer = self._writer, writer
        with self._state:
            self._segments.append((first, writer.path))
        old.close()
