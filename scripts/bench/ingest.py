"""Measure durable ingest over HTTP: signed batches of events, bound and on disk when they are answered.

Run with ``python -m scripts.bench.ingest`` (``--clients 8 --batch 256 --batches 20``). A home is made in a temporary
folder under ``build/`` with an agreement in force and a reporter for each client, ``quanze up`` serves it as a process
of its own, and the clients send from this one, each its own stream over one connection. All batches are signed before
the clock starts. Events are 400 to 500 bytes as JSON; each is in the scope of the agreement.
"""

from __future__ import annotations

import argparse
import http.client
import json
import logging
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from rich.console import Console
from rich.table import Table

from ledger import bootstrap
from ledger.domain import canonical
from ledger.domain.event_v1 import complete_event, to_object
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.service.event_batches import place_events, sign_batch
from ledger.settings import Settings

if TYPE_CHECKING:
    from ledger.service.event_batches import SignedBatch
    from ledger.service.services import Services

PROVIDER, REQUESTER = "xroad:BENCH/GOV/10000001", "xroad:BENCH/GOV/10000002"
DATASET = f"{PROVIDER}#VEHICLES/vehicleByPlate"
PURPOSE = "dpv:EnforceSecurity"
PASSPHRASE = "for-the-bench-only"  # noqa: S105 - of a home that lives as long as the measurement.


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--batch", type=int, default=256, help="events a request")
    parser.add_argument("--batches", type=int, default=20, help="requests a client")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    build = Path("build")
    build.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-ingest-", dir=build))
    try:
        home = folder / "home"
        bodies = prepare(home, options.clients, options.batch, options.batches)
        show(options.clients, options.batch, *run(home, bodies))
    finally:
        shutil.rmtree(folder)


def prepare(home: Path, clients: int, batch: int, batches: int) -> list[list[bytes]]:
    """Make the home, and return each client's requests in their order."""
    settings = Settings.model_validate(
        {"home": home, "passphrase": PASSPHRASE, "keystore_scrypt_n": 2, "block_time_lead_max_s": 3600}
    )
    bootstrap.init_home(settings)
    services = bootstrap.open_home(settings)
    try:
        agreement = _fill(services, clients)
        return [_bodies(services, client, agreement, batch, batches) for client in range(clients)]
    finally:
        services.close()


def run(home: Path, bodies: list[list[bytes]]) -> tuple[float, list[float]]:
    """Serve the home, send everything, and return the time and each request's time, in seconds."""
    passphrase = home.with_name("passphrase")
    passphrase.write_text(PASSPHRASE, encoding="ascii")
    environment = {
        **os.environ,
        "QUANZE_PASSPHRASE_FILE": str(passphrase),
        "QUANZE_PORT": "0",
        "QUANZE_HOME": str(home),
    }
    command = [str(Path(sys.executable).with_name("quanze")), "--json", "up"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        try:
            address = urlsplit(json.loads(server.stdout.readline())["address"])
            with ThreadPoolExecutor(len(bodies)) as pool:
                started = time.perf_counter()
                times = list(pool.map(lambda some: _send(str(address.hostname), address.port or 0, some), bodies))
                return time.perf_counter() - started, [one for some in times for one in some]
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)


def show(clients: int, batch: int, seconds: float, times: list[float]) -> None:
    """Print what was measured."""
    table = Table(title="Durable ingest over HTTP, signed and bound")
    for column in ("clients", "events a batch", "events", "seconds", "events/s", "p50 ms", "p95 ms"):
        table.add_column(column, justify="right")
    events = batch * len(times)
    cuts = statistics.quantiles(times, n=20) if len(times) > 1 else [times[0]] * 19
    table.add_row(
        str(clients),
        str(batch),
        f"{events:,}",
        f"{seconds:.2f}",
        f"{events / seconds:,.0f}",
        f"{1000 * cuts[9]:.0f}",
        f"{1000 * cuts[18]:.0f}",
    )
    Console().print(table)


