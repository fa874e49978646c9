"""One life of a log's writer, from the first order to its end, while a reader polls its checkpoints."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ledger.log.tiles import CHECKPOINT_PATH
from scripts.crash.tracing import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from scripts.crash.promises import Promises
    from scripts.crash.tracing import Call

WORK: tuple[tuple[str, int], ...] = (
    ("append", 1), ("publish", 0), ("append", 3), ("append", 60), ("publish", 0), ("append", 200), ("publish", 0),
    ("append", 7), ("append", 450), ("append", 90), ("publish", 0), ("append", 300), ("publish", 0), ("append", 2),
)  # fmt: skip
"""It begins several segments, fills tiles with and without a checkpoint, and removes segments and partial files."""

_ANSWER_S = 60.0
_POLL_S = 0.001
_TRIES = 4


@dataclass
class Life:
    """How a life went: whether it was killed, what it refused, and what it did to files."""

    calls: list[Call] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    exit_code: int = 0


class Lives:
    """Starts one life after another, each in a fresh process."""

    def __init__(self, scratch: Path) -> None:
        """Start the process that forks them; traces and the socket are kept in ``scratch``."""
        self._scratch = scratch
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(scratch / "s"))
        self._listener.listen()
        self._listener.settimeout(_ANSWER_S)
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "scripts.crash.writer", str(scratch / "s")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the process that forks."""
        self._parent.communicate()
        self._listener.close()

    def live(
        self,
        folder: Path,
        promises: Promises,
        *,
        label: str,
        faults: Sequence[str] = (),
        work: Sequence[tuple[str, int]] = WORK,
    ) -> Life:
        """Let a writer work on a folder, with faults put into some of its calls, and keep what it promised.

        Raises:
            AssertionError: It answered what it had promised otherwise, or refused where nothing was wrong.
        """
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(str(folder)) + "\n")
        self._parent.stdin.flush()
        connection, _ = self._listener.accept()
        connection.settimeout(_ANSWER_S)
        life = Life()
        with connection, connection.makefile("rb") as answers:
            pid = json.loads(answers.readline())["pid"]
            with Trace(pid, self._scratch / "trace", faults) as trace:
                try:
                    with _polling(folder, promises):
                        _Session(connection, answers, promises, life.refusals).run(label, work)
                finally:
                    connection.shutdown(socket.SHUT_RDWR)
                    life.exit_code = int(self._parent.stdout.readline())
                life.calls = trace.calls()
        return life


class _Session:
    def __init__(self, connection: socket.socket, answers: Any, promises: Promises, refusals: list[str]) -> None:
        self._connection, self._answers = connection, answers
        self._promises, self._refusals = promises, refusals

    def run(self, label: str, work: Sequence[tuple[str, int]]) -> None:
        if not self._ask({"do": "go"}):
            return
        for number, (do, count) in enumerate(work):
            for attempt in range(_TRIES):
                name = f"{label}.{number}.{attempt}"
                if do == "append":
                    self._promises.sends(name, count)
                answer = self._ask({"do": do, "name": name, "count": count})
                if answer is None:
                    return
                if answer["is"] != "refused":
                    break
                if self._ask({"do": "recover"}) is None:
                    return
            else:
                raise AssertionError(f"the writer does not go on by itself: {self._refusals}")
        self._ask({"do": "close"})

    def _ask(self, order: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer, or None if the writer is dead; one that cannot open its log ends as a service would."""
        try:
            self._connection.sendall(json.dumps(order).encode() + b"\n")
            line = self._answers.readline()
        except (BrokenPipeError, ConnectionResetError):
            return None
        if not line:
            return None
        answer: dict[str, Any] = json.loads(line)
        match answer["is"]:
            case "appended":
                self._promises.acknowledged(answer["first"], answer["name"], answer["count"])
            case "published":
                self._promises.saw(answer["note"].encode())
            case "refused":
                assert answer["code"] == "unavailable", f"a fault of the disk was called {answer}"
                self._refusals.append(answer["reason"])
                if order["do"] == "go":
                    self._connection.sendall(b'{"do": "die"}\n')
                    return None
            case _:
                pass
        return answer


class _polling:  # noqa: N801 - read as a verb: while polling
    """A reader that looks at the published checkpoint again and again."""

    def __init__(self, folder: Path, promises: Promises) -> None:
        self._path = folder / CHECKPOINT_PATH
        self._promises = promises
        self._ended = threading.Event()
        self._seen: set[bytes] = set()
        self._thread = threading.Thread(target=self._poll)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for note in self._seen:
            self._promises.saw(note)

    def _poll(self) -> None:
        while not self._ended.wait(_POLL_S):
            try:
                self._seen.add(self._path.read_bytes())
            except FileNotFoundError:
                continue
