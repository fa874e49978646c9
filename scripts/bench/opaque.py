"""Measure the plain log, one entry a request, beside Tessera's POSIX log, both under Tessera's own load generator.

Run with ``python -m scripts.bench.opaque --tessera POSIX --hammer HAMMER [--tessera-short POSIX]``: the programs of
``go install github.com/transparency-dev/tessera/{cmd/conformance/posix,internal/hammer}@v1.0.4`` (the second needs a
checkout). ``--tessera-short`` is the same log built with its shortest ages, ``WithBatching(256, 5*time.Millisecond)``
and ``WithCheckpointInterval(100*time.Millisecond)`` in ``cmd/conformance/posix/main.go``. Without a load generator a
small one of ours drives our log alone, and the table says so.

The logs take turns, each on an empty folder of the disk that the project is on. Rate: growth of the signed checkpoint's
size within a window, so that nothing counts which no reader can see. Wait: from the answer to a request of ours beside
the load to the first checkpoint that covers its entry. Entries are all different (``--dup_chance 0``), since Tessera
answers a repeated one from memory.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from ledger.log.note import Ed25519Signer
from ledger.log.plain_key import print_plain_key
from scripts.bench.quantiles import quantile
from scripts.bench.writers import write_from_many

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITERS: Final = (64, 1024, 2048)
ENTRY_BYTES: Final = 400
_WARM_S: Final = 2.0
_POLL_S: Final = 0.02
_SAMPLERS: Final = 4
_SIZE: Final = re.compile(rb"\A[^\n]+\n([0-9]+)\n")
_NAME: Final = "bench.example/log"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A log to measure: its name, and Tessera's program unless it is ours."""

    name: str
    program: Path | None


@dataclass(slots=True)
class Seen:
    """What one run showed: the checkpoint's size over time, and when each of our own requests was answered."""

    sizes: list[tuple[float, int]] = field(default_factory=list)
    answered: list[tuple[float, int]] = field(default_factory=list)

    def rate(self, begin: float, end: float) -> float:
        """Return the entries a second between the first checkpoint after ``begin`` and the last before ``end``."""
        changes = [
            self.sizes[place]
            for place in range(1, len(self.sizes))
            if self.sizes[place][1] != self.sizes[place - 1][1] and begin <= self.sizes[place][0] <= end
        ]
        if len(changes) < 2:
            return 0.0
        return (changes[-1][1] - changes[0][1]) / (changes[-1][0] - changes[0][0])

    def waits(self, begin: float) -> list[float]:
        """Return the seconds from each answer after ``begin`` to the first checkpoint that covers its entry."""
        found = []
        for at, index in self.answered:
            covered = next((seen for seen, size in self.sizes if size > index), None)
            if covered is not None and at >= begin:
                found.append(max(0.0, covered - at))
        return found


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", type=Path, help="Tessera's conformance/posix program, with its defaults")
    parser.add_argument("--tessera-short", type=Path, help="the same, built with its shortest ages")
    parser.add_argument("--hammer", type=Path, help="Tessera's load generator")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each run's window")
    parser.add_argument("--writers", type=int, nargs="*", default=list(WRITERS))
    options = parser.parse_args()
    console = Console(width=140)
    contestants = [Contestant("ours", None)]
    for name, program in (("Tessera", options.tessera), ("Tessera, shortest ages", options.tessera_short)):
        if program is None or options.hammer is None:
            console.print(f"{name}: absent (no program, or no load generator was given)")
        else:
            contestants.append(Contestant(name, program))
    load = "Tessera's hammer" if options.hammer else "a generator of ours, in Python"
    table = Table(
        "writers",
        "log",
        "entries/s",
        "lowest to highest",
        "ours is",
        "answered -> checkpoint p50",
        "p95",
        title=f"One entry a request, {ENTRY_BYTES} bytes or a little more; {load}; medians of {options.runs} runs",
    )
    for writers in options.writers:
        rates: dict[str, list[float]] = {each.name: [] for each in contestants}
        waits: dict[str, list[float]] = {each.name: [] for each in contestants}
        for run in range(options.runs):
            for each in contestants if run % 2 == 0 else contestants[::-1]:
                rate, waited = run_once(each, options.hammer, writers, options.seconds)
                rates[each.name].append(rate)
                waits[each.name] += waited
                console.print(f"  {writers} writers, run {run + 1}, {each.name}: {rate:,.0f}/s", style="dim")
        ours = statistics.median(rates["ours"])
        for each in contestants:
            median = statistics.median(rates[each.name])
            waited_s = waits[each.name]
            table.add_row(
                f"{writers:,}",
                each.name,
                f"{median:,.0f}",
                f"{min(rates[each.name]):,.0f} to {max(rates[each.name]):,.0f}",
                f"{ours / median:.2f} x" if each.program and median else "",
                f"{statistics.median(waited_s):.2f} s" if waited_s else "none seen",
                f"{quantile(waited_s, 0.95):.2f} s" if waited_s else "none seen",
            )
    console.print(table)


