"""What a monitor never forgets: one folder, in which every step is durable before the next begins.

``monitor.json``   whose log and which anchor contract, written once
``notes.ndjson``   every note seen, appended and synced **before** it is checked
``verified.json``  the newest tree that was checked, and how far along the chain; replaced whole
``alarms/``        one file an alarm, written before the round goes on
``lock``           held by the process that watches

A monitor that is killed between two of these steps checks the notes again that it saw and had not yet judged, also
when the log serves others by then.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from ledger.domain.errors import IntegrityError, InvalidInputError, LedgerError, UnavailableError, VerificationError
from ledger.evidence.trust_root import FormerKey, Log
from ledger.home import sync_folder, write_atomically
from ledger.monitor.evidence import Alarm, Anchor, SeenNote, parse_alarm, print_alarm
from ledger.monitor.tree import HashedTree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMAT: Final = "quanze-monitor-v1"
NOTES_MAX: Final = 4_096
"""Beyond it every second of the older half of the judged notes goes: old sizes stay, more thinly."""
ANCHORS_MAX: Final = 1_000
"""Anchors that wait for the log to show as many entries."""


def no_step(_name: str) -> None:
    """Do nothing at a step: the normal case."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose log it is, and where it is anchored (no chain: chain id 0 and no contract)."""

    origin: str
    vkey: str
    chain_id: int = 0
    contract: str = ""
    former: tuple[tuple[str, int], ...] = ()
    """The keys that the log had before, each with the largest size that counts by its signature."""

    @property
    def log(self) -> Log:
        """The log with its keys."""
        former = [FormerKey(vkey=vkey, until=until) for vkey, until in self.former]
        return Log(former=former, origin=self.origin, vkey=self.vkey)

    def to_json(self) -> dict[str, Any]:
        """Return ``monitor.json``."""
        return {
            "format": FORMAT,
            "origin": self.origin,
            "vkey": self.vkey,
            "chain_id": self.chain_id,
            "contract": self.contract,
            "former": [list(key) for key in self.former],
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """A note in the order of its arrival; ``number`` counts them from 1 and never repeats."""

    number: int
    at_ms: int
    source: str
    note: str

    def shown(self) -> SeenNote:
        """Return what an alarm says of it."""
        return SeenNote(note=self.note, seen_at_ms=self.at_ms, source=self.source)


@dataclass(slots=True)
class Verified:
    """How far the monitor has come."""

    tree: HashedTree = field(default_factory=HashedTree)
    note: str = ""
    note_at_ms: int = 0
    judged: int = 0
    """The number of the last note that was judged, for good or bad."""
    block: int = -1
    block_hash: str = ""
    anchored: int = 0
    """The largest anchored size that was found right."""
    waiting: list[Anchor] = field(default_factory=list)
    log_at_ms: int = 0
    chain_at_ms: int = 0
    rechecked: int = 0

    def shown(self, source: str) -> SeenNote:
        """Return what an alarm says of the note that was found right, read at a place."""
        return SeenNote(note=self.note, seen_at_ms=self.note_at_ms, source=source)

    def to_json(self) -> dict[str, Any]:
        """Return ``verified.json``."""
        return {
            "tree": self.tree.to_json(),
            "note": self.note,
            "note_at_ms": self.note_at_ms,
            "judged": self.judged,
            "block": self.block,
            "block_hash": self.block_hash,
            "anchored": self.anchored,
            "waiting": msgspec.to_builtins(self.waiting),
            "log_at_ms": self.log_at_ms,
            "chain_at_ms": self.chain_at_ms,
            "rechecked": self.rechecked,
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Return what was kept."""
        tree = HashedTree.from_json(found.pop("tree"))
        waiting = msgspec.convert(found.pop("waiting"), list[Anchor])
        return cls(tree=tree, waiting=waiting, **found)


class MonitorBusyError(UnavailableError):
    """Another process watches with this state."""

    code = "monitor_busy"
    meaning = "Another process watches with this state folder."
    remedy = "Let it, or give this one a folder of its own with `--state`."


class MonitorState:
    """The open state folder of one monitor."""

    def __init__(self, folder: Path, at_step: Callable[[str], None] = no_step) -> None:
        """Use ``open``."""
        self.folder = folder
        self._at_step = at_step
        self._lock = -1
        self.notes: list[Seen] = []
        self.verified = Verified()

    @classmethod
    def open(cls, folder: Path, watched: Watched, at_step: Callable[[str], None] = no_step) -> Self:
        """Open the state in a folder, or begin one there.

        Raises:
            InvalidInputError: The folder is the state of a monitor of another log or chain.
            MonitorBusyError: Another process has it.
            IntegrityError: A file in it is not what a monitor writes: it was altered.
        """
        state = cls(folder, at_step)
        (folder / "alarms").mkdir(parents=True, exist_ok=True, mode=0o700)
        state._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(state._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(state._lock)
            raise MonitorBusyError("monitor", "another process watches with this state", folder=str(folder)) from error
        try:
            state._load(watched)
        except BaseException:  # Also when interrupted: the lock is let go.
            state.close()
            raise
        return state

    def close(self) -> None:
        """Let another process watch."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def saw(self, note: str, at_ms: int, source: str) -> Seen:
        """Keep a note durably and return it; one that is kept already is not written again."""
        if (known := next((seen for seen in reversed(self.notes) if seen.note == note), None)) is not None:
            return known
        number = max((seen.number for seen in self.notes[-1:]), default=self.verified.judged) + 1
        seen = Seen(max(number, self.verified.judged + 1), at_ms, source, note)
        if len(self.notes) >= NOTES_MAX:
            self._thin()
        path = self.folder / "notes.ndjson"
        is_new = not path.exists()
        with path.open("ab") as file:
            file.write(_line(seen))
            file.flush()
            self._at_step("note written")
            os.fsync(file.fileno())
        if is_new:
            sync_folder(self.folder)
        self.notes.append(seen)
        self._at_step("note kept")
        return seen

    def pending(self) -> list[Seen]:
        """Return the notes that were seen and not judged yet, the oldest first."""
        return [seen for seen in self.notes if seen.number > self.verified.judged]

    def keep(self, alarm: Alarm) -> tuple[Path, bool]:
        """Write an alarm's file durably; return its path, and whether it is new."""
        path = self.folder / "alarms" / alarm.name
        if path.exists():
            return path, False
        write_atomically(path, print_alarm(alarm))
        self._at_step("alarm kept")
        return path, True

    def save(self) -> None:
        """Write durably how far the monitor has come."""
        write_atomically(self.folder / "verified.json", (json.dumps(self.verified.to_json()) + "\n").encode())
        self._at_step("state saved")

    def alarms(self) -> list[tuple[Path, Alarm]]:
        """Return the alarms that nobody has taken out of the folder yet.

        Raises:
            IntegrityError: A file is none.
        """
        found = []
        for path in sorted((self.folder / "alarms").glob("*.json")):
            try:
                found.append((path, parse_alarm(path.read_bytes())))
            except VerificationError as error:
                raise IntegrityError("monitor", f"an alarm file was altered: {error.reason}", file=path.name) from error
        return found

    def _load(self, watched: Watched) -> None:
        path = self.folder / "monitor.json"
        if path.exists():
            _check_same(self.folder, found := _read_json(path), watched)
        else:
            found = None
        if found != watched.to_json():
            write_atomically(path, (json.dumps(watched.to_json(), indent=1) + "\n").encode())
            sync_folder(self.folder.parent)
        kept = self.folder / "verified.json"
        if kept.exists():
            try:
                self.verified = Verified.from_json(_read_json(kept))
            except (LedgerError, KeyError, TypeError, ValueError, AttributeError) as error:
                raise IntegrityError("monitor", "its kept tree was altered", file=kept.name) from error
        self.notes = read_notes(self.folder / "notes.ndjson", mend=True)

    def _thin(self) -> None:
        half = len(self.notes) // 2
        older = [seen for seen in self.notes[:half:2] if seen.number <= self.verified.judged]
        kept = older + [seen for seen in self.notes[:half] if seen.number > self.verified.judged] + self.notes[half:]
        write_atomically(self.folder / "notes.ndjson", b"".join(_line(seen) for seen in kept))
        self.notes = kept


def read_notes(path: Path, *, mend: bool = False) -> list[Seen]:
    """Return the notes of a file, without a last line that a kill cut off.

    Args:
        path: the file.
        mend: cut the torn line off the file too, so that the next one begins on a line of its own.

    Raises:
        IntegrityError: A whole line is none of a monitor's.
    """
    if not path.exists():
        return []
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if mend and whole < len(data):
        with path.open("r+b") as file:
            file.truncate(whole)
            os.fsync(file.fileno())
    found = []
    for number, line in enumerate(data[:whole].splitlines(), 1):
        try:
            found.append(msgspec.json.decode(line, type=Seen))
        except (msgspec.MsgspecError, ValueError) as error:
            raise IntegrityError("monitor", "a line of its notes was altered", file=path.name, line=number) from error
    return found


def read_watched(folder: Path) -> Watched:
    """Return whose log a state folder is about.

    Raises:
        InvalidInputError: It is no state folder of a monitor.
    """
    path = folder / "monitor.json"
    if not path.is_file():
        raise InvalidInputError("folder", str(folder), "a state folder of `quanze monitor`")
    found = _read_json(path)
    if not isinstance(found, dict) or found.pop("format", "") != FORMAT:
        raise InvalidInputError("folder", str(folder), "a state folder of `quanze monitor`")
    try:
        former = tuple((str(vkey), int(until)) for vkey, until in found.pop("former"))
        return Watched(**found, former=former)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInputError("folder", str(folder), "a state folder of `quanze monitor`") from error


def _check_same(folder: Path, found: Any, watched: Watched) -> None:
    """Return if the folder is of the same log and anchor; the log may have another key by now, named with the former.

    Raises:
        InvalidInputError: It is of another.
        IntegrityError: Its record was altered.
    """
    if not isinstance(found, dict):
        raise IntegrityError("monitor", "its record was altered", file="monitor.json")
    wanted = watched.to_json()
    del wanted["former"]
    if found.get("vkey") in {vkey for vkey, _ in watched.former}:
        del wanted["vkey"]
    for name, value in wanted.items():
        if found.get(name) != value:
            raise InvalidInputError(
                f"{name} (state folder {folder})", value, f"{found.get(name)}, as this folder began; or another folder"
            )


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise IntegrityError("monitor", "its file is not JSON", file=path.name) from error


def _line(seen: Seen) -> bytes:
    return msgspec.json.encode(seen) + b"\n"
