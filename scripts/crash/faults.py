"""A fault at each call by which a log's writer changes its folder, one life for each call and fault.

A fault is put in by strace: SIGKILL as the call begins, so that neither it nor anything after it happens, or an error
that the call answers without being made.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scripts.crash.life import WORK, Lives
from scripts.crash.promises import Promises
from scripts.crash.tracing import CHANGING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scripts.crash.tracing import Call

FAULTS: Final = {"SIGKILL": "signal=SIGKILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
STARTS: Final = ("new", "closed", "killed")
"""The folder in which the life begins: none, one that was closed, one whose owner was killed while publishing."""


@dataclass
class FaultTable:
    """What was tried and compared."""

    tried: Counter[tuple[str, str]] = field(default_factory=Counter)
    missed: int = 0
    compared: int = 0
    checkpoints: int = 0
    refusals: int = 0
    restarts: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """The number of faults that took place."""
        return self.tried.total()

    def rows(self) -> Iterator[str]:
        """Yield a table of calls by faults, in Markdown."""
        yield f"| Call | {' | '.join(FAULTS)} |"
        yield "|---|" + "---|" * len(FAULTS)
        for name in sorted({name for name, _ in self.tried}):
            yield f"| `{name}` | {' | '.join(str(self.tried[name, fault]) for fault in FAULTS)} |"


class FaultDrill:
    """Tries faults at the calls of a fixed work, which starts from a folder of each kind."""

    def __init__(self, lives: Lives, scratch: Path, *, seed: int) -> None:
        """Keep folders in ``scratch``, which should be in memory; only the choice of a sample depends on the seed."""
        self._lives = lives
        self._scratch = scratch
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self.table = FaultTable()

    def try_all(self, start: str, sample: int | None = None) -> Iterator[tuple[int, int]]:
        """Try each fault at each call, or at ``sample`` pairs of them; yield how many of how many were tried.

        What broke is in the table's ``broken``; the drill goes on.
        """
        base, promises = self._begin(start)
        calls = self._calls(base, promises)
        pairs = [(call, fault) for call in calls for fault in FAULTS]
        if sample is not None and sample < len(pairs):
            pairs = self._chance.sample(pairs, sample)
        for done, (call, fault) in enumerate(pairs):
            try:
                self._try(base, promises.copy(), call, fault)
            except Exception as error:  # noqa: BLE001 - all that broke is told together at the end
                where = f"{start}: {fault} at {call.name} {call.number} of {', '.join(call.paths())}"
                self.table.broken.append(f"{where}: {type(error).__name__}: {error}")
            yield done + 1, len(pairs)
        shutil.rmtree(base.parent)

    def _begin(self, start: str) -> tuple[Path, Promises]:
        home = self._scratch / "base"
        home.mkdir()
        folder, promises = home / "log", Promises()
        if start == "closed":
            self._lives.live(folder, promises, label="base")
        elif start == "killed":
            shutil.copytree(home, self._scratch / "dry")
            calls = self._lives.live(self._scratch / "dry" / "log", Promises(), label="base").calls
            shutil.rmtree(self._scratch / "dry")
            renames = [call for call in calls if call.name == "rename" and call.paths()[-1].endswith("/checkpoint")]
            self._lives.live(folder, promises, label="base", faults=[_fault(renames[-1], "SIGKILL")])
        return folder, promises

    def _calls(self, base: Path, promises: Promises) -> list[Call]:
        """Return the calls of the work without a fault that concern the log's folder."""
        folder = self._copied(base)
        life = self._lives.live(folder, promises.copy(), label="life")
        assert not life.refusals
        shutil.rmtree(folder.parent)
        home = str(folder.parent)
        return [
            call for call in life.calls if call.name in CHANGING and any(path.startswith(home) for path in call.paths())
        ]

    def _try(self, base: Path, promises: Promises, call: Call, fault: str) -> None:
        folder = self._copied(base)
        try:
            life = self._lives.live(folder, promises, label="life", faults=[_fault(call, fault)], work=WORK)
            hit = [made for made in life.calls if made.is_injected] if fault != "SIGKILL" else life.calls[-1:]
            paths = [path for made in hit for path in made.paths()]
            if not any(path.startswith(str(folder.parent)) for path in paths):
                self.table.missed += 1
                return
            self.table.tried[call.name, fault] += 1
            self.table.refusals += len(life.refusals)
            if fault == "SIGKILL":
                assert life.exit_code == -9, f"the writer ended with {life.exit_code}"
            else:
                assert life.exit_code == 0, f"the writer ended with {life.exit_code}"
                self._lives.live(folder, promises, label="restarted", work=WORK[:3])
                self.table.restarts += 1
            promises.check(folder)
            self.table.compared += promises.compared
            self.table.checkpoints += len(promises.notes)
        finally:
            shutil.rmtree(folder.parent)

    def _copied(self, base: Path) -> Path:
        home = self._scratch / "home"
        shutil.copytree(base.parent, home)
        return home / base.name


def _fault(call: Call, fault: str) -> str:
    return f"{call.name}:{FAULTS[fault]}:when={call.number}"
