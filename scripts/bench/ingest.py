"""Measure durable ingest over HTTP: signed batches of events, bound and on disk when they are answered.

    python -m scripts.bench.ingest                                      # ours alone
    python -m scripts.bench.ingest --immudb-server PATH --immudb-python PATH --tessera PATH --hammer PATH
    python -m scripts.bench.ingest --events 10000000                    # memory while so many are taken in

A home is made in a temporary folder under ``build/`` with an agreement in force and a reporter for each client,
``quanze up`` serves it, and each client is a process of its own. Batches are NDJSON, each in the scope of the
agreement, signed before the clock starts. A peer runs in turn with ours, while the other is stopped; medians of the
runs and the ratio are printed. Peers get values of 400 bytes; ours are longer by what binds them.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from scripts.bench.ingest_clients import Run, run_clients
from scripts.bench.ingest_ledger import Memory, Server, prepare
from scripts.bench.ingest_peers import Immudb, Tessera
from scripts.bench.quantiles import quantile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.bench.signed_batches import Stream

SETTINGS: Final = ((8, 256), (2, 1_000))
"""Clients, and events a batch."""
PEER_BYTES: Final = 400
_TESSERA_WRITERS: Final = 2_048
_TESSERA_S: Final = 10
_LONG_CLIENTS: Final = 4
_LONG_BATCH: Final = 1_000


@dataclass(frozen=True, slots=True)
class Peers:
    """The peers that are there."""

    immudb: Immudb | None
    tessera: Tessera | None


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--batches", type=int, default=100, help="requests of all clients in one run, of 1,000 events")
    parser.add_argument("--events", type=int, default=0, help="take in so many in one go and show the memory instead")
    parser.add_argument("--immudb", default="", metavar="HOST:PORT", help="a running immudb server")
    parser.add_argument("--immudb-server", type=Path, help="immudb's program, to be started here")
    parser.add_argument("--immudb-python", type=Path, help="a Python that has immudb-py")
    parser.add_argument("--tessera", type=Path, help="Tessera's cmd/conformance/posix")
    parser.add_argument("--hammer", type=Path, help="Tessera's internal/hammer")
    options = parser.parse_args()
    build = Path("build")
    build.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-ingest-", dir=build)).resolve()
    try:
        home = folder / "home"
        streams = prepare(home, max(clients for clients, _ in SETTINGS))
        with contextlib.closing(Server(home, folder / "up.log")) as server:
            if options.events:
                take_in(server, streams[:_LONG_CLIENTS], options.events)
            else:
                with _peers(options, folder) as peers:
                    compare(server, streams, peers, runs=options.runs, events=1_000 * options.batches)
    finally:
        shutil.rmtree(folder)


def compare(server: Server, streams: Sequence[Stream], peers: Peers, *, runs: int, events: int) -> None:
    """Run every setting in turn with each peer, and print the medians."""
    table = Table(title=f"Durable ingest over HTTP, signed and bound: medians of {runs} runs")
    for column in (
        "who",
        "clients",
        "events a batch",
        "events a run",
        "events/s",
        "all runs",
        "p50 ms",
        "p95 ms",
        "ours is",
    ):
        table.add_column(column, justify="right")
    ours_best = 0.0
    parts: list[str] = []
    for clients, batch in SETTINGS:
        batches = max(1, events // clients // batch)
        ours: list[Run] = []
        theirs: list[Run] = []
        _run_ours(server, streams[:clients], peers, batch, 2)
        before = server.processor_s()
        for _ in range(runs):
            ours.append(_run_ours(server, streams[:clients], peers, batch, batches))
            if peers.immudb is not None:
                server.pause(is_paused=True)
                theirs.append(peers.immudb.run(clients, batch, batches, PEER_BYTES))
                server.pause(is_paused=False)
        parts.append(f"{clients} x {batch}: {_shares(before, server.processor_s(), sum(run.events for run in ours))}")
        rate = statistics.median(run.rate for run in ours)
        ours_best = max(ours_best, rate)
        ratio = f"{rate / statistics.median(run.rate for run in theirs):.2f} ×" if theirs else ""
        table.add_row("ours", str(clients), str(batch), *_shown(ours), ratio)
        if theirs:
            table.add_row("immudb setAll", str(clients), str(batch), *_shown(theirs), "")
    console = Console(width=140)
    if peers.tessera is not None:
        server.pause(is_paused=True)
        rates = [peers.tessera.run(_TESSERA_WRITERS, _TESSERA_S, PEER_BYTES) for _ in range(runs)]
        server.pause(is_paused=False)
        shown = " ".join(f"{rate:,.0f}" for rate in rates)
        rate = statistics.median(rates)
        ratio = f"{ours_best / rate:.2f} ×" if rate else ""
        table.add_row("Tessera POSIX", str(_TESSERA_WRITERS), "1", "", f"{rate:,.0f}", shown, "", "", ratio)
    console.print(table)
    console.print(
        f"Ours: events of {event_bytes(streams[0])} bytes, signed and bound. Peers: {PEER_BYTES} random bytes."
    )
    for one in parts:
        console.print(f"Processor time of ours, in microseconds an event, {one}")
    _print_memory(console, "ours", server.memory())
    for name, peer in (("immudb", peers.immudb), ("Tessera", peers.tessera)):
        if peer is None:
            console.print(f"{name} was not given: the figures are ours alone.")
    if peers.immudb is not None and (memory := peers.immudb.memory()) is not None:
        _print_memory(console, "immudb", memory)


def event_bytes(stream: Stream) -> int:
    """Return the length of a stream's events."""
    return len(next(dataclasses.replace(stream).batches(1, 1)).splitlines()[1])


