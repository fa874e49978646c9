"""What must hold of a home's files before a process uses them, each with an error of its own.

The folder is there and may be written, it is this user's, what is private is not open to others, and no other process
has it. Nothing is mended here: who opened a key to others, or copied a home as root, has to know of it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.home import Home

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_ENTER: Final = stat.S_IXGRP | stat.S_IXOTH


class HomeBusyError(UnavailableError):
    """Another process has the right to write the home."""

    code = "home_busy"
    meaning = "Another process uses this home; only one may write it."
    remedy = "Verbs reach a running `quanze up` by themselves; stop any other process named, or wait for it."


class HomeUnwritableError(UnavailableError):
    """The home's folder does not take writes."""

    code = "home_unwritable"
    meaning = "The home's folder cannot be written: its file system is read-only, or its permissions refuse."
    remedy = "Mount the file system for writing, or give the folder back to the user who runs `quanze`."
    retryable = True


class HomeOwnerError(UnavailableError):
    """The home, or a file of it, belongs to another user than runs this process."""

    code = "home_owner"
    meaning = "The home, or a file in it, belongs to another user than the one who runs this process."
    remedy = "Run `quanze` as the owner, or give the whole home to one user with `chown -R`."
    retryable = False


class PrivateFileError(UnavailableError):
    """A private file may be read or changed by other users."""

    code = "private_file_open"
    meaning = "Other users may read or change a private file of the home."
    remedy = "Close it with `chmod go= FILE`. If it is a key, others may have it already: replace the key."
    retryable = False


def check_home(home: Home) -> None:
    """Return if the home is this user's, and its private files are closed to others.

    The log is public, and a web server may read it; so the home itself may be entered by others, and then each private
    file in it must be closed.

    Raises:
        HomeOwnerError: The home or a file of it is another user's.
        PrivateFileError: A private file is open to others.
        HomeUnwritableError: A file of it cannot even be looked at.
    """
    user = os.geteuid()
    try:
        is_closed = not stat.S_IMODE(home.path.stat().st_mode) & _ENTER
        for path in _private(home):
            found = path.lstat()
            if found.st_uid != user:
                raise HomeOwnerError("home", f"{path} belongs to user {found.st_uid}, this process runs as {user}")
            mode = stat.S_IMODE(found.st_mode)
            if mode & _OTHERS and (path == home.path or not is_closed) and not _is_public(home, path, mode):
                raise PrivateFileError("home", f"{path} is open to other users (mode {mode:04o}; wanted go=)")
    except OSError as error:
        raise cannot_write(home, error) from error


def cannot_write(home: Home, error: OSError) -> HomeUnwritableError:
    """Return the error that says why the home cannot be used."""
    reasons = {errno.EROFS: "its file system is read-only", errno.ENOSPC: "its file system is full"}
    if error.errno in {errno.EACCES, errno.EPERM}:
        owner: int | str = "unknown"
        with suppress(OSError):
            owner = home.path.stat().st_uid
        reason = f"not permitted to user {os.geteuid()} (the folder belongs to user {owner})"
    else:
        reason = reasons.get(error.errno or 0, error.strerror or type(error).__name__)
    where = error.filename if isinstance(error.filename, str) else str(home.path)
    return HomeUnwritableError("home", f"{where}: {reason}")


def take_lock(descriptor: int, home: Home) -> None:
    """Take the home's lock and write this process's id into it, for whoever comes second.

    Raises:
        HomeBusyError: Another process has it; its id is told.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        told = os.pread(descriptor, 20, 0)
        holder = told.decode() if told.isdigit() else "unknown"
        raise HomeBusyError("home", f"{home.path} is in use by another process", pid=holder) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _is_public(home: Home, path: Path, mode: int) -> bool:
    """Say whether a folder that others may enter, but not list or change, is the way to the public log."""
    return path == home.path and not mode & (_OTHERS & ~_ENTER)


def _private(home: Home) -> Iterator[Path]:
    """Yield the home, and what must be closed in it."""
    yield home.path
    for path in (home.config, home.chain, home.vault, home.outbox, home.events, home.index, home.keys, home.run):
        if path.exists():
            yield path
    if home.keys.is_dir():
        yield from sorted(home.keys.iterdir())
