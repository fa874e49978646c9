"""Measure the export of evidence out of ledgers of several sizes: one event's file, and one file of 1,000 events.

    python -m scripts.bench.evidence_at_size                                # ledgers of 10^5 and 10^6 events
    python -m scripts.bench.evidence_at_size --events 100000 10000000       # 16 GB and an hour, mostly of ingest
    python -m scripts.bench.evidence_at_size --processor                    # the thread's own time
    python -m scripts.bench.evidence_at_size --keep FOLDER                  # make the homes there, or use those there

Each ledger is a home made by real ingest: signed batches of 1,000 events over HTTP to ``quanze up``, bound, durable,
published and anchored by its own cadence. Then it is stopped and opened, and files of random events are exported as
``quanze evidence export`` and ``GET /v1/evidence`` do it: read, proved, and verified before they leave. The ledgers
take turns in each run. ``beside the log``, the same file is exported again of the event just exported, so that what
came from the log, its tiles and its batch is at hand: what that leaves is what the chain's part costs.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from ledger import bootstrap
from ledger.settings import Settings
from scripts.bench.ingest_clients import run_clients
from scripts.bench.ingest_ledger import PASSPHRASE, Server, prepare
from scripts.bench.quantiles import quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.service.services import Services

    Clock = Callable[[], float]
    Times = dict[str, list[float]]

CLIENTS: Final = 2
BATCH: Final = 1_000
FILES: Final = 200
MANY: Final = 1_000
TARGET_MS: Final = 5.0
ONE: Final = "one event"
AGAIN: Final = "one event, beside the log"
NAMED: Final = "one event, named by its id"
ALONE: Final = "one event, exchange alone disclosed"
KINDS: Final = (ONE, AGAIN, NAMED, ALONE)
_INDEX_S: Final = 7_200.0


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--processor", action="store_true", help="measure the thread's processor time")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the homes are made, and stay")
    options = parser.parse_args()
    clock: Clock = time.thread_time if options.processor else time.perf_counter
    what = "processor time" if options.processor else "time"
    console = Console(width=140)
    with contextlib.ExitStack() as held:
        Path("build").mkdir(exist_ok=True)
        folder = options.keep or Path(held.enter_context(tempfile.TemporaryDirectory(dir="build")))
        opened: list[Services] = []
        for events in options.events:
            home = folder.resolve() / str(events) / "home"
            if not home.exists():
                console.print(f"{events:,} events are taken in")
                make_home(home, events)
            began = time.perf_counter()
            services = bootstrap.open_home(settings_of(home))
            held.callback(services.close)
            opened.append(services)
            console.print(f"the home of {services.log.size():,} events opened in {time.perf_counter() - began:.2f} s")
        singles = [[exported(services, run, clock) for services in opened] for run in range(options.runs)]
        console.print(table_of(singles, [services.log.size() for services in opened], what))
        many = [[exported_together(services, run, clock) for services in opened] for run in range(options.runs)]
        for place, services in enumerate(opened):
            console.print(together([run[place] for run in many], services.log.size(), what))


def make_home(home: Path, events: int) -> None:
    """Take in events over HTTP until the ledger holds so many, and have them indexed and anchored."""
    home.parent.mkdir(parents=True, exist_ok=True)
    streams = prepare(home, CLIENTS)
    with contextlib.closing(Server(home, home.parent / "up.log")) as server:
        run_clients(server.host, server.port, streams, batch=BATCH, batches=events // CLIENTS // BATCH, ahead=False)
        server.settle(_INDEX_S)
    services = bootstrap.open_home(settings_of(home))
    try:
        services.dispatch("anchor", {})
    finally:
        services.close()


def settings_of(home: Path) -> Settings:
    """Return the settings of a home that was made here."""
    return Settings(home=home, passphrase=SecretStr(PASSPHRASE), keystore_scrypt_n=2, block_time_lead_max_s=3600)


def exported(services: Services, run: int, clock: Clock) -> Times:
    """Return the sorted milliseconds of each kind of export in one run."""
    chosen = random.Random(run)  # noqa: S311 - no secret.
    size = services.log.size()
    times: Times = {kind: [] for kind in KINDS}
    for _ in range(FILES):
        index = str(chosen.randrange(size))
        times[ONE].append(one_file(services, index, (), clock)[1])
        times[AGAIN].append(one_file(services, index, (), clock)[1])
        named = f"0-{chosen.randrange(size // CLIENTS):08d}"
        times[NAMED].append(one_file(services, named, (), clock)[1])
        times[ALONE].append(one_file(services, str(chosen.randrange(size)), ("exchange",), clock)[1])
    return times


def exported_together(services: Services, run: int, clock: Clock) -> tuple[int, float, int, float]:
    """Return bytes and milliseconds of one file of 1,000 events, and of a file for each of them."""
    first = random.Random(run).randrange(services.log.size() - MANY)  # noqa: S311 - no secret.
    entries = f"{first}..{first + MANY - 1}"
    made, took = timed(services, "evidence.events", {"entries": entries}, clock)
    each = [one_file(services, str(index), (), clock) for index in range(first, first + MANY)]
    return made["bytes"], took, sum(one["bytes"] for one, _ in each), sum(one for _, one in each)


def table_of(runs: Sequence[Sequence[Times]], sizes: Sequence[int], what: str) -> Table:
    """Return a row for each kind, with the ratio of the last size's 95th percentile to the first's."""
    title = f"Evidence of one event: milliseconds of {what}, {FILES} files, medians of {len(runs)} runs"
    table = Table("file", *(f"{size:,} p50 / p95" for size in sizes), "p95 ratio", title=title)
    for kind in KINDS:
        cells = []
        for place in range(len(sizes)):
            p50, p95 = (statistics.median(quantile(run[place][kind], share) for run in runs) for share in (0.5, 0.95))
            cells.append(f"{p50:.2f} / {p95:.2f}")
        ratio = statistics.median(quantile(run[-1][kind], 0.95) / quantile(run[0][kind], 0.95) for run in runs)
        table.add_row(kind, *cells, f"{ratio:.2f}")
    table.caption = f"the target is a p95 of {TARGET_MS:.0f} ms, and not twice that at the last size"
    return table


def together(runs: Sequence[tuple[int, float, int, float]], size: int, what: str) -> str:
    """Return what one file of many events costs beside a file for each of them, medians of the runs."""
    some, took, every, each = (statistics.median(run[part] for run in runs) for part in range(4))
    return (
        f"{size:,} events in the log, {MANY:,} of them in one file: {some / 1e3:,.0f} kB in {took:,.0f} ms of {what};"
        f" in a file for each: {every / 1e3:,.0f} kB in {each:,.0f} ms, {every / some:.1f} and {each / took:.1f} times"
    )


def one_file(services: Services, event: str, disclose: Sequence[str], clock: Clock) -> tuple[Any, float]:
    """Return the evidence of one event, and the milliseconds that it took."""
    return timed(services, "evidence.export", {"kind": "event", "id": event, "disclose": list(disclose)}, clock)


def timed(services: Services, verb: str, arguments: dict[str, object], clock: Clock) -> tuple[Any, float]:
    """Return what a verb gives and the milliseconds that it took."""
    began = clock()
    made = services.dispatch(verb, arguments)
    return made, (clock() - began) * 1e3


if __name__ == "__main__":
    main()
