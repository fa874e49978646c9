"""Calls of Linux that Python has no name for. Elsewhere each says so, and the caller does without.

Why the log wants them: docs/adr/0120-files-reach-the-disk-together.md.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import Any, Final

# What ctypes finds has no types.
_LIBC: Final[Any] = ctypes.CDLL(None, use_errno=True)
_HERE: Final = -100  # AT_FDCWD
_NO_REPLACE: Final = 1  # RENAME_NOREPLACE
_WAIT_BEFORE: Final = 1  # SYNC_FILE_RANGE_WAIT_BEFORE


def sync_file_system(handle: int) -> bool:
    """Make all that was written to the file system of an open file durable; False if there is no such call.

    Raises:
        OSError: something could not be written since the handle was opened. Linux before 5.8, and file systems over
            others, may not tell of a file's bytes: ask ``check_written`` of each file.
    """
    return hasattr(_LIBC, "syncfs") and _is_done(_LIBC.syncfs(handle))


def check_written(handle: int) -> bool:
    """Return if no write-back of an open file's bytes failed since it was opened; False if there is no such call.

    One that is under way is waited for.

    Raises:
        OSError: one failed.
    """
    if not hasattr(_LIBC, "sync_file_range"):
        return False
    return _is_done(_LIBC.sync_file_range(handle, ctypes.c_longlong(0), ctypes.c_longlong(0), _WAIT_BEFORE))


def rename_new(source: str, target: str) -> None:
    """Give a file another name that no file has.

    Raises:
        FileExistsError: one has it.
        OSError: it cannot be renamed.
    """
    if hasattr(_LIBC, "renameat2"):
        paths = os.fsencode(source), os.fsencode(target)
        if _LIBC.renameat2(_HERE, paths[0], _HERE, paths[1], _NO_REPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in {errno.ENOSYS, errno.EINVAL}:
            raise OSError(number, os.strerror(number), source, None, target)
    os.link(source, target)  # Not every file system knows the call; two names for a moment do as well.
    os.unlink(source)  # noqa: PTH108 - as the call above


def _is_done(result: int) -> bool:
    if result == 0:
        return True
    number = ctypes.get_errno()
    if number == errno.ENOSYS:
        return False
    raise OSError(number, os.strerror(number))
