"""Files that are whole after any crash: written aside, synced, renamed, and their folders synced.

Steps are announced to a callable by name, so that a test can stop the process between any two of them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.log.errors import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Callable

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
        """
        try:
            return (self._root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise MissingFileError(path) from error


class DurableFolder:
    """Writes whole files under one folder. After ``sync`` everything put before it survives a power cut."""

    __slots__ = ("_at_step", "_changed", "_root")

    def __init__(self, root: Path, at_step: AtStep = no_step) -> None:
        self._root = root
        self._at_step = at_step
        self._changed: set[Path] = set()

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

    def put_once(self, path: str, data: bytes) -> None:
        """Write a file that never changes; one that is there already must be the same.

        Raises:
            IntegrityError: the file is there with other bytes.
        """
        target = self._root / path
        try:
            found = target.read_bytes()
        except FileNotFoundError:
            self.put(path, data)
            return
        if found != data:
            raise IntegrityError(path, "the file differs from what the journal's entries give", file=path)
        self._changed.add(target.parent)

    def remove_folder(self, path: str) -> None:
        """Remove a folder of files that nothing needs any more."""
        shutil.rmtree(self._root / path, ignore_errors=True)
        self._at_step("partial files removed")

    def sync(self) -> None:
        """Make the names of all files put so far durable."""
        for folder in sorted(self._changed):
            sync_folder(folder)
        self._changed.clear()
        self._at_step("folders synced")

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        self._changed.add(folder.parent)


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
