"""Files that are whole after any crash: written aside, synced, renamed, and their folders synced.

Steps are announced to a callable by name, so that a test can stop the process between any two of them.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.log.errors import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    AtStep = Callable[[str], None]


def no_step(_name: str) -> None:
    """Do nothing at a step: the normal case."""


class FolderFetcher:
    """A Fetcher over a folder on disk."""

    __slots__ = ("_root",)

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes:
        """Return a file's bytes.

        Raises:
            MissingFileError: there is no such file.
            UnavailableError: the file cannot be read now.
        """
        try:
            return (self._root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise MissingFileError(path) from error
        except OSError as error:
            raise UnavailableError("log", f"{path} cannot be read: {error}") from error


class DurableFolder(FolderFetcher):
    """Public files under one folder. After ``sync`` everything put before it survives a power cut.

    Different files may be put from several threads; one thread deletes and syncs. What a failed ``put`` leaves is a
    name that begins with a dot, which no reader gets and the next ``put`` of the file replaces.
    """

    __slots__ = ("_at_step", "_changed", "_made")

    def __init__(self, root: Path, at_step: AtStep = no_step) -> None:
        super().__init__(root)
        self._at_step = at_step
        self._changed: set[Path] = set()
        self._made: set[Path] = {root}

    def put(self, path: str, data: bytes) -> None:
        """Replace a file: a reader sees the old bytes or the new ones, never a mixture."""
        target = self._root / path
        self._make_folder(target.parent)
        aside = target.with_name(f".{target.name}.tmp")
        kind = _kind(path)
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            self._at_step(f"{kind} written aside")
            os.fsync(file.fileno())
        self._at_step(f"{kind} synced aside")
        aside.replace(target)
        self._changed.add(target.parent)
        self._at_step(f"{kind} renamed")

    def put_once(self, path: str, data: bytes) -> bool:
        """Write a file that never changes, and say whether it was not there; one that is there must be the same.

        Raises:
            IntegrityError: the file is there with other bytes.
        """
        target = self._root / path
        try:
            found = target.read_bytes()
        except FileNotFoundError:
            self.put(path, data)
            return True
        if found != data:
            raise IntegrityError(path, "the file differs from what the journal's entries give", file=path)
        self._make_folder(target.parent)
        self._changed.add(target.parent)
        return False

    def exists(self, path: str) -> bool:
        """Say whether there is a file at a path."""
        return (self._root / path).is_file()

    def delete(self, path: str) -> None:
        """Remove a file, if it is there. After ``sync`` it does not come back."""
        target = self._root / path
        try:
            target.unlink()
        except (FileNotFoundError, NotADirectoryError):
            return
        self._changed.add(target.parent)

    def delete_all(self, path: str) -> None:
        """Remove a folder of files that nothing needs any more, with those that were being written to it.

        A crash in the middle leaves some of the files, and a power cut may bring back the folder with any of them: they
        are what they were, and whoever removes the folder next removes them too.
        """
        folder = self._root / path
        try:
            found = list(folder.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return
        for file in found:
            file.unlink(missing_ok=True)
            self._at_step("partial file removed")
        folder.rmdir()
        self._made.discard(folder)
        self._changed.discard(folder)
        self._changed.add(folder.parent)
        self._at_step("partial files removed")

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the paths of the files under a folder such as ``tile/0``."""
        for folder, _, found in os.walk(self._root / prefix):
            place = Path(folder).relative_to(self._root).as_posix()
            yield from (f"{place}/{name}" for name in found if not name.startswith("."))

    def sync(self) -> None:
        """Make the names of all files put and deleted so far durable."""
        for folder in sorted(self._changed):
            sync_folder(folder)
        self._changed.clear()
        self._at_step("folders synced")

    def _make_folder(self, folder: Path) -> None:
        if folder in self._made:
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        # Also where it is there already: who made it may have died before its name was durable.
        self._changed.add(folder.parent)
        self._made.add(folder)


class OwnerLock:
    """Holds a file so that one process at a time writes a log; the system frees it when the process dies."""

    __slots__ = ("_file",)

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            UnavailableError: another process (or another log object of this one) holds it.
        """
        file = path.open("ab")
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise UnavailableError("log", f"{path} is held by another process") from error
        self._file = file

    def release(self) -> None:
        """Let another process take the lock."""
        self._file.close()


def make_durable_folder(folder: Path) -> None:
    """Make a folder with those above it that are missing, and make its name and the names in it durable.

    Also where all are there: who made them may have died before.
    """
    for missing in reversed([above for above in (folder, *folder.parents) if not above.exists()]):
        missing.mkdir(exist_ok=True)
        sync_folder(missing.parent)
    sync_folder(folder.parent)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _kind(path: str) -> str:
    """Return what a public file is, for the names of steps."""
    if path.startswith("tile/entries/"):
        return "bundle"
    return "tile" if path.startswith("tile/") else path
