"""The running service beside a witness that begins to say that it knows a later log: refused, and told loudly."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from ledger.log.cosignature import Cosigner
from ledger.log.witness import SIZE_TYPE
from tests.cli.command import DATASET, PROVIDER, QUANZE, REQUESTER, Command, make_world, sign_agreement
from tests.witnessing.running import Answer, told_witness

if TYPE_CHECKING:
    from pathlib import Path

REPORTER = f"reporter@{REQUESTER}"
WITNESS = Cosigner.from_seed("witness.example/w1", bytes([5]) * 32, lambda: 0)


def _line(number: int) -> bytes:
    event = {"kind": "ACCESS", "side": "CONSUMER", "provider": PROVIDER, "requester": REQUESTER, "dataset": DATASET}
    return json.dumps({
        **event, "occurred_at_ms": 1_757_894_400_000 + number, "agreement": "UP", "correlation": f"c-{number}"
    }).encode()  # fmt: skip


def _readiness(address: str) -> int:
    try:
        with urllib.request.urlopen(f"{address}ready", timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_running_service_refuses_events_and_says_what_to_do(quanze: Command, tmp_path: Path) -> None:
    with quanze.up():
        make_world(quanze)
        sign_agreement(quanze, "UP")
    answers: list[Answer] = [(500, "text/plain", b"")]
    policy = tmp_path / "policy"
    with told_witness(lambda _body: answers[-1]) as address:
        policy.write_text(f"witness w1 {WITNESS.vkey} {address}\nquorum w1\n")
        home = Command(quanze.home, {**quanze.settings, "QUANZE_WITNESSES": str(policy)})
        append = ("event", "append", "-", "--as", REPORTER, "--no-anchor", "--json")
        process = subprocess.Popen(
            [QUANZE, "up", "--port", "0"], env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stderr is not None
        with process.stdout, process.stderr:
            try:
                up = json.loads(process.stdout.readline())
                accepted = home(*append, stdin=_line(1))
                assert accepted.code == 0, accepted
                assert _readiness(up["address"]) == 200, "a witness that is down stops nothing"
                answers.append((409, SIZE_TYPE, b"1000\n"))
                while home.done("status")["witnesses"]["takes_events"]:
                    assert process.poll() is None
                refused = home(*append, stdin=_line(2))
                assert (refused.code, refused.error["code"]) == (5, "witnesses_contradict"), refused
                assert _readiness(up["address"]) == 503
                shown = home("status").out
                assert shown.startswith("ALARM: No events are taken in: witnesses contradict this log (w1 AHEAD")
                assert "Stop the service and keep everything" in shown
            finally:
                process.send_signal(signal.SIGINT)
                told = process.stderr.read().decode()
                assert process.wait(30) == 0, told
        assert "witness_contradicts" in told
        assert "events_refused" in told
        assert "Stop the service and keep everything" in told
