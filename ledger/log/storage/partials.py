"""Removal of partial tiles and bundles once their full ones are there, as tlog-tiles allows and not before.

Readers of the checkpoint before the newest may still want its partial files, so what a checkpoint filled goes with the
one after it; readers must fall back to the full file in any case. A process may end between a checkpoint and the
removal. So opening looks for what was left: between the size up to which all is known to be gone, which is kept in a
file, and the published size. That file is only a bound on the search: without it, or torn, the search begins at 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.log.storage.layout import filled_folders, partial_folders_between

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.log.ports import PublicFiles

_KEPT_EVERY: Final = 1 << 16


class Partials:
    """Keeps the partial files of a log to those that readers may want."""

    __slots__ = ("_files", "_filled", "_gone", "_record")

    def __init__(self, files: PublicFiles, record: Path) -> None:
        """Remove from ``files``; ``record`` holds up to which size all is gone."""
        self._files = files
        self._record = record
        self._gone = 0
        self._filled: list[str] = []

    def collect_leftovers(self, size: int) -> int:
        """Remove what earlier runs left of tiles that are full in the published log of ``size``; return how many.

        A partial file whose full one is missing stays, whatever the reason.
        """
        self._gone = min(self._read(), size)
        found = 0
        for full, folder in partial_folders_between(self._gone, size):
            if any(self._files.names(folder)) and self._files.exists(full):
                self._files.delete_all(folder)
                found += 1
        if found:
            self._files.sync()
        self._filled = []
        self._keep(size)
        return found

    def advance(self, before: int, after: int) -> None:
        """Remove what the checkpoint before this one filled, now that the one of ``after`` entries is published."""
        done, filled = self._filled, filled_folders(before, after)
        self._filled = [*done, *filled]
        for folder in done:
            self._files.delete_all(folder)
        self._filled = filled
        if before - self._gone >= _KEPT_EVERY:
            # Only what is gone for good is kept as gone. Else a removal is durable when what follows it is.
            self._files.sync()
            self._keep(before)

    def _read(self) -> int:
        try:
            return int(self._record.read_text("ascii"))
        except (OSError, ValueError):
            return 0

    def _keep(self, size: int) -> None:
        if size == self._gone and self._record.exists():
            return
        aside = self._record.with_suffix(".tmp")
        aside.write_text(f"{size}\n", "ascii")
        aside.replace(self._record)
        self._gone = size
