"""Which keys were used and where, in sorted arrays of 12 bytes a key: what keeps a retry from being a second event.

A key is 64 bits of a hash, so two things may share one: whoever finds a key looks at the thing itself. New keys are in
a dictionary; `seal` lets them, with the caller's own state, become a file in the background. Files of like size are
merged, so that there are few. Everything here follows from log and events: what is damaged is made anew.

    index = KeyIndex(home / "keys-seen")
    index.load()                       # Snapshot, or None: then everything is added again
    index.add([key], [place])
    index.find([key])                  # {key: place}
    index.seal(size, mark, state)      # a snapshot of now, on disk some time later

A file is a header, keys as uint64 in rising order, and their places as uint32 above the header's base. The manifest
names the files with their digests, and its own; it is replaced in one rename, and counts only if all are as it says.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import structlog

from ledger.store.key_filter import KeyFilter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_LOG: Final = structlog.get_logger("keys")
_HEADER: Final = struct.Struct("<16sQQ")
_MAGIC: Final = b"quanze-keyrun-01"
_MANIFEST: Final = "manifest.json"
_FORMAT: Final = "quanze-key-index-v1"
_MERGED_AT_ONCE: Final = 4
"""So many files of like size become one."""

_MERGED_KEYS: Final = 1 << 17
"""A merge takes the key space in parts of some so many keys, which bounds its memory. Fewer keys a part would only wait
more often for Python's lock, which somebody else holds for most of the time in a flood."""

SEAL_KEYS: Final = 1 << 16
_NO_KEYS: Final = np.empty(0, np.uint64)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the caller knew when the keys were sealed: how many leaves, the last one's hash, and its own state."""

    size: int
    mark: bytes
    state: bytes


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    count: int
    digest: str


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    size: int
    mark: str
    state: str
    files: list[_File]
    next_number: int
    digest: str = ""

    def digested(self) -> _Manifest:
        """Return it with the digest of all else that it says."""
        plain = msgspec.structs.replace(self, digest="")
        return msgspec.structs.replace(self, digest=sha256(msgspec.json.encode(plain)).hexdigest())


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A file as arrays that are mapped, not read."""

    file: _File
    base: int
    keys: NDArray[np.uint64]
    places: NDArray[np.uint32]
    mapped: mmap.mmap

    def let_go(self) -> None:
        """Keep none of the file's pages: nearly no key is looked for in it, and the system has them still."""
        self.mapped.madvise(mmap.MADV_DONTNEED)

    @property
    def tier(self) -> int:
        """How often keys of this file were merged, about: files of one tier are of like size."""
        tier, count = 0, self.file.count
        while count > SEAL_KEYS * 2:
            tier, count = tier + 1, count // _MERGED_AT_ONCE
        return tier


