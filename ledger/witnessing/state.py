"""What a witness signed last of each log, durable before anything is signed.

One folder is one witness: a lock keeps a second process away, and each decision, its record and its time are one
transaction. Killed before the commit, the witness has neither kept nor signed anything; killed after it, it has kept a
checkpoint that it never signed, which its log asks for again.

Must stay true:

* nothing is signed whose size and root are not on disk;
* of one log, no two roots of one size are ever agreed to, no smaller size than before, and no earlier time;
* a row that does not say what the note kept with it says stops the witness: it is not what was agreed to.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from ledger.domain.errors import IntegrityError, UnavailableError, VerificationError
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import keys_that_signed, parse_note
from ledger.log.witness import NOTHING, Agreed, Refused, Signed, decide, origin_of
from ledger.sqlite import open_durable, transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ledger.log.ports import NoteVerifier
    from ledger.log.witness import AddCheckpoint

DATABASE: Final = "state.db"
_LOCK: Final = "lock"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS signed (
    origin TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    time INTEGER NOT NULL,
    note BLOB NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint that is on disk as the last one agreed to, and the time to sign it at."""

    text: str
    time: int


def make_state(folder: Path) -> None:
    """Make the empty state of a new witness; a state that is there stays."""
    connection = open_durable(folder / DATABASE)
    try:
        connection.execute(_SCHEMA)
    finally:
        connection.close()


class WitnessState:
    """The state in one folder. Every method may be called from any thread."""

    def __init__(self, connection: sqlite3.Connection, lock: int, at_step: Callable[[str], None]) -> None:
        """Use ``WitnessState.open``."""
        self._connection = connection
        self._descriptor = lock
        self._at_step = at_step
        self._lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path, at_step: Callable[[str], None] = lambda _name: None) -> Self:
        """Open the state for this process alone.

        Args:
            folder: the witness's folder.
            at_step: called with the name of each step, for tests that stop there.

        Raises:
            UnavailableError: another process has it, or it cannot be opened.
            IntegrityError: there is none, or it was altered. A witness that began anew would sign what it had signed
                otherwise.
        """
        if not (folder / DATABASE).is_file():
            raise IntegrityError("witness", "its record of what it signed is missing", file=str(folder / DATABASE))
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            state = cls(open_durable(folder / DATABASE), descriptor, at_step)
        except BlockingIOError as error:
            os.close(descriptor)
            raise UnavailableError("witness", f"{folder} is in use by another process") from error
        except BaseException:  # Also when interrupted: the lock is let go with its file.
            os.close(descriptor)
            raise
        try:
            state._check()
        except BaseException:  # Likewise.
            state.close()
            raise
        return state

    def take(self, request: AddCheckpoint, logs: Mapping[str, Sequence[NoteVerifier]], now_s: int) -> Kept | Refused:
        """Decide on a request and keep what it may lead to; only then may the checkpoint be signed.

        Raises:
            VerificationError: the request holds no checkpoint.
            IntegrityError: the record was altered.
            UnavailableError: the record cannot be written; nothing may be signed.
        """
        origin = origin_of(request)
        try:
            with self._lock, transaction(self._connection):
                last, time = self._last(origin, logs.get(origin, ()))
                decision = decide(request, logs, last)
                if isinstance(decision, Refused):
                    return decision
                self._at_step("decided")
                # A clock that went back never makes an older statement of a larger tree.
                kept = Kept(decision.text, max(now_s, time))
                self._keep(request, decision, kept)
                self._at_step("written")
        except sqlite3.Error as error:
            raise UnavailableError("witness", f"its record cannot be written: {error}") from error
        self._at_step("kept")
        return kept

    def close(self) -> None:
        """Let another process be this witness."""
        with self._lock:
            self._connection.close()
            os.close(self._descriptor)

    def _check(self) -> None:
        """Return if every record is of the note kept with it, so that no log is forgotten under another's name.

        Raises:
            IntegrityError: one is not, or the file is damaged.
        """
        try:
            origins = [row[0] for row in self._connection.execute("SELECT origin FROM signed")]
        except sqlite3.Error as error:
            raise IntegrityError("witness", f"its record is damaged: {error}") from error
        for origin in origins:
            self._last(origin, ())

    def _last(self, origin: str, keys: Sequence[NoteVerifier]) -> tuple[Signed, int]:
        row = self._connection.execute(
            "SELECT size, root, time, note FROM signed WHERE origin = ?", (origin,)
        ).fetchone()
        if row is None:
            return NOTHING, 0
        size, root, time, note = row
        try:
            parsed = parse_note(note)
            keys_that_signed(parsed, keys)
            said = parse_checkpoint(parsed.text)
        except VerificationError as error:
            raise IntegrityError("witness", "the checkpoint that it signed last was altered", origin=origin) from error
        if (said.origin, said.size, said.root) != (origin, size, root):
            raise IntegrityError("witness", "its record is not of the checkpoint that it signed last", origin=origin)
        return Signed(size, root), time

    def _keep(self, request: AddCheckpoint, agreed: Agreed, kept: Kept) -> None:
        checkpoint = agreed.checkpoint
        self._connection.execute(
            "INSERT INTO signed (origin, size, root, time, note) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, "
            "time = excluded.time, note = excluded.note",
            (checkpoint.origin, checkpoint.size, checkpoint.root, kept.time, request.note),
        )
