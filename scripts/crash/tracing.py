"""strace: a trace of what a process does to files, and a fault at one chosen call of it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

CHANGING: Final = (
    "openat", "mkdir", "mkdirat", "write", "pwrite64", "writev", "pwritev2", "fsync", "fdatasync", "syncfs",
    "sync_file_range", "ftruncate", "fallocate", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
    "unlink", "unlinkat", "rmdir",
)  # fmt: skip
"""Every call by which a process changes files, or makes them durable."""

_FOLLOWED: Final = (*CHANGING, "lseek", "close", "sendto")
_LONGEST: Final = 1 << 20
_ATTACH_S: Final = 20.0
_LINE: Final = re.compile(r"(?:(\d+) +)?(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?(.*)")
_TEXT: Final = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_HANDLE: Final = re.compile(r"(AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2}|[^>\\])*)>")


@dataclass(frozen=True, slots=True)
class Call:
    """One call as traced: its number among those of its name, its arguments, and what it answered."""

    name: str
    number: int
    text: str
    result: int
    opened: str
    is_injected: bool

    @property
    def strings(self) -> list[bytes]:
        """The arguments in quotes: paths, or what was written."""
        found = _TEXT.findall(self.text)
        assert not any(cut for _, cut in found), f"the trace does not hold all of a {self.name}"
        return [_unhex(text) for text, _ in found]

    @property
    def handles(self) -> list[tuple[str, str]]:
        """The arguments that are file handles, with the path that each stands for."""
        return [(number, _unhex(path).decode(errors="replace")) for number, path in _HANDLE.findall(self.text)]

    @property
    def numbers(self) -> list[int]:
        """The plain numbers at the end of the arguments."""
        return [
            int(part) for part in _TEXT.sub("", _HANDLE.sub("", self.text)).split(", ") if part.lstrip("-").isdigit()
        ]

    def paths(self) -> list[str]:
        """Return every path that the call names, absolute where the trace says of which folder."""
        folders = [path for _, path in self.handles]
        if self.name in {"write", "pwrite64", "writev", "pwritev2", "sendto"}:
            return folders
        named = [text.decode(errors="replace") for text in self.strings]
        if not named:
            return folders
        base = folders[0] if folders else ""
        return [str(Path(base, path)) for path in named]


class Trace:
    """A strace that is attached to a process until it ends."""

    def __init__(self, pid: int, path: Path, faults: Sequence[str] = (), *, threads: Sequence[str] = ("-f",)) -> None:
        """Attach, and return when every call of the process is seen; with no ``threads``, of its first thread alone.

        Raises:
            OSError: strace is not there, or may not trace the process.
        """
        program = shutil.which("strace")
        if program is None:
            raise OSError("strace is not installed: its Debian package is strace")
        self._path = path
        command = [program, *threads, "-y", "-xx", "-s", str(_LONGEST), "-e", f"trace={','.join(_FOLLOWED)}"]
        command += ["-e", "signal=none", "-o", str(path), "-p", str(pid)]
        for fault in faults:
            command += ["-e", f"inject={fault}"]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE)
        deadline = time.monotonic() + _ATTACH_S
        while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text(encoding="ascii"):
            if self._process.poll() is not None or time.monotonic() > deadline:
                told = self._process.communicate()[1].decode() if self._process.poll() is not None else ""
                raise OSError(f"strace does not trace process {pid}: {told}")
            time.sleep(0.001)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of the process."""
        if kind is not None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def calls(self) -> list[Call]:
        """Return what the process did, once it has ended."""
        self._process.wait()
        return read_calls(self._path)


def read_calls(path: Path) -> list[Call]:
    """Return the calls of a trace of one thread, in order; a call that death cut short is the last."""
    seen: Counter[str] = Counter()
    calls = []
    for line in path.read_text(encoding="ascii").splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            _, name, text, result, opened, rest = match.groups()
            seen[name] += 1
            opened = _unhex(opened or "").decode(errors="replace")
            calls.append(Call(name, seen[name], text, int(result), opened, "(INJECTED)" in rest))
            continue
        cut = re.fullmatch(r"(?:\d+ +)?(\w+)\((.*?)(?:\) += \?.*| <unfinished \.\.\.>|)", line)
        if cut is not None:
            seen[cut[1]] += 1
            calls.append(Call(cut[1], seen[cut[1]], cut[2], -1, "", is_injected=False))
    return calls


def _unhex(text: str) -> bytes:
    if not text.startswith("\\x"):
        return text.encode()
    return bytes.fromhex(text.replace("\\x", ""))