def _fill(services: Services, clients: int) -> str:
    def do(verb: str, **arguments: object) -> Any:
        return services.dispatch(verb, arguments)

    for agency in (PROVIDER, REQUESTER):
        do("agency.add", agency=agency, name_en=agency)
    posts = {
        "dept": (f"dept-head@{PROVIDER}", ["DEPT_HEAD"]),
        "head-p": (f"office-head@{PROVIDER}", ["PROVIDER_OFFICE_HEAD"]),
        "head-r": (f"office-head@{REQUESTER}", ["REQUESTER_OFFICE_HEAD"]),
        **{f"reporter-{client}": (_reporter(client), ["REPORTER"]) for client in range(clients)},
    }
    for key, (post, roles) in posts.items():
        do("key.new", name=key)
        do("post.add", post=post, roles=roles, name_en=key, key=key)
    do("catalogue.add", dataset=DATASET, post=posts["dept"][0], name_en="Vehicles")
    grant = {
        "dataset": DATASET,
        "version": 1,
        "recipient": REQUESTER,
        "purpose": PURPOSE,
        "delivery": "INTERFACE",
        "starts": "2020-01-01",
        "ends": None,
    }
    draft = {
        "format": "quanze-agreement-draft-v1",
        "reference": "BENCH-1",
        "provider": PROVIDER,
        "parties": [{"agency": PROVIDER, "role": "PROVIDER"}, {"agency": REQUESTER, "role": "REQUESTER"}],
        "grants": [grant],
    }
    agreement: str = do("agreement.draft", text=json.dumps(draft), post=posts["head-p"][0])["agreement"]
    for key in ("head-p", "head-r"):
        do("agreement.sign", agreement=agreement, post=posts[key][0])
    given = do(
        "responsibility.assign", duty="DELIVER", object=agreement, assignee=posts["dept"][0], post=posts["head-p"][0]
    )
    do("responsibility.accept", assignment=given["assignment"])
    return agreement


def _reporter(client: int) -> str:
    return f"gateway-{client}@{PROVIDER}"


def _bodies(services: Services, client: int, agreement: str, batch: int, batches: int) -> list[bytes]:
    reporter, signer = _reporter(client), services.keyring.signer(f"reporter-{client}")
    now_ms = time.time_ns() // 1_000_000
    events = [
        complete_event(
            {
                "id": f"exchange-{client}-{number}",
                "kind": "DELIVERY",
                "side": "PROVIDER",
                "occurred_at_ms": now_ms,
                "provider": PROVIDER,
                "requester": REQUESTER,
                "agreement": agreement,
                "version": 1,
                "grant": 0,
                "dataset": DATASET,
                "purpose": PURPOSE,
                "delivery": "INTERFACE",
                "recipient": REQUESTER,
                "outcome": "SUCCEEDED",
                "size": 2003,
                "correlation": f"91f47d62-6eb5-4391-{client:04d}-{number:012d}",
                "source": {"serviceType": "REST"},
            },
            reporter=reporter,
        )
        for number in range(batch * batches)
    ]
    placed = place_events(events, next_seq=0, prev_hash=bytes(32))
    deadline = int(time.time()) + EVENT_DEADLINE_MAX_S // 2
    return [
        _body(sign_batch(services.deployment, signer, placed[first : first + batch], deadline=deadline))
        for first in range(0, len(placed), batch)
    ]


def _body(batch: SignedBatch) -> bytes:
    return canonical.encode(
        {
            "reporter": batch.reporter,
            "agreement": batch.agreement,
            "events": [to_object(event) for event in batch.events],
            "nonce": str(batch.nonce),
            "deadline": batch.deadline,
            "signer": "0x" + batch.signer.hex(),
            "signature": "0x" + batch.signature.hex(),
        }
    )


def _send(host: str, port: int, bodies: list[bytes]) -> list[float]:
    connection = http.client.HTTPConnection(host, port, timeout=120)
    times: list[float] = []
    for body in bodies:
        started = time.perf_counter()
        connection.request("POST", "/v1/events", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        times.append(time.perf_counter() - started)
        if answer.status != 201:
            raise SystemExit(f"{answer.status}: {content[:500]!r}")
    connection.close()
    return times


if __name__ == "__main__":
    main()
