"""The public files of a log that are in its folder, and those that are only in the store behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.log.errors import MissingFileError

if TYPE_CHECKING:
    from ledger.log.ports import Fetcher


class LayeredFetcher:
    """Reads from a folder, and what is not there from a store, if there is one now. Thread-safe."""

    __slots__ = ("_folder", "store")

    def __init__(self, folder: Fetcher, store: Fetcher | None = None) -> None:
        """Read from ``folder`` first; ``store`` may be set to another one later."""
        self._folder = folder
        self.store = store

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFileError: there is no such file.
            UnavailableError: it is not in the folder, and the store does not answer.
        """
        store = self.store
        try:
            return self._folder.read(path)
        except MissingFileError:
            if store is None:
                raise
        return store.read(path)
