"""Half the top rate for half an hour, with every process of ``quanze up`` killed every 30 s.

    python -m scripts.bench.soak                                # 30 minutes
    python -m scripts.bench.soak --minutes 2 --kill-every 20    # a try

First the top rate is measured for some seconds, unless ``--rate`` states the events a second to send. Then each client,
a process of its own, sends its stream's batches at its share of the rate; one that got no answer it sends again with
the same bytes, whatever happened to the first. At the end the log is read back by HTTP: every event that a receipt
was given for must stand at its receipt's index with its leaf hash, once, and nothing else may be there.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import multiprocessing
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from ledger.log.tiles import TILE_WIDTH, bundle_hashes, entries_path
from ledger.log.tree import HASH_SIZE_BYTES
from scripts.bench.ingest_clients import Sender, run_clients
from scripts.bench.ingest_ledger import Server, prepare
from scripts.bench.quantiles import quantile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Event

    from scripts.bench.signed_batches import Stream

CLIENTS: Final = 4
BATCH: Final = 256
_FORK: Final = multiprocessing.get_context("fork")
_RETRY_S: Final = 0.2
_GIVE_UP_S: Final = 180.0


@dataclass(slots=True)
class Told:
    """What a client was told: each accepted batch's first index and leaf hashes; and how long each took."""

    receipts: list[tuple[int, bytes]] = field(default_factory=list)
    times: list[tuple[float, float]] = field(default_factory=list)
    """When each was sent first, in seconds from the start, and how long its answer took, retries included."""
    retries: int = 0
    busy: int = 0
    fault: str = ""


