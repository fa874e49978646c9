"""Measure a verified read of one entry over the network beside immudb's ``verifiedGet``.

Run with ``python -m scripts.bench.verified_read [--immudb HOST:PORT --immudb-python PYTHON]``: the address of an immudb
server with an empty database and its default password, and a Python that has ``immudb-py``. Both hold the same number
of random values on this machine, and both clients are Python. Rounds take turns.

Our client asks for the newest checkpoint and the entry's bundle in one round trip, checks signature and proof, and
keeps verified tiles. ``first`` reads meet a bundle whose tile it has not verified yet and ask for that too; ``later``
ones have its tile, and still fetch checkpoint and bundle from the server.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from ledger.log.http_fetcher import HTTPFetcher
from ledger.log.note import Ed25519Verifier
from ledger.log.tiles import TILE_WIDTH
from ledger.log.verified_reader import VerifiedReader
from scripts.bench.opaque import ours
from scripts.bench.quantiles import quantile
from scripts.bench.writers import write_all

ENTRIES: Final = 100_000
ENTRY_BYTES: Final = 400
_SEED: Final = 9162


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--immudb", metavar="HOST:PORT", help="immudb's server")
    parser.add_argument("--immudb-python", type=Path, help="a Python that has immudb-py")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--reads", type=int, default=500, help="reads of each kind in a round")
    parser.add_argument("--entries", type=int, default=ENTRIES)
    options = parser.parse_args()
    console = Console(width=120)
    peer = None
    if options.immudb and options.immudb_python:
        peer = start_peer(options.immudb_python, options.immudb, options.entries)
    else:
        console.print("immudb: absent (no address, or no Python with immudb-py, was given)")
    rounds: dict[str, list[list[float]]] = {"ours, first": [], "ours, later": [], "immudb verifiedGet": []}
    chance = random.Random(_SEED)  # noqa: S311 - the same reads in every run.
    build = Path("build")
    build.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=build) as folder,
        ours(Path(folder)) as (port, vkey),
        contextlib.closing(HTTPFetcher(f"http://127.0.0.1:{port}/")) as fetcher,
    ):
        write_all(port, options.entries, ENTRY_BYTES)
        verifier = Ed25519Verifier.from_vkey(vkey)
        wait_for(fetcher, verifier, options.entries)
        warm = VerifiedReader(fetcher, verifier)
        for first in range(0, options.entries, TILE_WIDTH):
            warm.read(first)
        for _ in range(options.rounds):
            rounds["ours, first"].append(first_reads(fetcher, verifier, chance, options.entries, options.reads))
            rounds["ours, later"].append(
                [timed_read(warm, chance.randrange(options.entries)) for _ in range(options.reads)]
            )
            if peer is not None:
                rounds["immudb verifiedGet"].append(ask_peer(peer, options.reads))
    if peer is not None:
        peer.terminate()
        peer.wait()
    table = Table(
        "client",
        "p50",
        "lowest to highest round",
        "p95",
        "ratio to immudb",
        title=f"A verified read of {ENTRY_BYTES} bytes among {options.entries:,}; medians of {options.rounds} rounds",
    )
    medians = {name: [statistics.median(times) for times in found] for name, found in rounds.items() if found}
    theirs = statistics.median(medians.get("immudb verifiedGet", [0.0]))
    for name, found in medians.items():
        every = [value for times in rounds[name] for value in times]
        median = statistics.median(found)
        table.add_row(
            name,
            f"{median * 1e3:.2f} ms",
            f"{min(found) * 1e3:.2f} to {max(found) * 1e3:.2f}",
            f"{quantile(every, 0.95) * 1e3:.2f} ms",
            f"{median / theirs:.2f} x" if theirs else "",
        )
    console.print(table)


def first_reads(
    fetcher: HTTPFetcher, verifier: Ed25519Verifier, chance: random.Random, entries: int, reads: int
) -> list[float]:
    """Time reads that meet each bundle for the first time, with readers that know the checkpoint."""
    times: list[float] = []
    while len(times) < reads:
        reader = VerifiedReader(fetcher, verifier)
        reader.refresh()
        reader.node(8, 0)
        bundles = chance.sample(range(1, entries // TILE_WIDTH), min(reads - len(times), entries // TILE_WIDTH - 1))
        times += [timed_read(reader, bundle * TILE_WIDTH + chance.randrange(TILE_WIDTH)) for bundle in bundles]
    return times


def timed_read(reader: VerifiedReader, index: int) -> float:
    """Return the seconds of one read."""
    began = time.perf_counter()
    entry = reader.read(index)
    took = time.perf_counter() - began
    assert len(entry) >= ENTRY_BYTES
    return took


def wait_for(fetcher: HTTPFetcher, verifier: Ed25519Verifier, size: int) -> None:
    """Wait until a checkpoint covers every entry."""
    reader = VerifiedReader(fetcher, verifier)
    while reader.refresh().size < size:
        time.sleep(0.1)


def start_peer(python: Path, address: str, entries: int) -> subprocess.Popen[str]:
    """Start the peer's client and wait until its database is filled."""
    script = Path(__file__).parent / "peers" / "immudb_reads.py"
    peer = subprocess.Popen(
        [str(python), str(script), address, str(entries), str(ENTRY_BYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert read_times(peer) == []
    return peer


def ask_peer(peer: subprocess.Popen[str], reads: int) -> list[float]:
    """Return the seconds of each of the peer's reads."""
    assert peer.stdin is not None
    peer.stdin.write(f"{reads}\n")
    peer.stdin.flush()
    return read_times(peer)


def read_times(peer: subprocess.Popen[str]) -> list[float]:
    """Return the next list of times that the peer prints, among lines of its library's own."""
    assert peer.stdout is not None
    while line := peer.stdout.readline():
        mark, _, rest = line.partition(" ")
        if mark == "TIMES":
            found: list[float] = json.loads(rest)
            return found
    sys.exit("immudb's client ended by itself")


if __name__ == "__main__":
    main()
