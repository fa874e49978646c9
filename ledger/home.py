"""The home folder: where each store lives, and the lock that gives one process the right to write.

``Home`` only names paths. ``HomeLock`` is an ``flock`` on ``run/lock``: the kernel drops it when the
process dies, so a kill leaves nothing to clean.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from ledger.domain.errors import IntegrityError, InvalidInputError
from ledger.home_guard import cannot_write, take_lock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_DIGEST: Final = "sha256"
"""The member of a record that is the digest over the others."""


@dataclass(frozen=True, slots=True)
class Home:
    """The paths of one home folder."""

    path: Path

    @property
    def config(self) -> Path:
        """The deployment record; present only once ``quanze init`` has finished."""
        return self.path / "config.json"

    @property
    def init_plan(self) -> Path:
        """What an unfinished ``quanze init`` has already settled."""
        return self.path / "init.json"

    @property
    def keys(self) -> Path:
        """Keystore files."""
        return self.path / "keys"

    @property
    def chain(self) -> Path:
        """The embedded engine's journal and snapshots."""
        return self.path / "chain"

    @property
    def log(self) -> Path:
        """The public tlog-tiles folder and the private write-ahead log."""
        return self.path / "log"

    @property
    def log_store(self) -> Path:
        """Where the log is published, if not in its own folder."""
        return self.path / "log-store.json"

    @property
    def log_check(self) -> Path:
        """What the last resumable check of the log knows."""
        return self.path / "log-check.json"

    @property
    def vault(self) -> Path:
        """The vault's database."""
        return self.path / "vault.db"

    @property
    def events(self) -> Path:
        """The folder of the events' files."""
        return self.path / "events"

    @property
    def told(self) -> Path:
        """The folder of the index of what was told: rebuildable."""
        return self.path / "told"

    @property
    def outbox(self) -> Path:
        """The outbox's database."""
        return self.path / "outbox.db"

    @property
    def index(self) -> Path:
        """The rebuildable index."""
        return self.path / "index.db"

    @property
    def witnesses(self) -> Path:
        """The record of who had to cosign checkpoints, from which size on."""
        return self.path / "witnesses.json"

    @property
    def receipts(self) -> Path:
        """Receipts handed to the people who signed."""
        return self.path / "receipts"

    @property
    def run(self) -> Path:
        """Lock and socket."""
        return self.path / "run"

    @property
    def socket(self) -> Path:
        """The local socket of a running ``quanze up``."""
        return self.run / "quanze.sock"

    def make(self) -> None:
        """Create the folders that every store expects, readable by the owner only, those that exist too."""
        try:
            for folder in (self.path, self.keys, self.chain, self.log, self.receipts, self.run):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                folder.chmod(0o700)
        except OSError as error:
            raise cannot_write(self, error) from error

    def read_config(self) -> dict[str, Any]:
        """Return the deployment record.

        Raises:
            InvalidInputError: If the folder holds no finished home.
        """
        if not self.config.exists():
            state = "an unfinished home" if self.init_plan.exists() else "no home"
            raise InvalidInputError(
                field="home", value=str(self.path), allowed=f"a home made by `quanze init` (found {state})"
            )
        config: dict[str, Any] = json.loads(self.config.read_bytes())
        return config


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that after a crash it holds either the old or the new content, durably."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:  # Also when interrupted: no half-written file stays beside. Raised again.
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make every file and folder under a folder durable."""
    for place, folders, files in os.walk(folder):
        for name in files:
            descriptor = os.open(Path(place) / name, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        for name in folders:
            sync_folder(Path(place) / name)
    sync_folder(folder)


def copy_durably(source: Path, target: Path) -> None:
    """Copy a folder of plain files and folders into a new one, durably and for the owner alone.

    Raises:
        InvalidInputError: The folder holds something else, as a link: nothing outside it is ever read.
    """
    target.mkdir(mode=0o700)
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                copy_durably(source / entry.name, target / entry.name)
            else:
                _copy_file(source / entry.name, target / entry.name)
    sync_folder(target)


def _copy_file(source: Path, target: Path) -> None:
    try:
        given = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidInputError("file", str(source), "a plain file that can be read") from error
    with os.fdopen(given, "rb") as original:
        if not stat.S_ISREG(os.fstat(given).st_mode):
            raise InvalidInputError("file", str(source), "a plain file that can be read")
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
            shutil.copyfileobj(original, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Write ``value`` as indented JSON, atomically."""
    write_atomically(path, (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode())


def write_record(path: Path, value: Mapping[str, object]) -> None:
    """Write a record that nothing else in the home repeats, with a digest over it, atomically."""
    write_atomically(path, _record(value))


def read_record(path: Path, what: str) -> dict[str, Any]:
    """Return what `write_record` wrote, without the digest.

    Raises:
        FileNotFoundError: There is none.
        IntegrityError: It is not, byte for byte, what was written; ``what`` names the part that it is of.
    """
    content = path.read_bytes()
    try:
        value = json.loads(content)
        found = {name: part for name, part in value.items() if name != _DIGEST}
        is_whole = _record(found) == content
    except (ValueError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise IntegrityError(what, "a record of the home was altered or is damaged", file=path.name)
    return found


def _record(value: Mapping[str, object]) -> bytes:
    digest = sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    return (json.dumps({**value, _DIGEST: digest}, indent=1, sort_keys=True) + "\n").encode()


class HomeLock:
    """The exclusive right to write one home, held until ``release`` or the process ends."""

    def __init__(self, home: Home) -> None:
        """Take the lock.

        Raises:
            HomeBusyError: Another process has it.
            HomeUnwritableError: The home cannot be written.
        """
        try:
            home.run.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(home.run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise cannot_write(home, error) from error
        with ExitStack() as held:
            held.callback(os.close, self._descriptor)
            try:
                take_lock(self._descriptor, home)
            except OSError as error:
                raise cannot_write(home, error) from error
            held.pop_all()  # ``release`` closes it.

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