class KeyIndex:
    """An index of 64-bit keys. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        """Use the folder, which is made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._lock = threading.RLock()
        self._fresh: dict[int, int] = {}
        self._sealed: dict[int, int] = {}
        self._runs: tuple[_Run, ...] = ()
        self._filter: KeyFilter | None = KeyFilter()
        """Of all keys in the files; while it is made, they are searched themselves."""
        self._next_number = 0
        self._worker: threading.Thread | None = None

    def load(self) -> Snapshot | None:
        """Take the files that the manifest names; None, and nothing taken, where anything differs from it."""
        self._join()
        with self._lock:
            self._fresh, self._sealed, self._runs = {}, {}, ()
            try:
                told = (self._folder / _MANIFEST).read_bytes()
                manifest = msgspec.json.decode(told, type=_Manifest)
                if manifest.format != _FORMAT or msgspec.json.encode(manifest.digested()) != told:
                    return None
                self._next_number = manifest.next_number
                self._runs = tuple(_open_run(self._folder, file) for file in manifest.files)
                self._filter = None
                self._worker = threading.Thread(target=self._fill_filter, name="key-index", daemon=True)
                self._worker.start()
                return Snapshot(manifest.size, bytes.fromhex(manifest.mark), manifest.state.encode())
            except (OSError, ValueError, msgspec.MsgspecError):
                self._runs = ()
                return None

    def clear(self) -> None:
        """Forget every key."""
        self._join()
        with self._lock:
            self._fresh, self._sealed, self._runs = {}, {}, ()
            self._filter = KeyFilter()
            with suppress(FileNotFoundError):
                (self._folder / _MANIFEST).unlink()
            self._remove_others(())

    def find(self, keys: Sequence[int]) -> dict[int, int]:
        """Return the places of those keys that are held."""
        with self._lock:
            fresh, sealed, runs, passing = self._fresh, self._sealed, self._runs, self._filter
            found = {key: fresh[key] for key in keys if key in fresh} if not fresh.keys().isdisjoint(keys) else {}
            if sealed and not sealed.keys().isdisjoint(keys):
                found = {key: sealed[key] for key in keys if key in sealed} | found
        wanted = np.fromiter(keys, np.uint64, len(keys)) if runs else _NO_KEYS
        if passing is not None:
            wanted = passing.passing(wanted)
        if len(wanted):
            wanted = np.sort(wanted)
            for run in runs:
                positions = np.searchsorted(run.keys, wanted)
                inside = np.minimum(positions, len(run.keys) - 1)
                for hit in np.flatnonzero(run.keys[inside] == wanted).tolist():
                    found.setdefault(int(wanted[hit]), run.base + int(run.places[inside[hit]]))
        return found

    def add(self, keys: Sequence[int], places: Sequence[int]) -> None:
        """Take keys with their places; one that is held gets its new place."""
        with self._lock:
            self._fresh.update(zip(keys, places, strict=True))

    def is_due(self) -> bool:
        """Say whether there are enough new keys for a file, and the one before is written."""
        return len(self._fresh) >= SEAL_KEYS and not self._sealed

    def seal(self, size: int, mark: bytes, state: bytes) -> None:
        """Let the keys added so far become a file with this state, in the background.

        All of them must be of leaves below ``size``. Dying before it is written loses nothing: the manifest before
        holds, and the caller adds what came after it again.
        """
        self._join()
        with self._lock:
            self._sealed, self._fresh = self._fresh, {}
        self._worker = threading.Thread(
            target=self._write,
            args=(Snapshot(size, mark, state), self._runs, self._sealed),
            name="key-index",
            daemon=True,
        )
        self._worker.start()

    def close(self) -> None:
        """Wait for what is being written."""
        self._join()

    def __len__(self) -> int:
        """Return the number of keys, counting one twice that was given a new place."""
        with self._lock:
            return len(self._fresh) + len(self._sealed) + sum(run.file.count for run in self._runs)

    def _join(self) -> None:
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    def _write(self, snapshot: Snapshot, before: Sequence[_Run], sealed: dict[int, int]) -> None:
        try:
            runs = list(before)
            if sealed:
                runs.append(self._run_of(sealed))
            while (group := _mergeable(runs)) is not None:
                merged = self._merged(group)
                runs = [run for run in runs if run not in group] + [merged]
                runs.sort(key=lambda run: run.file.count, reverse=True)
            self._publish(snapshot, runs)
            for run in runs:
                run.let_go()
            passing = self._filter
            if passing is not None:
                passing.add(np.fromiter(sealed.keys(), np.uint64, len(sealed)))
            if passing is None or passing.is_full():
                passing = _filter_of(runs)
        except Exception as error:  # noqa: BLE001 - a thread's end: the next snapshot writes them, till then memory holds.
            _LOG.warning("keys_not_written", reason=repr(error), keys=len(sealed))
            with self._lock:
                self._fresh = {**self._sealed, **self._fresh}
                self._sealed = {}
            return
        with self._lock:
            self._runs, self._sealed, self._filter = tuple(runs), {}, passing
        self._remove_others([run.file.name for run in runs])

    def _fill_filter(self) -> None:
        """Make the filter of the files that are there; a seal waits for it."""
        self._filter = _filter_of(self._runs)

    def _run_of(self, keys: dict[int, int]) -> _Run:
        found = np.fromiter(keys.keys(), np.uint64, len(keys))
        places = np.fromiter(keys.values(), np.uint64, len(keys))
        order = np.argsort(found, kind="stable")
        base = int(places.min())
        return self._put(base, len(keys), iter([(found[order], (places[order] - np.uint64(base)).astype(np.uint32))]))

    def _merged(self, group: Sequence[_Run]) -> _Run:
        base = min(run.base for run in group)
        return self._put(base, sum(run.file.count for run in group), _merged_parts(group, base))

    def _put(self, base: int, count: int, parts: Iterator[tuple[NDArray[np.uint64], NDArray[np.uint32]]]) -> _Run:
        """Write a run whose sorted parts come one after another; keys first, places behind them."""
        name = f"{self._next_number:010d}.run"
        self._next_number += 1
        path = self._folder / name
        path.unlink(missing_ok=True)  # Of a snapshot that was never published.
        with path.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(_HEADER.pack(_MAGIC, base, count))
            at = 0
            for keys, places in parts:
                file.seek(_HEADER.size + 8 * at)
                file.write(keys.astype("<u8").tobytes())
                file.seek(_HEADER.size + 8 * count + 4 * at)
                file.write(places.astype("<u4").tobytes())
                at += len(keys)
            file.flush()
            os.fsync(file.fileno())
        return _open_run(self._folder, _File(name, count, _digest(path)))

    def _publish(self, snapshot: Snapshot, runs: Sequence[_Run]) -> None:
        manifest = _Manifest(
            _FORMAT,
            snapshot.size,
            snapshot.mark.hex(),
            snapshot.state.decode(),
            [run.file for run in runs],
            self._next_number,
        )
        aside = self._folder / f"{_MANIFEST}.tmp"
        with aside.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(msgspec.json.encode(manifest.digested()))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._folder / _MANIFEST)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _remove_others(self, names: Sequence[str]) -> None:
        for path in self._folder.glob("*.run"):
            if path.name not in names:
                with suppress(FileNotFoundError):
                    path.unlink()


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _open_run(folder: Path, file: _File) -> _Run:
    """Map a file. Raises ValueError if it is not what its record says, OSError if it is not there."""
    if Path(file.name).name != file.name or file.count <= 0:
        raise ValueError(file.name)
    path = folder / file.name
    if path.stat().st_size != _HEADER.size + 12 * file.count or _digest(path) != file.digest:
        raise ValueError(file.name)
    with path.open("rb") as opened:
        mapped = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    magic, base, count = _HEADER.unpack_from(mapped)
    if magic != _MAGIC or count != file.count:
        raise ValueError(file.name)
    keys = np.frombuffer(mapped, "<u8", count, _HEADER.size)
    places = np.frombuffer(mapped, "<u4", count, _HEADER.size + 8 * count)
    return _Run(file, base, keys, places, mapped)


