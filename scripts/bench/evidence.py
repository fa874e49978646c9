"""Measure evidence: the size of a file, the time to export it, and the time to verify it in process, imports excluded.

Run with ``python -m scripts.bench.evidence``. The files come from a real home with real contracts, made in a temporary
folder under ``build/``: two agencies, an agreement, its duty, and a log of 10,003 entries.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from ledger import bootstrap
from ledger.evidence import verify
from ledger.settings import Settings
from scripts.bench.quantiles import quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.service.services import Services

RUNS: Final = 200
BATCHES: Final = 10
_PROVIDER: Final = "xroad:SAMPLE/GOV/10000001"
_REQUESTER: Final = "xroad:SAMPLE/GOV/10000002"
_DATASET: Final = f"{_PROVIDER}#VEHICLES/vehicleByPlate"
_DRAFT: Final = {
    "format": "quanze-agreement-draft-v1",
    "reference": "BENCH-1",
    "title": "Vehicles by plate",
    "provider": _PROVIDER,
    "parties": [{"agency": _PROVIDER, "role": "PROVIDER"}, {"agency": _REQUESTER, "role": "REQUESTER"}],
    "zone": "Asia/Shanghai",
    "legal_bases": ["sample:road-traffic-act-14"],
    "grants": [
        {
            "dataset": _DATASET,
            "version": 1,
            "recipient": _REQUESTER,
            "purpose": "dpv:EnforceSecurity",
            "delivery": "INTERFACE",
            "starts": "2026-01-01",
            "ends": None,
        }
    ],
}


def main() -> None:
    """Print a table of files, their sizes and times."""
    build = Path("build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        settings = Settings(
            home=Path(folder) / "home",
            passphrase=SecretStr("bench"),
            keystore_scrypt_n=2,
            block_time_lead_max_s=3600,
        )
        bootstrap.init_home(settings)
        services = bootstrap.open_home(settings)
        try:
            Console().print(measured(services))
        finally:
            services.close()


def measured(services: Services) -> Table:
    """Fill the home and return the table."""

    def do(verb: str, **arguments: Any) -> Any:
        return services.dispatch(verb, arguments)

    agreement, assignment = fill(do)
    report(do, agreement, 3)
    do("anchor")
    for _ in range(BATCHES):
        report(do, agreement, 1_000)
        do("anchor")
    right = do("ask.right", agency=_REQUESTER, dataset=_DATASET)["id"]
    no_right = do("ask.right", agency=_PROVIDER, dataset=_DATASET)["id"]
    root = do("trust-root.export")["content"].encode()
    table = Table("file", "bytes", "blocks", "export p50", "verify p50", "p95", "of it CPU p50", title="Evidence")
    for name, kind, identifier, disclose in (
        ("event, entry 1 of 3", "event", "1", []),
        ("event, entry 10,002 of 10,003", "event", "10002", []),
        ("event, exchange alone disclosed", "event", "1", ["exchange"]),
        ("agreement (a signer's receipt)", "agreement", agreement, []),
        ("responsibility", "responsibility", assignment, []),
        ("answer: a right", "answer", right, []),
        ("answer: no right", "answer", no_right, []),
    ):
        exports = [timed(lambda: do("evidence.export", kind=kind, id=identifier, disclose=disclose)) for _ in range(10)]  # noqa: B023 - called at once
        made = exports[-1][0]
        content = made["content"].encode()
        times, used = verifications(content, root)
        if not verify(content, root).holds:
            raise RuntimeError(f"the evidence of {name} does not hold")
        table.add_row(
            name,
            f"{len(content):,}",
            str(made["blocks"]),
            f"{statistics.median(took for _, took in exports) * 1e3:.1f} ms",
            f"{statistics.median(times) * 1e3:.2f} ms",
            f"{quantile(times, 0.95) * 1e3:.2f} ms",
            f"{statistics.median(used) * 1e3:.2f} ms",
        )
    return table


def verifications(content: bytes, root: bytes) -> tuple[list[float], list[float]]:
    """Return the seconds that verifications took, and the processor's seconds of each."""
    times: list[float] = []
    used: list[float] = []
    for _ in range(RUNS):
        before = time.thread_time()
        times.append(timed(lambda: verify(content, root))[1])
        used.append(time.thread_time() - before)
    return times, used


def fill(do: Callable[..., Any]) -> tuple[str, str]:
    """Make agencies, posts, an agreement in force and its duty; return the agreement's and the assignment's id."""
    for agency in (_PROVIDER, _REQUESTER):
        do("agency.add", agency=agency, name_en=agency.rpartition("/")[2])
        for code, roles in (
            ("office-head", ["PROVIDER_OFFICE_HEAD", "REQUESTER_OFFICE_HEAD"]),
            ("dept-head", ["DEPT_HEAD"]),
            ("gateway", ["REPORTER"]),
        ):
            key = f"{code}-{agency[-1]}"
            do("key.new", name=key)
            do("post.add", post=f"{code}@{agency}", roles=roles, name_en=code, key=key)
    do("catalogue.add", dataset=_DATASET, post=f"dept-head@{_PROVIDER}", name_en="Vehicles")
    agreement: str = do("agreement.draft", text=json.dumps(_DRAFT), post=f"office-head@{_PROVIDER}")["agreement"]
    for agency in (_PROVIDER, _REQUESTER):
        do("agreement.sign", agreement=agreement, post=f"office-head@{agency}")
    head = f"office-head@{_PROVIDER}"
    made: str = do("responsibility.assign", duty="DELIVER", object=agreement, assignee=head, post=head)["assignment"]
    do("responsibility.accept", assignment=made)
    return agreement, made


def report(do: Callable[..., Any], agreement: str, count: int) -> None:
    """Append deliveries under the agreement."""
    now = time.time_ns() // 1_000_000
    lines = [
        json.dumps(
            {
                "kind": "DELIVERY",
                "side": "PROVIDER",
                "occurred_at_ms": now,
                "provider": _PROVIDER,
                "requester": _REQUESTER,
                "agreement": agreement,
                "dataset": _DATASET,
                "purpose": "dpv:EnforceSecurity",
                "delivery": "INTERFACE",
                "outcome": "SUCCEEDED",
                "correlation": f"{now}-{number}",
            }
        ).encode()
        for number in range(count)
    ]
    do("event.append-lines", lines=lines, post=f"gateway@{_PROVIDER}")


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call gives and the seconds it took."""
    began = time.perf_counter()
    found = call()
    return found, time.perf_counter() - began


if __name__ == "__main__":
    main()
