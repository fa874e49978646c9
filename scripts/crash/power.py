"""A power cut between any two calls of a log's writer, each with many ways in which the disk may be left.

The writer's lives are traced once, with what was written; the disk's model then gives every state that a power cut may
leave, and each is opened as the next owner would open it.
"""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.log.tiles import CHECKPOINT_PATH
from scripts.crash.disk import Disk
from scripts.crash.life import Lives
from scripts.crash.promises import Promises
from scripts.crash.tracing import CHANGING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.crash.tracing import Call


_FAILING: Final = 0.5


@dataclass
class PowerTable:
    """What was tried and compared."""

    cuts: int = 0
    states: int = 0
    compared: int = 0
    checkpoints: int = 0
    broken: list[str] = field(default_factory=list)


class PowerDrill:
    """Cuts the power at each call of lives that follow one another on one folder."""

    def __init__(self, lives: Lives, scratch: Path, *, seed: int) -> None:
        """Keep folders in ``scratch``, which should be in memory; the seed chooses kills and what is left."""
        self._lives = lives
        self._scratch = scratch
        self._seed = seed
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self.table = PowerTable()

    def cut_everywhere(self, lives: int, variants: int, every: int = 1) -> Iterator[tuple[int, int]]:
        """Let some lives pass, all but the last killed; cut the power after each call, or after one of ``every``.

        Each cut leaves only what is certain, all there is, and then ``variants`` of what may be. What broke is in the
        table's ``broken``; the drill goes on. Yields how many of how many calls were passed.
        """
        home = self._scratch / "lived"
        home.mkdir()
        disk, told = Disk(home), Promises()
        passed = [self._live(home, f"life{number}", told, is_last=number == lives - 1) for number in range(lives)]
        total, done = sum(map(len, passed)), 0
        known = Promises(sent=told.sent)
        for calls in passed:
            disk.begin_life()
            for call in calls:
                disk.follow(call)
                self._hear(call, known)
                if (note := disk.look(home / "log" / CHECKPOINT_PATH)) is not None:
                    known.saw(note)
                done += 1
                if call.name in CHANGING and str(home) in " ".join(call.paths()) and self._chance.randrange(every) == 0:
                    self._cut(disk, known, variants, f"call {done}, {call.name} of {', '.join(call.paths())}")
                yield done, total
        found = {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}
        assert disk.current() == found, "the model's disk is not the real one"
        assert known.entries == told.entries
        shutil.rmtree(home)

    def _live(self, home: Path, label: str, told: Promises, *, is_last: bool) -> list[Call]:
        folder = home / "log"
        if is_last:
            return self._lives.live(folder, told, label=label).calls
        copy = self._scratch / "dry"
        shutil.copytree(home, copy)
        calls = self._lives.live(copy / "log", told.copy(), label=label).calls
        shutil.rmtree(copy)
        ours = [call for call in calls if call.name in CHANGING and str(copy) in " ".join(call.paths())]
        last = self._chance.choice(ours)
        faults = [f"{last.name}:signal=SIGKILL:when={last.number}"]
        if self._chance.random() < _FAILING:
            # A group's sync fails, and the process dies as it begins to mend the journal.
            groups = [call for call in ours if call.name == "fdatasync"]
            faults = [
                f"fdatasync:error=EIO:when={self._chance.choice(groups).number}",
                "ftruncate:signal=SIGKILL:when=1",
            ]
        return self._lives.live(folder, told, label=label, faults=faults).calls

    def _hear(self, call: Call, known: Promises) -> None:
        if call.name != "sendto":
            return
        answer = json.loads(call.strings[0])
        if answer.get("is") == "appended":
            known.acknowledged(answer["first"], answer["name"], answer["count"])
        elif answer.get("is") == "published":
            known.saw(answer["note"].encode())

    def _cut(self, disk: Disk, known: Promises, variants: int, where: str) -> None:
        self.table.cuts += 1
        for variant in range(variants + 1):
            seed = f"{self._seed} {self.table.cuts} {variant}"
            chance = random.Random(seed) if variant else None  # noqa: S311 - no secret
            left, promises = self._scratch / "left", known.copy()
            disk.write_after_power_cut(left, chance)
            self.table.states += 1
            try:
                promises.check(left / "log")
            except Exception as error:  # noqa: BLE001 - all that broke is told together at the end
                self.table.broken.append(f"{where}, variant {variant}: {type(error).__name__}: {error}")
            self.table.compared += promises.compared
            self.table.checkpoints += len(promises.notes)
            shutil.rmtree(left)
