"""A process that writes a real home until it is killed: ``python -m tests.store.home_under_kill``.

It reads one order a line, ``{"home", "life", "kill_at"}``, and forks a child for it; with ``"traced"`` the child tells
its process id and waits for one more line. The child opens the home, tells
what it holds, does the work of the life before once more and then its own, tells each acknowledgement, and kills
itself with SIGKILL at the so-many-th point: before and after each call of vault, log and outbox, at each statement
inside the vault, and at each step of the outbox. Lines end with ``ended``.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from ledger import bootstrap
from ledger.domain import events
from ledger.domain.errors import ConflictError
from ledger.domain.leaf import parse_leaf
from ledger.domain.scalars import ZERO32
from ledger.service.event_documents import documents_from
from ledger.settings import Settings
from tests.browser.sample_ledger import AUTHORITY, DATASET, LABOUR, POLICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.service.services import Services


class Points:
    """Counts points from any thread, and kills this process at the one that was ordered."""

    def __init__(self, kill_at: int) -> None:
        self._kill_at = kill_at
        self._lock = threading.Lock()
        self.names: list[str] = []

    def __call__(self, name: str) -> None:
        with self._lock:
            self.names.append(name)
            if len(self.names) == self._kill_at:
                _tell(event="killed", at=name)
                os.kill(os.getpid(), signal.SIGKILL)


class Pointed:
    """A store itself, with a point before and after each call of the methods that write."""

    def __init__(self, name: str, store: Any, methods: tuple[str, ...], point: Points) -> None:
        self._name, self._store, self._methods, self._point = name, store, methods, point

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._store, method)
        if method not in self._methods:
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._point(f"before {self._name}.{method}")
            answer = found(*arguments, **named)
            self._point(f"after {self._name}.{method}")
            return answer

        return call


def watch(services: Services, point: Points) -> None:
    """Put points around everything that makes something durable."""
    vault: Any = services.vault
    vault._connection.set_trace_callback(lambda statement: point(f"vault: {statement.split()[0]}"))
    outbox: Any = services.outbox
    outbox._crash_point = lambda step: point(f"outbox: {step}")
    services.vault = Pointed("vault", vault, ("put",), point)  # type: ignore[assignment]
    services.events = Pointed("events", services.events, ("append",), point)  # type: ignore[assignment]
    services.log = Pointed("log", services.log, ("append_encoded", "publish_checkpoint"), point)  # type: ignore[assignment]
    services.outbox = Pointed("outbox", outbox, ("send", "wait"), point)  # type: ignore[assignment]


def work(services: Services, life: int) -> Iterator[tuple[str, Any]]:
    """Do one life's work, and yield what was acknowledged; done again, it changes nothing."""
    lines = [
        json.dumps(
            {
                "kind": "DELIVERY", "side": "PROVIDER", "occurred_at_ms": 1_780_000_000_000 + life,
                "provider": POLICE, "requester": LABOUR, "dataset": DATASET, "purpose": "dpv:EstablishEntitlement",
                "delivery": "INTERFACE", "recipient": LABOUR, "outcome": "SUCCEEDED",
                "correlation": f"life-{life}-{number}",
            }
        ).encode()
        for number in range(2)
    ]  # fmt: skip
    done = services.dispatch("event.append-lines", {"lines": lines, "post": f"exchange@{POLICE}"})
    assert (done["appended"] + done["repeated"], done["rejected"]) == (2, [])
    yield "leaves", [(receipt["index"], receipt["leaf_hash"]) for receipt in done["receipts"]]
    agency = f"ods:KILL{life}"
    with contextlib.suppress(ConflictError):  # A life before may have had it mined, and died before it said so.
        services.dispatch("agency.add", {"agency": agency, "name_en": f"Agency of life {life}"})
    yield "agency", agency
    filing = {"respondent": LABOUR, "post": f"inspection@{AUTHORITY}", "violations": ["decree809:R2"]}
    yield "case", services.dispatch("case.file", {**filing, "reference": f"CASE-{life}", "text": "Facts."})["case"]


def held(services: Services) -> dict[str, Any]:
    """What a home that has just been opened holds, and what it refers to without having it."""
    log, state = services.log, services.state
    leaves = [parse_leaf(data) for data in log.leaves(0, log.size())]
    opened = {index: document.commitment.hex() for index, document in documents_from(services, 0, log.size())}
    commitments = []
    for history in state._histories.values():
        for recorded in history:
            match recorded.event:
                case events.AgencyAdmitted() | events.PostRegistered():
                    commitments.append(recorded.event.profile)
                case events.EntryPublished():
                    commitments.append(recorded.event.content)
                case events.AgreementProposed():
                    commitments.append(recorded.event.terms.text)
                case events.CaseAdvanced():
                    commitments.append(recorded.event.commitment)
                case _:
                    pass
    wanted = [commitment for commitment in commitments if commitment != ZERO32]
    found = services.vault.find_many(wanted)
    return {
        "leaves": [leaf.hash().hex() for leaf in leaves],
        "agencies": [services.directory.text(agency) for agency in state.ids("agency")],
        "cases": [case.hex() for case in state.ids("case")],
        "commitments": len(wanted) + len(leaves),
        "missing": [commitment.hex() for commitment in wanted if commitment not in found]
        + [leaf.commitment for index, leaf in enumerate(leaves) if opened.get(index) != leaf.commitment],
        "indexed": services.index.leaf_mark().leaves,  # type: ignore[attr-defined]
    }


def live(home: Path, life: int, kill_at: int) -> None:
    settings = Settings(
        home=home, passphrase_file=home.parent / "passphrase", keystore_scrypt_n=2, block_time_lead_max_s=3600
    )
    services = bootstrap.open_home(settings)
    _tell(event="opened", **held(services))
    point = Points(kill_at)
    watch(services, point)
    for one in range(max(0, life - 1), life + 1):
        for what, value in work(services, one):
            _tell(event="acknowledged", what=what, value=value)
    _tell(event="done", points=len(point.names))
    services.close()


def _tell(**message: Any) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            if order.get("traced"):
                ctypes.CDLL(None).prctl(0x59616D61, -1, 0, 0, 0)  # PR_SET_PTRACER, PR_SET_PTRACER_ANY
                _tell(event="pid", pid=os.getpid())
                sys.stdin.readline()
            live(Path(order["home"]), order["life"], order["kill_at"])
            os._exit(0)
        _, status = os.waitpid(child, 0)
        _tell(event="ended", killed=os.WIFSIGNALED(status), status=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
