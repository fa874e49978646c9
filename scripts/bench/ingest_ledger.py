"""The ledger that ingest is measured on: a home with an agreement in force, and ``quanze up`` serving it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ledger import bootstrap
from ledger.settings import Settings
from scripts.bench.signed_batches import DATASET, PROVIDER, PURPOSE, REQUESTER, Stream, reporter_of

if TYPE_CHECKING:
    from ledger.service.services import Services

PASSPHRASE: Final = "for-the-bench-only"  # noqa: S105 - of a home that lives as long as the measurement.
_STOP_S: Final = 60.0
_PARTS: Final = {b"ledger.workers.reading": "reader", b"ledger.workers.facts": "index", b"anvil": "chain's node"}
"""The processes of a server beside the ledger's own, by what their commands hold."""


def prepare(home: Path, clients: int) -> list[Stream]:
    """Make the home, and return a stream for each client."""
    settings = Settings.model_validate(
        {"home": home, "passphrase": PASSPHRASE, "keystore_scrypt_n": 2, "block_time_lead_max_s": 3600}
    )
    bootstrap.init_home(settings)
    services = bootstrap.open_home(settings)
    try:
        agreement = _fill(services, clients)
        return [
            Stream(client, agreement, services.deployment, services.keyring.signer(f"reporter-{client}"))
            for client in range(clients)
        ]
    finally:
        services.close()


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of all processes of a server, in MB.

    ``now_mb`` counts a page that processes share once; ``peak_mb`` adds each one's highest, shared pages in each.
    """

    now_mb: float
    peak_mb: float


class Server:
    """``quanze up`` as a process group of its own."""

    def __init__(self, home: Path, log: Path) -> None:
        passphrase = home.with_name("passphrase")
        passphrase.write_text(PASSPHRASE, encoding="ascii")
        environment = {
            **os.environ,
            "QUANZE_PASSPHRASE_FILE": str(passphrase),
            "QUANZE_PORT": "0",
            "QUANZE_HOME": str(home),
        }
        command = [str(Path(sys.executable).with_name("quanze")), "--json", "up"]
        self._errors = log.open("ab")
        self._process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            self.close()
            raise SystemExit(f"quanze up did not start:\n{log.read_text(encoding='utf-8')[-3000:]}")
        address = urlsplit(json.loads(said)["address"])
        self.host, self.port = str(address.hostname), address.port or 0

    def kill(self) -> None:
        """Kill every process of it at once, as a power cut would."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.close()

    def close(self) -> None:
        """Stop it, if it runs, and wait until it is gone."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def pause(self, *, is_paused: bool) -> None:
        """Stop or continue all its processes, so that a peer has the machine to itself."""
        os.killpg(self._process.pid, signal.SIGSTOP if is_paused else signal.SIGCONT)

    def memory(self) -> Memory:
        """Return the memory of its processes."""
        return memory_of_group(self._process.pid)

    def processor_s(self) -> dict[str, float]:
        """Return the processor time that its parts took so far, in seconds."""
        return processor_of_group(self._process.pid)

    def get(self, path: str) -> tuple[int, Any]:
        """Ask for a JSON document; return the status and the document."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def settle(self, timeout_s: float = 300.0) -> None:
        """Wait until the index has taken everything, so that one run leaves nothing to the next."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            status, told = self.get("/v1/status")
            if status == 200 and sum(told["verdicts"].values()) >= told["log_size"]:
                return
            time.sleep(0.2)
        raise SystemExit(f"the index is still behind the log after {timeout_s:.0f} s")


def memory_of_group(group: int) -> Memory:
    """Return the memory of a process group."""
    now = peak = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        with contextlib.suppress(OSError, ValueError):
            fields = (entry / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
            if int(fields[2]) != group:
                continue
            status = dict(
                line.split(":", 1)
                for line in (entry / "status").read_text(encoding="utf-8").splitlines()
                if ":" in line
            )
            rollup = (entry / "smaps_rollup").read_text(encoding="utf-8")
            now += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            peak += int(status["VmHWM"].split()[0])
    return Memory(now / 1024, peak / 1024)


def processor_of_group(group: int) -> dict[str, float]:
    """Return the seconds of processor time that each part of a server took: the system's share for it included."""
    ticks = os.sysconf("SC_CLK_TCK")
    taken: defaultdict[str, float] = defaultdict(float)
    for thread in Path("/proc").glob("[0-9]*/task/[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (thread / "stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
            if int(fields[2]) == group:
                command = (thread / "cmdline").read_bytes()
                part = next((name for mark, name in _PARTS.items() if mark in command), "")
                part = part or ("event loop" if thread.name == thread.parts[2] else "ledger's threads")
                taken[part] += (int(fields[11]) + int(fields[12])) / ticks
    return taken


def _fill(services: Services, clients: int) -> str:
    def do(verb: str, **arguments: object) -> Any:
        return services.dispatch(verb, arguments)

    for agency in (PROVIDER, REQUESTER):
        do("agency.add", agency=agency, name_en=agency)
    posts = {
        "dept": (f"dept-head@{PROVIDER}", ["DEPT_HEAD"]),
        "head-p": (f"office-head@{PROVIDER}", ["PROVIDER_OFFICE_HEAD"]),
        "head-r": (f"office-head@{REQUESTER}", ["REQUESTER_OFFICE_HEAD"]),
        **{f"reporter-{client}": (reporter_of(client), ["REPORTER"]) for client in range(clients)},
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
