"""Measure the check of a log's folder beside Tessera's ``fsck`` on the same log.

    python -m scripts.bench.fsck --entries 1000000 --tessera-fsck PATH

Each run checks with ours and then with Tessera's (its program reads the folder by ``file://``, with one worker and with
as many as there are processors; the better median counts). Without its program ours is measured alone, and the table
says so. The log is made by ``scripts.big_log`` under ``build/`` and removed afterwards. Resuming is measured too:
a second check with the state of a first.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from ledger.log.storage import check_folder, resume_check
from scripts.big_log import SIGNER, make_log

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Print entries a second of each program, medians, and the ratio."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.fsck", description=__doc__.split("\n")[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--tessera-fsck", type=Path, metavar="PATH", help="Tessera's fsck program")
    parser.add_argument("--log", type=Path, metavar="FOLDER", help="a log that scripts.big_log made before")
    options = parser.parse_args()
    if options.log is not None:
        measure(options.log, options.runs, options.tessera_fsck)
        return
    build = Path("build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        made = Path(folder) / "log"
        make_log(made, options.entries)
        measure(made, options.runs, options.tessera_fsck)


def measure(log: Path, runs: int, tessera: Path | None) -> None:
    """Run each program in turn and print what they took."""
    *_, last = check_folder(log, SIGNER.vkey)  # Warms the page cache for whoever comes first.
    size = last.size
    programs: dict[str, Callable[[], None]] = {"quanze": partial(ours, log, size)}
    if tessera is not None:
        for workers in sorted({1, os.cpu_count() or 1}):
            programs[f"Tessera fsck -N {workers}"] = partial(theirs, tessera, log, workers)
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(runs):
        for name, run in programs.items():
            began = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - began)
    title = f"Check of {size:,} entries, {runs} runs, {os.cpu_count()} processors"
    table = Table("program", "median", "fastest", "slowest", "entries/s (median)", title=title)
    for name, took in times.items():
        median = statistics.median(took)
        table.add_row(name, f"{median:.2f} s", f"{min(took):.2f} s", f"{max(took):.2f} s", f"{size / median:,.0f}")
    console = Console(width=120)
    console.print(table)
    first, again = resumed(log, size)
    console.print(f"resumable: {first:.2f} s the first time, {again:.2f} s when nothing changed since")
    peers = [statistics.median(took) for name, took in times.items() if name != "quanze"]
    if peers:
        console.print(f"ratio to Tessera's better setting: {min(peers) / statistics.median(times['quanze']):.2f}")
    else:
        console.print("Tessera's fsck was not given (--tessera-fsck PATH): ours alone, without a ratio")


def ours(log: Path, size: int) -> None:
    """Check with ours."""
    *_, last = check_folder(log, SIGNER.vkey)
    assert last.entries == size


def theirs(program: Path, log: Path, workers: int) -> None:
    """Check with Tessera's program."""
    with tempfile.NamedTemporaryFile("w", suffix=".vkey") as key:
        key.write(SIGNER.vkey + "\n")
        key.flush()
        command = [
            str(program), f"-storage_url=file://{log.absolute()}/", f"-public_key={key.name}", "-ui=false",
            f"-N={workers}",
        ]  # fmt: skip
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0 or "Successfully" not in done.stderr + done.stdout:
        raise SystemExit(f"Tessera's fsck did not accept the log: {done.stderr[-500:]}")


def resumed(log: Path, size: int) -> tuple[float, float]:
    """Return the seconds of a first resumable check, and of a second."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            began = time.perf_counter()
            *_, last = resume_check(log, SIGNER.vkey, Path(folder) / "check.json")
            took.append(time.perf_counter() - began)
            assert last.entries == size
    return took[0], took[1]


if __name__ == "__main__":
    main()
