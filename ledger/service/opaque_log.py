"""A plain log for any bytes, which goes on by itself after a write has failed.

A log that could not write refuses everything until it is opened again, since nobody knows what is on the disk before
it is read. Here it is opened again at the next write, so that a disk that was full for an hour costs the entries that
were refused in that hour and nothing else. Whether a refused entry is in the log is as unknown as after a broken
connection: it may be, and then it has an index that nobody was told.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

import structlog

from ledger.domain.errors import LedgerError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LOG = structlog.get_logger("opaque")

REOPEN_PAUSE_S: Final = 0.5
"""Between two tries to open a log that could not write; each reads up to two segments of its journal."""


class PlainLog(Protocol):
    """What a plain log needs of its storage. ``append`` returns only when the entries are on disk."""

    def append(self, entries: Sequence[bytes]) -> int: ...
    def size(self) -> int: ...
    def publish_checkpoint(self) -> bytes: ...
    def checkpoint(self) -> bytes: ...
    def close(self) -> None: ...


class OpaqueLog:
    """A log that one process owns, opened again after a failed write. ``append`` is for one thread at a time."""

    def __init__(self, open_log: Callable[[], PlainLog]) -> None:
        """Open the log.

        Args:
            open_log: opens the storage, or raises what is wrong with it.
        """
        self._open_log = open_log
        self._log: PlainLog = open_log()
        self._note = self._log.checkpoint()
        self._turn = threading.Lock()
        self._failure: LedgerError | None = None
        self._failed_at = 0.0
        self._is_closed = False

    def append(self, entries: Sequence[bytes]) -> int:
        """Return the index of the first entry once all are on disk.

        Raises:
            InvalidInputError: an entry is too long.
            UnavailableError: the write failed, or an earlier one did and the disk still refuses.
            IntegrityError: the log's files disagree.
        """
        if self._failure is not None:
            with self._turn:
                self._open_again()
        try:
            return self._log.append(entries)
        except UnavailableError as error:
            _LOG.warning("append_failed", reason=error.explain())
            self._failure, self._failed_at = error, time.monotonic()
            raise

    def publish(self) -> bytes:
        """Publish a checkpoint over every entry on disk and return its note. Raises as ``append``."""
        with self._turn:
            self._open_again()
            self._note = self._log.publish_checkpoint()
            return self._note

    def size(self) -> int:
        """Return the number of entries on disk, as last known."""
        return self._log.size()

    def checkpoint(self) -> bytes:
        """Return the newest published checkpoint."""
        return self._note

    def close(self) -> None:
        """Let another process own the log."""
        with self._turn:
            if not self._is_closed:
                self._is_closed = True
                self._log.close()

    def _open_again(self) -> None:
        """Open the log anew if a write failed; the caller holds the turn."""
        if self._is_closed:
            raise UnavailableError("log", "the log is closed")
        if self._failure is None:
            return
        if time.monotonic() - self._failed_at < REOPEN_PAUSE_S:
            raise self._failure
        self._log.close()
        try:
            self._log = self._open_log()
        except OSError as error:
            self._failure = UnavailableError("log", f"it cannot be opened again: {error}")
            self._failed_at = time.monotonic()
            raise self._failure from error
        except LedgerError as error:
            self._failure, self._failed_at = error, time.monotonic()
            raise
        self._note = self._log.checkpoint()
        self._failure = None
        _LOG.info("log_opened_again", size=self._log.size())
