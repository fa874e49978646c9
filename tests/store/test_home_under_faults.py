"""A fault at a call that the whole path of a write makes: receipts hold, and a retry gets the same ones, once.

The process that is faulted opens the home, does the work of the life before once more, and its own: signed batches of
events, agencies and cases, through vault, events' files, log, outbox and chain.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.service.index_rows import FactFilter
from scripts.crash.tracing import CHANGING, Trace
from tests.browser import sample_ledger
from tests.store.test_vault_kills import Home

if TYPE_CHECKING:
    from scripts.crash.tracing import Call

ROOT = Path(__file__).parents[2]
TRIES = int(os.environ.get("QUANZE_HOME_FAULTS", "6"))
"""More for a long run; each opens a home, under strace."""

SEED = 3
FAULTS = ("signal=SIGKILL", "error=EIO", "error=ENOSPC")


class TracedHome(Home):
    """A home whose process is traced, and what became of the call that was chosen."""

    def live_traced(self, life: int, trace_file: Path, faults: list[str]) -> list[Call]:
        assert self._runner.stdin is not None
        order = {"home": str(self._path), "life": life, "kill_at": 0, "traced": True}
        self._runner.stdin.write(json.dumps(order) + "\n")
        self._runner.stdin.flush()
        messages = self._messages()
        with Trace(next(messages)["pid"], trace_file, faults, threads=()) as trace:
            self._runner.stdin.write("\n")
            self._runner.stdin.flush()
            for message in messages:
                if message["event"] == "opened":
                    self._check(message)
                elif message["event"] == "acknowledged":
                    self._acknowledge(message["what"], message["value"])
            return trace.calls()


@pytest.mark.slow
def test_receipts_hold_after_a_fault_at_any_call(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("NOT RUN: strace is not here, so no fault was put into a call of the ledger's process")
    sample = sample_ledger.make(tmp_path)
    settings = sample.services.settings
    sample.services.close()
    chance, tried = random.Random(SEED), Counter[str]()
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.home_under_kill"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as runner:  # fmt: skip
        home = TracedHome(settings, runner)
        calls = [
            call
            for call in home.live_traced(0, tmp_path / "trace", [])
            if call.name in CHANGING and str(settings.home) in " ".join(call.paths())
        ]
        assert {call.name for call in calls} >= {"write", "pwrite64", "fdatasync"}
        for life in range(1, TRIES + 1):
            call, fault = chance.choice(calls), FAULTS[life % len(FAULTS)]
            home.live_traced(life, tmp_path / "trace", [f"{call.name}:{fault}:when={call.number}"])
            tried[f"{fault} at {call.name}"] += 1
        assert home.live(TRIES + 1, 0), "the last life, without a fault, came to its end"
        assert runner.stdin is not None
        runner.stdin.close()
    services = bootstrap.open_home(settings)
    try:
        assert services.dispatch("fsck", {})["defects"] == []
        services.indexing.catch_up()
        facts = [fact.correlation for fact in services.index.facts(FactFilter(), limit=1_000).rows]
    finally:
        services.close()
    counted = Counter(correlation for correlation in facts if correlation.startswith("life-"))
    assert set(counted.values()) == {1}, "a repeated batch was appended twice"
    assert len(home.leaves) > 0
    print(
        f"\n{tried.total()} faults {dict(tried)}; {home.compared} commitments and {len(home.leaves)} receipts compared"
    )
