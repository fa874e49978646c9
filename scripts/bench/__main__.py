"""Run the measurements one after the other and say how each ended.

    python -m scripts.bench                 # all of them, some minutes
    python -m scripts.bench --quick         # smaller sizes
    python -m scripts.bench gas evidence    # only these
    python -m scripts.bench ingest --immudb-server PATH --immudb-python PATH    # with a peer beside ours

Each runs as a process of its own, so that none inherits another's memory or warm caches.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import Final

from rich.console import Console
from rich.table import Table

BENCHES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "chain": ("the embedded chain's rate, and start-up after 10^4 and 10^5 transactions", ("--transactions", "10000")),
    "log": ("durable appends, proofs and checks of the log", ("--small",)),
    "log_disk": ("bytes on disk for each entry of the log above its own", ("--small",)),
    "gas": ("gas of agreements and anchors", ("--batches", "4")),
    "anchor_gas": ("gas of anchors of 1 to 10^7 entries, proof included", ("--anchors", "2")),
    "follower": ("events a second of the follower against web3.py", ("--events", "12000")),
    "evidence": ("size of an evidence file, and time to verify it", ()),
    "evidence_at_size": (
        "export of evidence out of ledgers of two sizes, of one event and of 1,000",
        ("--events", "10000", "20000", "--runs", "2"),
    ),
    "ingest": ("durable, signed and bound events a second over HTTP", ("--batches", "5", "--runs", "1")),
    "soak": ("half the top rate under kills: nothing lost, nothing twice", ("--minutes", "1")),
    "fsck": ("the check of a log's folder, beside Tessera's where --tessera-fsck gives it", ("--runs", "2")),
    "proofs": ("proofs from tiles at two sizes of a log", ("--sizes", "100000", "--runs", "2")),
    "opaque": ("one entry a request, beside Tessera's log where it is given", ("--runs", "1", "--seconds", "3")),
    "verified_read": ("a verified read of one entry over HTTP, beside immudb's where it is given", ("--rounds", "3")),
    "demo": ("`make demo` from a clean clone", ()),
}
"""What each measures, and what makes it quick."""


def main() -> int:
    """Run the chosen ones; return 1 if any failed."""
    parser = argparse.ArgumentParser(prog="python -m scripts.bench", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="smaller sizes")
    options, given = parser.parse_known_args()
    if given and len(options.names) != 1:
        parser.error(f"{given[0]} goes with the one measurement that is named")
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no measurement is called {unknown[0]}; there are {', '.join(BENCHES)}")
    console = Console(width=120)
    table = Table(
        "measurement", "of", "took", "ended", title=f"{os.cpu_count()} processors, Python {sys.version.split()[0]}"
    )
    failed = 0
    for name in options.names or BENCHES:
        about, quick = BENCHES[name]
        console.rule(f"{name}: {about}")
        began = time.monotonic()
        command = [sys.executable, "-m", f"scripts.bench.{name}", *(quick if options.quick else ()), *given]
        code = subprocess.run(command, check=False).returncode
        failed += code != 0
        table.add_row(name, about, f"{time.monotonic() - began:.0f} s", "well" if code == 0 else f"with {code}")
    console.print(table)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
