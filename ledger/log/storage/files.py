"""Files that are whole after any crash: written aside, synced, renamed, and their folders synced.

Many files at once share each sync: the system is told to write all that waits, instead of each file by itself.

Steps are announced to a callable by name, so that a test can stop the process between any two of them.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.log.errors import MissingFileError
from ledger.log.storage.kernel import check_written, rename_new, sync_file_system

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    AtStep = Callable[[str], None]


_AT_ONCE: Final = 64
"""Files that share a sync; each is open until then, and a process may have no more than some 1,000 open."""

_FEW: Final = 2
"""So many folders are synced each by itself, so that nothing else on the file system is waited for."""


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
            with FileIO(f"{self._root}/{path}") as file:  # A check of a log reads two files for 256 entries.
                return file.readall()
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
        self._changed: set[str] = set()
        self._made: set[str] = {str(root)}

    def put(self, path: str, data: bytes) -> None:
        """Replace a file: a reader sees the old bytes or the new ones, never a mixture."""
        folder, aside, target = self._places(path)
        self._make_folder(folder)
        kind = _kind(path)
        handle = self._write_aside(aside, data)
        try:
            self._at_step(f"{kind} written aside")
            os.fsync(handle)
        finally:
            os.close(handle)
        self._at_step(f"{kind} synced aside")
        os.replace(aside, target)  # noqa: PTH105 - a Path costs more than the call
        self._changed.add(folder)
        self._at_step(f"{kind} renamed")

    def put_once(self, path: str, data: bytes) -> bool:
        """Write a file that never changes, and say whether it was not there; one that is there must be the same.

        Raises:
            IntegrityError: the file is there with other bytes.
        """
        try:
            found = self._read_there(path)
        except FileNotFoundError:
            self.put(path, data)
            return True
        self._keep_there(path, found, data)
        return False

    def put_all_once(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Write files as ``put_once`` does, many with one sync; it is for files that are not there as a rule.

        Raises:
            IntegrityError: a file is there with other bytes.
        """
        with self._system() as system:
            waiting = iter(files)
            while some := list(islice(waiting, _AT_ONCE)):
                self._write_asides(some, system)
                self._rename_new(some)

    def put_all_then(self, files: Iterable[tuple[str, bytes]], last: tuple[str, bytes]) -> None:
        """Write files as ``put_all_once`` does and make them durable, then replace the ``last`` one, which needs them.

        Raises:
            IntegrityError: a file is there with other bytes; the last one is not replaced.
        """
        path, _ = last
        folder, aside, target = self._places(path)
        with self._system() as system:
            waiting = iter(files)
            some = list(islice(waiting, _AT_ONCE))
            while len(some) == _AT_ONCE:
                self._write_asides(some, system)
                self._rename_new(some)
                some = list(islice(waiting, _AT_ONCE))
            self._write_asides([*some, last], system)
            self._rename_new(some)
        self.sync()
        os.replace(aside, target)  # noqa: PTH105 - a Path costs more than the call
        self._at_step(f"{_kind(path)} renamed")
        self._changed.add(folder)
        self.sync()

    def exists(self, path: str) -> bool:
        """Say whether there is a file at a path."""
        return (self._root / path).is_file()

    def delete(self, path: str) -> None:
        """Remove a file, if it is there. After ``sync`` it does not come back."""
        folder, _, target = self._places(path)
        try:
            os.unlink(target)  # noqa: PTH108 - a Path costs more than the call
        except (FileNotFoundError, NotADirectoryError):
            return
        self._changed.add(folder)

    def delete_all(self, path: str) -> None:
        """Remove a folder of files that nothing needs any more, with those that were being written to it.

        A crash in the middle leaves some of the files, and a power cut may bring back the folder with any of them: they
        are what they were, and whoever removes the folder next removes them too.
        """
        above, _, folder = self._places(path)
        try:
            found = list(Path(folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return
        for file in found:
            file.unlink(missing_ok=True)
            self._at_step("partial file removed")
        Path(folder).rmdir()
        self._made.discard(folder)
        self._changed.discard(folder)
        self._changed.add(above)
        self._at_step("partial files removed")

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the paths of the files under a folder such as ``tile/0``."""
        for folder, _, found in os.walk(self._root / prefix):
            place = Path(folder).relative_to(self._root).as_posix()
            yield from (f"{place}/{name}" for name in found if not name.startswith("."))

    def sync(self) -> None:
        """Make the names of all files put and deleted so far durable."""
        if len(self._changed) <= _FEW or not self._sync_system():
            for folder in sorted(self._changed):
                sync_folder(folder)
        self._changed.clear()
        self._at_step("folders synced")

    @contextmanager
    def _system(self) -> Iterator[int]:
        """Open the file system for its syncs, which tell of what failed since then."""
        handle = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield handle
        finally:
            os.close(handle)

    def _write_asides(self, files: Sequence[tuple[str, bytes]], system: int) -> None:
        """Write the bytes of files, durably, under names that are not theirs."""
        handles: list[int] = []
        try:
            for path, data in files:
                folder, aside, _ = self._places(path)
                self._make_folder(folder)
                handles.append(self._write_aside(aside, data))
                self._at_step(f"{_kind(path)} written aside")
            self._sync_written(handles, system)
        finally:
            for handle in handles:
                os.close(handle)
        self._at_step("files synced aside")

    def _rename_new(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Give files that are written aside their names, except where one is there already."""
        for path, data in files:
            folder, aside, target = self._places(path)
            try:
                rename_new(aside, target)
            except FileExistsError:
                self._keep_there(path, self._read_there(path), data)
                os.unlink(aside)  # noqa: PTH108 - a Path costs more than the call
            else:
                self._changed.add(folder)
            self._at_step(f"{_kind(path)} renamed")

    def _sync_written(self, handles: Sequence[int], system: int) -> None:
        """Make the bytes of open files durable."""
        if len(handles) > 1 and sync_file_system(system) and all(map(check_written, handles)):
            return
        for handle in handles:
            os.fsync(handle)

    def _sync_system(self) -> bool:
        with self._system() as system:
            return sync_file_system(system)

    def _write_aside(self, aside: str, data: bytes) -> int:
        """Write a file whole, and return it open."""
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            written = os.write(handle, data)
            while written < len(data):
                written += os.write(handle, data[written:])
        except BaseException:  # Also when interrupted: nobody else has the file, which is let go.
            os.close(handle)
            raise
        return handle

    def _read_there(self, path: str) -> bytes:
        return (self._root / path).read_bytes()

    def _keep_there(self, path: str, found: bytes, data: bytes) -> None:
        """Leave a file as it is; its name becomes durable, since who made it may have died before."""
        if found != data:
            raise IntegrityError(path, "the file differs from what the journal's entries give", file=path)
        folder = self._places(path)[0]
        self._make_folder(folder)
        self._changed.add(folder)

    def _places(self, path: str) -> tuple[str, str, str]:
        """Return where a file is: its folder, the name under which it is written, and its own."""
        target = f"{self._root}/{path}"
        folder, _, name = target.rpartition("/")
        return folder, f"{folder}/.{name}.tmp", target

    def _make_folder(self, folder: str) -> None:
        if folder in self._made:
            return
        above = folder.rpartition("/")[0]
        self._make_folder(above)
        Path(folder).mkdir(exist_ok=True)
        # Also where it is there already: who made it may have died before its name was durable.
        self._changed.add(above)
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


def sync_folder(folder: Path | str) -> None:
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