def take_in(server: Server, streams: Sequence[Stream], events: int) -> None:
    """Take in many events in steps, and print the rate and the memory after each."""
    console = Console(width=140)
    steps = 20
    batches = max(1, events // len(streams) // _LONG_BATCH // steps)
    done = 0
    began = time.monotonic()
    while done < events:
        run = run_clients(server.host, server.port, streams, batch=_LONG_BATCH, batches=batches, ahead=False)
        done += run.events
        told = server.get("/v1/status")[1]
        behind = told["log_size"] - sum(told["verdicts"].values())
        memory = server.memory()
        console.print(
            f"{done:>12,} events, {run.rate:>9,.0f}/s, p95 {1000 * quantile(run.times, 0.95):.0f} ms,"
            f" resident {memory.now_mb:,.0f} MB (sum of highest {memory.peak_mb:,.0f}), index {behind:,} behind"
        )
    console.print(f"{done:,} events in {time.monotonic() - began:,.0f} s, the making of their batches included")


def _run_ours(server: Server, streams: Sequence[Stream], peers: Peers, batch: int, batches: int) -> Run:
    for peer in (peers.immudb, peers.tessera):
        if peer is not None:
            peer.pause(is_paused=True)
    try:
        server.settle()
        return run_clients(server.host, server.port, streams, batch=batch, batches=batches, ahead=True)
    finally:
        server.settle()
        for peer in (peers.immudb, peers.tessera):
            if peer is not None:
                peer.pause(is_paused=False)


def _shares(before: Mapping[str, float], after: Mapping[str, float], events: int) -> str:
    taken = {part: 1e6 * (seconds - before.get(part, 0.0)) / events for part, seconds in after.items()}
    return ", ".join(f"{part} {taken[part]:.1f}" for part in sorted(taken, key=taken.__getitem__, reverse=True))


def _shown(runs: Sequence[Run]) -> tuple[str, ...]:
    times = [one for run in runs for one in run.times]
    return (
        f"{runs[0].events:,}",
        f"{statistics.median(run.rate for run in runs):,.0f}",
        " ".join(f"{run.rate:,.0f}" for run in runs),
        f"{1000 * quantile(times, 0.5):.1f}",
        f"{1000 * quantile(times, 0.95):.1f}",
    )


def _print_memory(console: Console, who: str, memory: Memory) -> None:
    console.print(
        f"{who}: {memory.now_mb:,.0f} MB resident in all its processes (sum of highest {memory.peak_mb:,.0f} MB)"
    )


@contextlib.contextmanager
def _peers(options: argparse.Namespace, folder: Path) -> Iterator[Peers]:
    with contextlib.ExitStack() as parts:
        immudb = tessera = None
        if options.immudb or options.immudb_server:
            if options.immudb_python is None:
                raise SystemExit("--immudb-python is needed too: a Python that has immudb-py")
            immudb = Immudb(options.immudb_python, address=options.immudb, program=options.immudb_server, folder=folder)
            parts.callback(immudb.close)
        if options.tessera:
            if options.hammer is None:
                raise SystemExit("--hammer is needed too: Tessera's load generator")
            tessera = Tessera(options.tessera, options.hammer, folder)
            parts.callback(tessera.close)
        yield Peers(immudb, tessera)


if __name__ == "__main__":
    main()