def _filter_of(runs: Sequence[_Run]) -> KeyFilter:
    made = KeyFilter((run.keys for run in runs), count=sum(run.file.count for run in runs))
    for run in runs:
        run.let_go()
    return made


def _mergeable(runs: Sequence[_Run]) -> list[_Run] | None:
    """Return the files of one tier once there are enough of them."""
    for tier in sorted({run.tier for run in runs}):
        group = [run for run in runs if run.tier == tier]
        if len(group) >= _MERGED_AT_ONCE:
            return group
    return None


def _merged_parts(group: Sequence[_Run], base: int) -> Iterator[tuple[NDArray[np.uint64], NDArray[np.uint32]]]:
    """Yield the keys of several files in order, a part of the key space at a time, with places above ``base``."""
    parts = max(1, sum(run.file.count for run in group) // _MERGED_KEYS)
    bounds = [(part << 64) // parts for part in range(1, parts)]
    cuts = [
        [0, *(int(np.searchsorted(run.keys, np.uint64(bound))) for bound in bounds), run.file.count] for run in group
    ]
    for part in range(parts):
        keys = np.concatenate([run.keys[cut[part] : cut[part + 1]] for run, cut in zip(group, cuts, strict=True)])
        places = np.concatenate(
            [
                run.places[cut[part] : cut[part + 1]].astype(np.uint32) + np.uint32(run.base - base)
                for run, cut in zip(group, cuts, strict=True)
            ]
        )
        order = np.argsort(keys, kind="stable")
        yield keys[order], places[order]
