"""Provoke crashes of a log's writer and compare what it acknowledged: ``python -m scripts.crash_drill``.

First a fault (SIGKILL, EIO, ENOSPC) at every call by which the writer changes its folder, one life for each, while a
client writes and a reader polls checkpoints; then a power cut after every such call of several lives, each with many
ways in which the disk may be left. Needs strace. Ends with 1 if anything that was promised is not there.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import structlog
import typer

from scripts.crash.faults import STARTS, FaultDrill
from scripts.crash.life import Lives
from scripts.crash.power import PowerDrill
from scripts.crash.writer import small_files

_TOLD = 20
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - the default of an option; a disk that syncs makes the drill slow


def main(
    *,
    seed: Annotated[int, typer.Option(help="Chooses kills and what a power cut leaves.")] = 1,
    lives: Annotated[int, typer.Option(help="Lives on one folder under power cuts; all but the last are killed.")] = 3,
    rounds: Annotated[int, typer.Option(help="How often those lives are lived, each time with other kills.")] = 5,
    variants: Annotated[int, typer.Option(help="Ways in which each power cut may leave the disk.")] = 8,
    sample: Annotated[int, typer.Option(help="Try so many faults of each start, not every one.")] = 0,
    work: Annotated[Path | None, typer.Option(help="A folder for what is written; else in memory.")] = None,
) -> None:
    """Run both drills and print what was tried, compared and broken."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    parent = work or (_IN_MEMORY if _IN_MEMORY.is_dir() else None)
    with tempfile.TemporaryDirectory(prefix="crash-drill-", dir=parent) as name, small_files():
        scratch = Path(name).resolve()
        with Lives(scratch) as writers:
            faults = FaultDrill(writers, scratch, seed=seed)
            for start in STARTS:
                for done, total in faults.try_all(start, sample or None):
                    _show(f"faults from a {start} folder", done, total)
            power = PowerDrill(writers, scratch, seed=seed)
            for number in range(rounds):
                for done, total in power.cut_everywhere(lives, variants):
                    _show(f"power cuts, round {number + 1} of {rounds}", done, total)
    table, cuts = faults.table, power.table
    print(*table.rows(), sep="\n")
    print(
        f"faults: {table.total} took place ({table.missed} missed the folder), {table.refusals} requests were refused"
        f" and {table.restarts} writers went on by themselves; {table.compared} entries and {table.checkpoints}"
        " checkpoints compared"
    )
    print(
        f"power: cut at {cuts.cuts} calls of {lives * rounds} lives, {cuts.states} states of the disk opened;"
        f" {cuts.compared} entries and {cuts.checkpoints} checkpoints compared"
    )
    broken = table.broken + cuts.broken
    print(f"seed {seed}; {len(broken)} broken promises", *broken[:_TOLD], sep="\n  ")
    sys.exit(1 if broken else 0)


def _show(what: str, done: int, total: int) -> None:
    if done == total or done % 50 == 0:
        print(f"\r{what}: {done}/{total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    typer.run(main)
