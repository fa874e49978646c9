"""Where the passphrase comes from: a file named by a setting, or whoever sits at the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MAX_BYTES = 4096


def passphrase_from_file(path: Path) -> Callable[[], str]:
    """Return a source that reads the file's first line each time it is asked, so that nothing keeps it.

    The source raises InvalidInputError, which names the path only: the file is missing or unreadable,
    is not UTF-8, or its first line is empty.
    """

    def read() -> str:
        try:
            with path.open("rb") as file:
                line = file.read(_MAX_BYTES).split(b"\n", 1)[0].rstrip(b"\r").decode()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInputError("QUANZE_PASSPHRASE_FILE", str(path), "a readable UTF-8 file") from error
        if not line:
            raise InvalidInputError("QUANZE_PASSPHRASE_FILE", str(path), "a file whose first line is not empty")
        return line

    return read
