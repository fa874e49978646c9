"""Measure proofs from tiles alone at several sizes of a log: inclusion, consistency, and both with nothing cached.

    python -m scripts.bench.proofs                       # logs of 10^5 and 10^6 entries
    python -m scripts.bench.proofs --sizes 100000 10000000

Each log is made by ``scripts.big_log`` under ``build/`` and removed afterwards (10^7 entries take 4.5 GB), or was
made before (``--logs``). **Warm** is one opened log, as in a service: random entries, in the newest tree and in trees
of random older sizes; tiles stay in its bounded cache. **Cold** drops every cache of the process before each proof; the
system's page cache stays. Every proof is verified against the root before it is given, which is part of the time.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from ledger.log.checkpoint import parse_checkpoint
from ledger.log.client import read_entry
from ledger.log.note import parse_note
from ledger.log.storage import FolderFetcher, FolderLog
from ledger.log.tiles import CHECKPOINT_PATH
from scripts.big_log import SIGNER, make_log

if TYPE_CHECKING:
    from collections.abc import Callable

    Act = Callable[[], object]

PROOFS: Final = 500
TARGET_MS: Final = 5.0


def main() -> None:
    """Print the median and the 95th percentile of each kind of proof at each size."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.proofs", description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--logs", type=Path, nargs="+", metavar="FOLDER", help="logs made before, instead of sizes")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    measured: list[tuple[int, dict[str, list[float]]]] = []
    if options.logs:
        measured = [measure(folder, options.runs) for folder in options.logs]
    else:
        Path("build").mkdir(exist_ok=True)
        for size in options.sizes:
            with tempfile.TemporaryDirectory(dir="build") as folder:
                make_log(Path(folder) / "log", size)
                measured.append(measure(Path(folder) / "log", options.runs))
    show(measured, options.runs)


def show(measured: list[tuple[int, dict[str, list[float]]]], runs: int) -> None:
    """Print a row for each kind, with the ratio of the last size's 95th percentile to the first's."""
    console = Console(width=140)
    sizes = [f"{size:,} p50 / p95" for size, _ in measured]
    table = Table("proof", *sizes, "p95 ratio", title=f"Milliseconds, {PROOFS} proofs, medians of {runs} runs")
    for kind in measured[0][1]:
        found = [times[kind] for _, times in measured]
        cells = [f"{p50:.2f} / {p95:.2f}" for p50, p95 in found]
        table.add_row(kind, *cells, f"{found[-1][1] / found[0][1]:.2f}")
    console.print(table)
    worst = max(p95 for p50, p95 in measured[0][1].values())
    console.print(f"at {measured[0][0]:,} entries every p95 is at most {worst:.2f} ms (target {TARGET_MS:.0f} ms)")


def measure(folder: Path, runs: int) -> tuple[int, dict[str, list[float]]]:
    """Return the log's size, and of each kind of proof its median p50 and p95 over the runs, in milliseconds."""
    every: dict[str, list[tuple[float, float]]] = defaultdict(list)
    size = 0
    for run in range(runs):
        log = FolderLog.open(folder, signer=SIGNER, origin=SIGNER.name)
        size = log.size()
        for kind, (prepare, prove) in proofs_of(folder, log, random.Random(run)).items():  # noqa: S311 - no secrets.
            took = sorted(timed(prepare, prove) for _ in range(PROOFS))
            every[kind].append((statistics.median(took), took[int(len(took) * 0.95)]))
        log.close()
    medians = {
        kind: [statistics.median(p50 for p50, _ in pairs), statistics.median(p95 for _, p95 in pairs)]
        for kind, pairs in every.items()
    }
    return size, medians


def proofs_of(folder: Path, log: FolderLog, chosen: random.Random) -> dict[str, tuple[Act, Act]]:
    """Return what is done before one proof of each kind, unmeasured, and what makes the proof."""
    checkpoint = parse_checkpoint(parse_note((folder / CHECKPOINT_PATH).read_bytes()).text)
    fetcher = FolderFetcher(folder)
    size = log.size()

    def then() -> int:
        return chosen.randrange(1, size + 1)

    def inclusion() -> None:
        log.inclusion_proof(chosen.randrange(size), size)

    def in_older() -> None:
        older = then()
        log.inclusion_proof(chosen.randrange(older), older)

    def consistency() -> None:
        log.consistency_proof(then(), size)

    def nothing() -> None:
        """Leave the caches as they are."""

    def drop_caches() -> None:
        for cache in (log._roots, log._reader._tiles, log._reader._bundles):  # noqa: SLF001 - To measure without them.
            cache.clear()

    return {
        "inclusion, warm": (nothing, inclusion),
        "inclusion in an older tree, warm": (nothing, in_older),
        "consistency, warm": (nothing, consistency),
        "inclusion, cold": (drop_caches, inclusion),
        "inclusion in an older tree, cold": (drop_caches, in_older),
        "consistency, cold": (drop_caches, consistency),
        "entry and proof, by a reader of files": (
            nothing,
            lambda: read_entry(fetcher, chosen.randrange(size), checkpoint),
        ),
    }


def timed(prepare: Act, act: Act) -> float:
    """Return the milliseconds that an act takes."""
    prepare()
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1e3


if __name__ == "__main__":
    main()
