"""Measure proofs from tiles alone at several sizes of a log: inclusion, consistency, and both with nothing cached.

    python -m scripts.bench.proofs                       # logs of 10^5 and 10^6 entries
    python -m scripts.bench.proofs --sizes 100000 10000000
    python -m scripts.bench.proofs --processor           # the thread's own time, where the machine does other things

Each log is made by ``scripts.big_log`` under ``build/`` and removed afterwards (10^7 entries take 4.5 GB), or was
made before (``--logs``). **Warm** is one opened log that has given as many proofs before, as in a service: random
entries, in the newest tree and in trees of random older sizes; tiles stay in its bounded caches. **Cold** drops every
cache of the process before each proof; the system's page cache stays. Every proof is verified against the root before
it is given, which is part of the time. The logs take turns in each run, so that what else the machine does hits all.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from ledger.log.checkpoint import parse_checkpoint
from ledger.log.client import read_entry
from ledger.log.note import parse_note
from ledger.log.storage import FolderFetcher, FolderLog
from ledger.log.tiles import CHECKPOINT_PATH
from scripts.bench.quantiles import quantile
from scripts.big_log import SIGNER, make_log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Act = Callable[[], object]
    Run = tuple[int, dict[str, tuple[float, float]]]

PROOFS: Final = 500
TARGET_MS: Final = 5.0
WARM: Final = ", warm"


def main() -> None:
    """Print the median and the 95th percentile of each kind of proof at each size."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench.proofs", description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--logs", type=Path, nargs="+", metavar="FOLDER", help="logs made before, instead of sizes")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--processor", action="store_true", help="measure the thread's processor time")
    options = parser.parse_args()
    clock = time.thread_time if options.processor else time.perf_counter
    with ExitStack() as held:
        folders: list[Path] = options.logs or []
        if not folders:
            Path("build").mkdir(exist_ok=True)
            made = Path(held.enter_context(tempfile.TemporaryDirectory(dir="build")))
            for size in options.sizes:
                folders.append(made / str(size))
                make_log(folders[-1], size)
        taken = [[one_run(folder, run, clock) for folder in folders] for run in range(options.runs)]
    show(taken, "processor time" if options.processor else "time")


def show(runs: Sequence[Sequence[Run]], what: str) -> None:
    """Print a row for each kind, with the ratio of the last size's 95th percentile to the first's.

    The ratio is the median of each run's own.
    """
    console = Console(width=140)
    sizes = [f"{size:,} p50 / p95" for size, _ in runs[0]]
    title = f"Milliseconds of {what}, {PROOFS} proofs, medians of {len(runs)} runs"
    table = Table("proof", *sizes, "p95 ratio", title=title)
    worst = 0.0
    for kind in runs[0][0][1]:
        cells = []
        for place in range(len(sizes)):
            p50, p95 = (statistics.median(run[place][1][kind][part] for run in runs) for part in (0, 1))
            cells.append(f"{p50:.2f} / {p95:.2f}")
            worst = max(worst, p95 if place == 0 else 0.0)
        ratio = statistics.median(run[-1][1][kind][1] / run[0][1][kind][1] for run in runs)
        table.add_row(kind, *cells, f"{ratio:.2f}")
    console.print(table)
    console.print(f"at {runs[0][0][0]:,} entries every p95 is at most {worst:.2f} ms (target {TARGET_MS:.0f} ms)")


def one_run(folder: Path, run: int, clock: Callable[[], float]) -> Run:
    """Return the log's size, and the p50 and p95 of each kind of proof in one run, in milliseconds."""
    log = FolderLog.open(folder, signer=SIGNER, origin=SIGNER.name)
    try:
        found = {}
        for kind, (prepare, prove) in proofs_of(folder, log, random.Random(run)).items():  # noqa: S311 - no secrets.
            for _ in range(PROOFS if kind.endswith(WARM) else 1):
                prove()
            took = [timed(prepare, prove, clock) for _ in range(PROOFS)]
            found[kind] = (statistics.median(took), quantile(took, 0.95))
        return log.size(), found
    finally:
        log.close()


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
        reader = log._reader  # noqa: SLF001 - To measure without what it holds.
        for cache in (log._roots, reader._edge_nodes, reader._leaf_tiles, reader._upper_tiles, reader._bundles):  # noqa: SLF001
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


def timed(prepare: Act, act: Act, clock: Callable[[], float]) -> float:
    """Return the milliseconds that an act takes."""
    prepare()
    began = clock()
    act()
    return (clock() - began) * 1e3


if __name__ == "__main__":
    main()