def run_once(each: Contestant, hammer: Path | None, writers: int, seconds: float) -> tuple[float, list[float]]:
    """Return the rate and the waits of one log under one load."""
    build = Path("build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder, contextlib.ExitStack() as parts:
        port, vkey = parts.enter_context(ours(Path(folder)) if each.program is None else tessera(each, Path(folder)))
        seen = Seen()
        stop = threading.Event()
        watchers = [threading.Thread(target=watch_checkpoint, args=(port, seen, stop))]
        watchers += [threading.Thread(target=sample, args=(port, seen, stop)) for _ in range(_SAMPLERS)]
        began = time.monotonic()
        with hammering(hammer, port, vkey, writers) if hammer else write_from_many(port, writers, ENTRY_BYTES):
            for watcher in watchers:
                watcher.start()
            time.sleep(_WARM_S + seconds)
        stop.set()
        for watcher in watchers:
            watcher.join()
    return seen.rate(began + _WARM_S, began + _WARM_S + seconds), seen.waits(began + _WARM_S)


@contextlib.contextmanager
def ours(folder: Path) -> Iterator[tuple[int, str]]:
    """Run our plain log on a free port."""
    kept = {name: value for name, value in os.environ.items() if name not in {"QUANZE_HOME", "QUANZE_PASSPHRASE_FILE"}}
    command = [
        str(Path(sys.prefix) / "bin" / "quanze"),
        "--json",
        "log",
        "serve",
        "--opaque",
        "--listen",
        "127.0.0.1:0",
    ]
    environment = {**kept, "QUANZE_HOME": str(folder / "home")}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            up = json.loads(process.stdout.readline())
            yield int(up["address"].rstrip("/").rpartition(":")[2]), up["vkey"]
        finally:
            process.terminate()


@contextlib.contextmanager
def tessera(each: Contestant, folder: Path) -> Iterator[tuple[int, str]]:
    """Run Tessera's log on a free port."""
    seed = secrets.token_bytes(32)
    key = folder / "key"
    key.write_text(print_plain_key(_NAME, seed).strip())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        str(each.program),
        f"--storage_dir={folder / 'log'}",
        f"--listen=127.0.0.1:{port}",
        f"--private_key={key}",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while read_size(port) is None:
                if time.monotonic() > deadline or process.poll() is not None:
                    sys.exit(f"{each.program} did not start")
                time.sleep(0.05)
            yield port, Ed25519Signer(_NAME, seed).vkey
        finally:
            process.kill()


@contextlib.contextmanager
def hammering(hammer: Path, port: int, vkey: str, writers: int) -> Iterator[None]:
    """Run Tessera's load generator against a port."""
    command = [
        str(hammer),
        f"--log_url=http://127.0.0.1:{port}/",
        f"--log_public_key={vkey}",
        f"--num_writers={writers}",
        "--max_write_ops=1000000",
        f"--leaf_min_size={ENTRY_BYTES}",
        "--dup_chance=0",
        "--show_ui=false",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
            if process.poll() is not None:
                sys.exit(f"{hammer} stopped by itself")
        finally:
            process.kill()


def watch_checkpoint(port: int, seen: Seen, stop: threading.Event) -> None:
    """Note the checkpoint's size until told to stop, and then until it covers every answered request."""
    deadline = 0.0
    while True:
        size = read_size(port)
        if size is not None:
            seen.sizes.append((time.monotonic(), size))
        if stop.is_set():
            deadline = deadline or time.monotonic() + 5
            wanted = max((index for _, index in seen.answered), default=-1)
            if time.monotonic() > deadline or (size or 0) > wanted:
                return
        time.sleep(_POLL_S)


def sample(port: int, seen: Seen, stop: threading.Event) -> None:
    """Send entries of our own beside the load, one after another."""
    while not stop.is_set():
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            while not stop.is_set():
                connection.request("POST", "/add", secrets.token_bytes(ENTRY_BYTES))
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200:
                    seen.answered.append((time.monotonic(), int(body)))
                stop.wait(0.05)
        except (OSError, HTTPException):
            stop.wait(0.2)


def read_size(port: int) -> int | None:
    """Return the published checkpoint's size, or None if there is none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/checkpoint")
        found = _SIZE.match(connection.getresponse().read())
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return int(found[1]) if found else None


if __name__ == "__main__":
    main()