def main() -> int:
    """Run, print the latencies by minute and what was compared, and return 1 if anything is lost or there twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--kill-every", type=float, default=30, metavar="SECONDS")
    parser.add_argument("--rate", type=float, default=0, help="events a second in all; half the top rate if not stated")
    options = parser.parse_args()
    build = Path("build")
    build.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-soak-", dir=build)).resolve()
    console = Console(width=120)
    try:
        return _soak(options, folder, console)
    finally:
        shutil.rmtree(folder)


def _soak(options: argparse.Namespace, folder: Path, console: Console) -> int:
    home, log = folder / "home", folder / "up.log"
    streams = prepare(home, CLIENTS)
    server = Server(home, log)
    try:
        first, rate = 0, options.rate
        if not rate:
            top = run_clients(server.host, server.port, streams, batch=BATCH, batches=60, ahead=True)
            rate = top.rate / 2
            first = top.events
            console.print(f"top rate {top.rate:,.0f} events/s; sending {rate:,.0f}")
        place = folder / "port"
        place.write_text(str(server.port), encoding="ascii")
        stop = _FORK.Event()
        clients = [_start(stream, rate / CLIENTS, place, stop) for stream in streams]
        kills = 0
        end = time.monotonic() + 60 * options.minutes
        starts: list[float] = []
        while (left := end - time.monotonic()) > 0:
            _pause(min(options.kill_every, left), clients)
            if time.monotonic() < end - 1:
                server.kill()
                kills += 1
                began = time.monotonic()
                server = Server(home, log)
                starts.append(time.monotonic() - began)
                _publish(place, server.port)
        stop.set()
        told = [pipe.recv() for pipe, _ in clients]
        for _, process in clients:
            process.join()
        return _judge(server, told, first, kills, starts, console)
    finally:
        server.close()


def _start(stream: Stream, rate: float, place: Path, stop: Event) -> tuple[Connection[Any, Any], Any]:
    ours, theirs = _FORK.Pipe()
    process = _FORK.Process(target=_client, args=(theirs, stream, rate, place, stop), daemon=True)
    process.start()
    return ours, process


def _client(pipe: Connection[Any, Any], stream: Stream, rate: float, place: Path, stop: Event) -> None:
    told = Told()
    began = time.monotonic()
    sender: Sender | None = None
    due = began
    while not stop.is_set() and not told.fault:
        (body,) = stream.batches(BATCH, 1)
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due + BATCH / rate, time.monotonic() - 1)  # What was missed while it was down is not made up for.
        sent = time.monotonic()
        while True:
            try:
                sender = sender or Sender("127.0.0.1", int(place.read_text(encoding="ascii")))
                answer = sender.post(body)
            except (OSError, ValueError):
                if sender is not None:
                    sender.close()
                sender = None
                told.retries += 1
                if time.monotonic() - sent > _GIVE_UP_S:
                    told.fault = f"no answer for {_GIVE_UP_S:.0f} s"
                    break
                time.sleep(_RETRY_S)
                continue
            if answer.status in {429, 503}:
                told.busy += 1
                time.sleep(min(5.0, float(answer.head.partition(b"retry-after:")[2].split(b"\r\n", 1)[0] or 1)))
                continue
            if answer.status != 201:
                told.fault = f"{answer.status}: {answer.body[:500]!r}"
                break
            items = json.loads(answer.body)["items"]
            if [item["index"] for item in items] != list(range(items[0]["index"], items[0]["index"] + BATCH)):
                told.fault = f"receipts out of order: {answer.body[:500]!r}"
            told.receipts.append((items[0]["index"], bytes.fromhex("".join(item["leaf_hash"] for item in items))))
            told.times.append((sent - began, time.monotonic() - sent))
            break
    pipe.send(told)


def _pause(seconds: float, clients: Sequence[tuple[Any, Any]]) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if any(pipe.poll() for pipe, _ in clients):
            return  # One stopped early: its fault is told at the end.
        time.sleep(min(1.0, left))


def _publish(place: Path, port: int) -> None:
    new = place.with_suffix(".new")
    new.write_text(str(port), encoding="ascii")
    new.replace(place)


def _judge(
    server: Server, told: Sequence[Told], first: int, kills: int, starts: Sequence[float], console: Console
) -> int:
    """Compare every receipt with the log, and print what was found."""
    batches = sorted(pair for one in told for pair in one.receipts)
    count = BATCH * len(batches)
    twice = sum(max(0, before + BATCH - after) for (before, _), (after, _) in pairwise(batches))
    size = _wait_for_size(server, first + count)
    lost = sum(max(0, min(BATCH, index + BATCH - size)) for index, _ in batches)
    unasked = other = 0
    waiting = iter(batches)
    index, hashes = next(waiting, (size, b""))
    for place, found in _leaf_hashes(server, size):
        while place >= index + BATCH:
            index, hashes = next(waiting, (size, b""))
        if place >= index:
            offset = (place - index) * HASH_SIZE_BYTES
            other += found != hashes[offset : offset + HASH_SIZE_BYTES]
        else:
            unasked += place >= first
    _show_latencies(told, console)
    faults = [one.fault for one in told if one.fault]
    console.print(
        f"{kills} kills; {sum(one.retries for one in told)} requests without an answer, sent again;"
        f" {sum(one.busy for one in told)} times told to wait; started again in {max(starts, default=0):.1f} s at most"
    )
    console.print(
        f"{count:,} events acknowledged: {lost} lost, {twice + unasked} duplicated or unasked for,"
        f" {other} with another leaf; log size {size:,}"
    )
    memory = server.memory()
    console.print(f"memory of all its processes: {memory.now_mb:,.0f} MB (sum of highest {memory.peak_mb:,.0f})")
    for fault in faults:
        console.print(f"a client stopped: {fault}")
    is_well = not (lost or twice or unasked or other or faults)
    console.print("well" if is_well else "NOT WELL")
    return 0 if is_well else 1


def _show_latencies(told: Sequence[Told], console: Console) -> None:
    minutes: dict[int, list[float]] = {}
    for one in told:
        for when, took in one.times:
            minutes.setdefault(int(when // 60), []).append(1000 * took)
    table = Table("minute", "batches", "events/s", "p50 ms", "p95 ms", "p99 ms", "max ms", title="Answered, by minute")
    for minute, times in sorted(minutes.items()):
        cuts = [quantile(times, share) for share in (0.5, 0.95, 0.99, 1)]
        table.add_row(
            str(minute + 1), str(len(times)), f"{len(times) * BATCH / 60:,.0f}", *(f"{cut:,.0f}" for cut in cuts)
        )
    console.print(table)


def _wait_for_size(server: Server, size: int) -> int:
    """Return the size of the published checkpoint, once it is the one wanted or nothing more comes."""
    end = time.monotonic() + 60
    while True:
        held = int(_get(server, "/log/checkpoint").split(b"\n")[1])
        if held >= size or time.monotonic() > end:
            return held
        time.sleep(0.2)


def _leaf_hashes(server: Server, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield each entry's index and hash, made here from what the server shows."""
    with contextlib.closing(http.client.HTTPConnection(server.host, server.port, timeout=60)) as connection:
        for bundle in range(-(-size // TILE_WIDTH)):
            width = min(TILE_WIDTH, size - bundle * TILE_WIDTH)
            data = _ask(connection, "/log/" + entries_path(bundle, width))
            yield from enumerate(bundle_hashes(data, width), bundle * TILE_WIDTH)


def _get(server: Server, path: str) -> bytes:
    with contextlib.closing(http.client.HTTPConnection(server.host, server.port, timeout=60)) as connection:
        return _ask(connection, path)


def _ask(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"GET {path}: {answer.status} {body[:300]!r}")
    return body


if __name__ == "__main__":
    sys.exit(main())
