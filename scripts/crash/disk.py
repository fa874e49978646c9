"""A disk that keeps only what was synced: what may be left of a folder when the power goes.

The model is fed with the calls of a trace. A file's bytes are kept for certain once the file is synced, a name once its
folder is synced; of everything else any part may be kept, in any order:

* a name made, replaced or removed since its folder was synced is as it was or as it is, each by itself;
* a file's length is what it was when it was synced, what it is, or anything between;
* each 512 bytes written since then are what they were, zeros, what was written, or garbage;
* what was written before a sync that failed is kept by no later one.

A sync of the whole file system (``syncfs``) is one of every file and folder.

A process that is killed loses nothing of this, so a life after it goes on with the same disk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

    from scripts.crash.tracing import Call

SECTOR: Final = 512

_WHOLE: Final = 0.4
"""How often a file is left as it was or as it is, and is not torn."""


@dataclass(eq=False)
class File:
    """A file's bytes as they are, and as they were when it was last synced.

    A sync that fails drops what was to be written: the bytes are seen until the power goes, and no later sync writes
    them, since the system takes them for written. Only writing them again does.
    """

    data: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    dirty: list[tuple[int, int]] = field(default_factory=list)

    def write(self, position: int, written: bytes) -> None:
        """Put bytes at a position."""
        self.data.extend(bytes(max(0, position - len(self.data))))
        self.data[position : position + len(written)] = written
        self.dirty.append((position, position + len(written)))

    def truncate(self, length: int) -> None:
        """Make the file shorter, or longer by zeros."""
        del self.data[length:]
        self.data.extend(bytes(length - len(self.data)))

    def sync(self) -> None:
        """Keep the bytes that wait to be written, and the length."""
        kept = bytearray(_sector(self.synced, 0, len(self.data)))
        for start, end in self.dirty:
            kept[start:end] = self.data[start : min(end, len(self.data))]
        del kept[len(self.data) :]
        self.synced = bytes(kept)
        self.dirty.clear()

    def fail_sync(self) -> None:
        """Drop what waits to be written; it stays to be seen."""
        self.dirty.clear()

    def after_power_cut(self, chance: random.Random | None) -> bytes:
        """Return bytes that may be left; without chance, those for certain."""
        data, synced = bytes(self.data), self.synced
        if chance is None or data == synced:
            return synced
        if chance.random() < _WHOLE:
            return chance.choice([synced, data])
        shorter, longer = sorted((len(synced), len(data)))
        length = chance.choice([len(synced), len(data), chance.randint(shorter, longer)])
        left = bytearray()
        for start in range(0, length, SECTOR):
            end = min(start + SECTOR, length)
            old, new = _sector(synced, start, end), _sector(data, start, end)
            if old == new:
                left += new
                continue
            # What was synced in this sector and was not written over stays what it is.
            same = _common(synced[start:end], new)
            junk = chance.choice([bytes(end - start), chance.randbytes(end - start)])
            left += chance.choice([old, new, new[:same] + junk[same:]])
        return bytes(left)


@dataclass(eq=False)
class Folder:
    """Names as they are, and as they were when the folder was last synced."""

    names: dict[str, File | Folder] = field(default_factory=dict)
    synced: dict[str, File | Folder] = field(default_factory=dict)
    changes: list[tuple[tuple[str, File | Folder | None], ...]] = field(default_factory=list)

    def change(self, *names: tuple[str, File | Folder | None]) -> None:
        """Set names, or remove those that are None, all at once."""
        _apply(self.names, names)
        self.changes.append(names)

    def sync(self) -> None:
        """Keep the names as they are."""
        self.synced = dict(self.names)
        self.changes.clear()

    def after_power_cut(self, chance: random.Random | None) -> dict[str, File | Folder]:
        """Return names that may be left."""
        left = dict(self.synced)
        if chance is None:
            return left
        kept = chance.choice([0.0, 0.5, 1.0])
        for names in self.changes:
            if chance.random() < kept:
                _apply(left, names)
        return left


@dataclass
class _Handle:
    file: File
    position: int = 0
    is_appending: bool = False


class Disk:
    """Follows the calls of one process after another under one folder."""

    def __init__(self, root: Path) -> None:
        """Begin with what is in ``root``, all of it synced."""
        self._root = root
        self._tree = _read(root)
        self._handles: dict[int, _Handle] = {}

    def begin_life(self) -> None:
        """Forget the handles of the process before."""
        self._handles.clear()

    def follow(self, call: Call) -> None:
        """Do what a call did.

        Raises:
            AssertionError: The model does not know the call.
        """
        if call.result < 0:
            if call.name in {"fsync", "fdatasync"} and (handle := self._handles.get(_number(call))):
                handle.file.fail_sync()
            elif call.name == "syncfs":
                for _, file in _files("", self._tree.names):
                    file.fail_sync()
            return
        if call.name == "close":
            self._handles.pop(_number(call), None)
        elif call.name == "openat":
            self._open(call)
        elif call.name in {"write", "pwrite64", "ftruncate", "lseek", "fsync", "fdatasync"}:
            self._use(call)
        elif call.name == "syncfs":
            _sync(self._tree)
        elif call.name == "sync_file_range":
            pass  # It only tells whether an earlier sync failed.
        elif any(self._is_ours(path) for path in call.paths()):
            self._rename(call)

    def look(self, path: Path) -> bytes | None:
        """Return a file as a reader sees it now."""
        found = self._find(str(path))
        return bytes(found.data) if isinstance(found, File) else None

    def current(self) -> dict[str, bytes]:
        """Return every file as it is."""
        return {path: bytes(file.data) for path, file in _files("", self._tree.names)}

    def write_after_power_cut(self, target: Path, chance: random.Random | None) -> None:
        """Write what may be left to a new folder; without chance, only what is left for certain."""
        _write(target, self._tree, chance)

    def _is_ours(self, path: str) -> bool:
        return Path(path).is_relative_to(self._root)

    def _find(self, path: str) -> File | Folder | None:
        found: File | Folder | None = self._tree
        for part in Path(path).relative_to(self._root).parts:
            found = found.names.get(part) if isinstance(found, Folder) else None
        return found

    def _folder_of(self, path: str) -> Folder:
        found = self._find(str(Path(path).parent))
        assert isinstance(found, Folder), f"the model has no folder of {path}"
        return found

    def _open(self, call: Call) -> None:
        path = call.paths()[0]
        if not self._is_ours(path):
            return
        found = self._find(path)
        if found is None:
            assert "O_CREAT" in call.text, f"the model has no {path}"
            found = File()
            self._folder_of(path).change((Path(path).name, found))
        if isinstance(found, File):
            if "O_TRUNC" in call.text:
                found.truncate(0)
            self._handles[call.result] = _Handle(found, is_appending="O_APPEND" in call.text)

    def _use(self, call: Call) -> None:
        number, path = call.handles[0]
        handle = self._handles.get(int(number))
        if handle is None:
            if call.name in {"fsync", "fdatasync"} and self._is_ours(path):
                folder = self._find(path)
                assert isinstance(folder, Folder), f"the model has no open {path}"
                folder.sync()
            return
        match call.name:
            case "write":
                position = len(handle.file.data) if handle.is_appending else handle.position
                handle.file.write(position, call.strings[0][: call.result])
                handle.position = position + call.result
            case "pwrite64":
                handle.file.write(call.numbers[-1], call.strings[0][: call.result])
            case "ftruncate":
                handle.file.truncate(call.numbers[-1])
            case "lseek":
                handle.position = call.result
            case _:
                handle.file.sync()

    def _rename(self, call: Call) -> None:
        paths = call.paths()
        name, folder = Path(paths[-1]).name, self._folder_of(paths[-1])
        match call.name:
            case "mkdir":
                folder.change((name, Folder()))
            case "rename" | "renameat2":
                found = self._find(paths[0])
                assert self._folder_of(paths[0]) is folder, "the model knows renames within one folder"
                folder.change((Path(paths[0]).name, None), (name, found))
            case "unlink" | "unlinkat" | "rmdir":
                folder.change((name, None))
            case _:
                raise AssertionError(f"the model does not know {call.name}")


def _number(call: Call) -> int:
    return int(call.handles[0][0]) if call.handles else -1


def _sector(data: bytes, start: int, end: int) -> bytes:
    """Return a part of a file, with zeros beyond its end."""
    return data[start:end].ljust(end - start, b"\0")


def _common(one: bytes, other: bytes) -> int:
    """Return how many bytes both begin with."""
    length = min(len(one), len(other))
    return next((place for place in range(length) if one[place] != other[place]), length)


def _apply(names: dict[str, File | Folder], changes: tuple[tuple[str, File | Folder | None], ...]) -> None:
    for name, what in changes:
        if what is None:
            names.pop(name, None)
        else:
            names[name] = what


def _sync(folder: Folder) -> None:
    folder.sync()
    for what in folder.names.values():
        if isinstance(what, Folder):
            _sync(what)
        else:
            what.sync()


def _read(path: Path) -> Folder:
    names: dict[str, File | Folder] = {}
    for child in path.iterdir():
        if child.is_dir():
            names[child.name] = _read(child)
        else:
            data = child.read_bytes()
            names[child.name] = File(bytearray(data), data)
    return Folder(names, dict(names))


def _write(target: Path, folder: Folder, chance: random.Random | None) -> None:
    target.mkdir()
    for name, what in folder.after_power_cut(chance).items():
        if isinstance(what, Folder):
            _write(target / name, what, chance)
        else:
            (target / name).write_bytes(what.after_power_cut(chance))


def _files(prefix: str, names: dict[str, File | Folder]) -> list[tuple[str, File]]:
    found: list[tuple[str, File]] = []
    for name, what in names.items():
        if isinstance(what, Folder):
            found += _files(f"{prefix}{name}/", what.names)
        else:
            found.append((f"{prefix}{name}", what))
    return found
