"""A record of how far a log has come, kept outside its home: what an older copy of the home does not have.

    {"origin":"example.org/log","root":"…","size":20852163}

It is written, durably, before each checkpoint is published, when the checkpoint's entries are on disk. So a log that is
smaller than its record is an older copy, and one with another root at that size was rewritten.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import InvalidInputError, UnavailableError
from ledger.log.storage.files import sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from ledger.log.checkpoint import Checkpoint
    from ledger.log.ports import Endorser, ProvesConsistency

_SIZE_MAX: Final = 1 << 63


class HighWaterError(UnavailableError):
    """The record outside the home cannot be written; without it, an older copy would not be recognised."""

    code = "high_water_unwritable"
    meaning = "The high-water record outside the home cannot be written, so no new checkpoint is published."
    remedy = "Make the file of `QUANZE_HIGH_WATER_FILE` writable again, or leave the setting out."


class HighWater:
    """An Endorser that keeps the record of what it lets through, after another one has let it through."""

    def __init__(self, path: Path, endorser: Endorser) -> None:
        self._path = path
        self._endorser = endorser

    def endorse(self, note: bytes, checkpoint: Checkpoint, log: ProvesConsistency) -> bytes:
        """Return the endorsed note, once its size and root are recorded.

        Raises:
            HighWaterError: The record cannot be written.
            LedgerError: As the other endorser says.
        """
        endorsed = self._endorser.endorse(note, checkpoint, log)
        record = {"origin": checkpoint.origin, "root": checkpoint.root.hex(), "size": checkpoint.size}
        aside = self._path.with_name(f".{self._path.name}.tmp")
        try:
            with aside.open("wb") as file:
                file.write(json.dumps(record).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise HighWaterError("high-water record", f"{self._path}: {error.strerror or error}") from error
        return endorsed


def read_high_water(path: Path, origin: str) -> tuple[int, bytes] | None:
    """Return the recorded size and root, None where nothing was recorded yet.

    Raises:
        InvalidInputError: The file cannot be read, or is no record of this log.
    """
    wanted = f"a high-water record of {origin}, or a file that does not exist yet in a folder that does"
    if not path.parent.is_dir():
        raise InvalidInputError("QUANZE_HIGH_WATER_FILE", str(path), wanted)
    try:
        found = json.loads(path.read_bytes())
        size, root = found["size"], bytes.fromhex(found["root"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInputError("QUANZE_HIGH_WATER_FILE", str(path), wanted) from error
    if found.get("origin") != origin or type(size) is not int or not 0 <= size < _SIZE_MAX or len(root) != 32:
        raise InvalidInputError("QUANZE_HIGH_WATER_FILE", str(path), wanted)
    return size, root
