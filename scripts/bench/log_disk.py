"""Measure what a log takes on disk for each entry above the entry's own bytes, after it was closed.

Run with ``python -m scripts.bench.log_disk`` (``--small`` leaves out the log of 10^6 entries). Entries of 340 bytes
come in calls of 1,000 with a checkpoint after every 20th, so that partial files come and go as they do in use. The log
is made in a temporary folder under ``build/``. It prints what the files hold, and what the file system gave them, which
rounds each file up to its block (a larger block rounds more).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from scripts.bench.log import open_log

ENTRY_BYTES = 340
CALL = 1000
CALLS_A_CHECKPOINT = 20
DEDUP_BYTES = 12
"""What the index of what was told before keeps for each event, beside the log."""
LIMIT_BYTES = 64


def main() -> None:
    """Print bytes an entry by kind of file; fail if they are over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="leave out the log of 10^6 entries")
    sizes = [100_000] if parser.parse_args().small else [100_000, 1_000_000]
    build = Path("build")
    build.mkdir(exist_ok=True)
    table = Table(
        "entries", "tiles", "bundles", "partial files", "journal", "all, with deduplication", "on disk",
        title=f"Bytes for each entry of {ENTRY_BYTES} bytes, above the entry, after closing",
    )  # fmt: skip
    worst = 0.0
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=build) as folder:
            held, given = measure(Path(folder), size)
        total = sum(held.values()) + DEDUP_BYTES
        worst = max(worst, total)
        table.add_row(
            f"{size:,}", *(f"{value:.2f}" for value in held.values()), f"{total:.2f}", f"{given + DEDUP_BYTES:.2f}"
        )
    Console().print(table)
    assert worst <= LIMIT_BYTES, f"{worst:.2f} bytes an entry are over {LIMIT_BYTES}"


def measure(folder: Path, size: int) -> tuple[dict[str, float], float]:
    """Write a log; return bytes an entry above the entry's own by kind of file, and as the file system counts all."""
    log, _ = open_log(folder)
    entries = [os.urandom(ENTRY_BYTES) for _ in range(CALL)]
    for call in range(size // CALL):
        log.append(entries)
        if call % CALLS_A_CHECKPOINT == 0:
            log.publish_checkpoint()
    log.publish_checkpoint()
    log.close()
    held = {"tiles": 0, "bundles": -size * ENTRY_BYTES, "partial": 0, "journal": 0}
    given = -size * ENTRY_BYTES
    for path in folder.rglob("*"):
        if path.is_dir():
            continue
        kind = _kind(path.relative_to(folder))
        held[kind] += path.stat().st_size
        given += path.stat().st_blocks * 512
    return {kind: value / size for kind, value in held.items()}, given / size


def _kind(path: Path) -> str:
    if path.parts[0] != "tile":
        return "journal"
    if path.parent.suffix == ".p":
        return "partial"
    return "bundles" if path.parts[1] == "entries" else "tiles"


if __name__ == "__main__":
    main()
