"""Measure the log: durable appends at several group sizes, checkpoints, proofs, opening and a full check.

Run with ``python -m scripts.bench.log`` (``--small`` leaves out the log of 10^6 entries). Every append is on disk
when it returns. The log is made in a temporary folder under ``build/``, on the disk that the project is on.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from ledger.log.note import Ed25519Signer
from ledger.log.storage import FolderLog, check_folder
from scripts.bench.quantiles import quantile

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRY_BYTES = 400
PROOFS = 500
LOADS = [(1, 1, 3000), (64, 1, 200), (1024, 1, 20), (1, 256, 800), (8, 256, 100), (1, 1000, 300)]
"""Callers at the same time, entries a call, calls of each."""


def main() -> None:
    """Print one table of appends and one of reads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="leave out the log of 10^6 entries")
    sizes = [100_000] if parser.parse_args().small else [100_000, 1_000_000]
    build = Path("build")
    build.mkdir(exist_ok=True)
    console = Console()
    with tempfile.TemporaryDirectory(dir=build) as folder:
        console.print(appends(Path(folder)))
    reads = Table(
        "entries", "inclusion p50", "p95", "consistency p50", "opening", "full check", "memory", title="Reads"
    )
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=build) as folder:
            reads.add_row(*read_times(Path(folder), size))
    console.print(reads)


def appends(folder: Path) -> Table:
    """Measure durable appends by callers of one group each, a checkpoint every second meanwhile."""
    table = Table("callers", "entries a call", "entries/s", "call p50", "p95", title="Durable appends, 400 bytes each")
    for callers, group, calls in LOADS:
        log, _ = open_log(folder / f"{callers}-{group}")
        took, times = run_load(log, callers, group, calls)
        assert log.size() == callers * group * calls
        log.close()
        table.add_row(f"{callers:,}", f"{group:,}", f"{log.size() / took:,.0f}", *percentiles(times))
    return table


def run_load(log: FolderLog, callers: int, group: int, calls: int) -> tuple[float, list[float]]:
    """Return the seconds that all calls took together, and each call's."""
    entries = [os.urandom(ENTRY_BYTES) for _ in range(group)]
    times: list[float] = []

    def call() -> None:
        times.extend(timed(partial(log.append, entries)) for _ in range(calls))

    done = threading.Event()
    publisher = threading.Thread(target=publish_each_second, args=(log, done))
    threads = [threading.Thread(target=call) for _ in range(callers)]
    began = time.perf_counter()
    publisher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    done.set()
    publisher.join()
    return took, times


def read_times(folder: Path, size: int) -> tuple[str, ...]:
    """Measure proofs, opening and a full check of a log of ``size`` entries."""
    log, signer = open_log(folder)
    entries = [os.urandom(ENTRY_BYTES) for _ in range(1000)]
    for _ in range(size // len(entries)):
        log.append(entries)
    log.publish_checkpoint()
    log.close()
    began = time.perf_counter()
    log, _ = open_log(folder)
    opened = time.perf_counter() - began
    places = [index * 7919 % size for index in range(PROOFS)]
    inclusion = [timed(partial(log.inclusion_proof, index, size)) for index in places]
    consistency = [timed(partial(log.consistency_proof, index + 1, size)) for index in places]
    log.close()
    began = time.perf_counter()
    *_, last = check_folder(folder, signer.vkey)
    checked = time.perf_counter() - began
    assert last.entries == size
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return (
        f"{size:,}",
        *percentiles(inclusion),
        percentiles(consistency)[0],
        f"{opened:.2f} s",
        f"{checked:.1f} s",
        f"{memory:.0f} MB",
    )


def open_log(folder: Path) -> tuple[FolderLog, Ed25519Signer]:
    """Open a log with a key of this benchmark."""
    signer = Ed25519Signer("bench.example/log", bytes(32))
    return FolderLog.open(folder, signer=signer, origin=signer.name), signer


def publish_each_second(log: FolderLog, done: threading.Event) -> None:
    """Publish as the service does."""
    while not done.wait(1.0):
        log.publish_checkpoint()


def timed(call: Callable[[], object]) -> float:
    """Return how long a call takes, in seconds."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def percentiles(times: list[float]) -> tuple[str, str]:
    """Return the median and the 95th percentile as text."""
    return f"{statistics.median(times) * 1e3:.2f} ms", f"{quantile(times, 0.95) * 1e3:.2f} ms"


if __name__ == "__main__":
    main()
