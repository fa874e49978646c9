"""Killed with SIGKILL at each boundary between vault, leaf and transaction, a home loses nothing it acknowledged.

And it refers to nothing that it does not have: no leaf and no transaction is without its document in the vault.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ledger import bootstrap
from ledger.service.index_rows import FactFilter
from tests.browser import sample_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.settings import Settings

ROOT = Path(__file__).parents[2]
BOUNDARIES = {
    "before vault.put", "after vault.put", "vault: BEGIN", "vault: INSERT", "vault: COMMIT",
    "before events.append", "after events.append", "before log.append_encoded", "after log.append_encoded",
    "before outbox.send", "after outbox.send", "outbox: stored", "outbox: submitted",
    "before outbox.wait", "after outbox.wait", "outbox: settled",
}  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    sample = sample_ledger.make(tmp_path)
    made: Settings = sample.services.settings
    sample.services.close()
    return made


class Home:
    """What the outside was told of one home."""

    def __init__(self, settings: Settings, runner: subprocess.Popen[str]) -> None:
        self._path, self._runner = settings.home, runner
        self.leaves: dict[int, str] = {}
        self.agencies: set[str] = set()
        self.cases: set[str] = set()
        self.killed_at: Counter[str] = Counter()
        self.compared = 0

    def live(self, life: int, kill_at: int) -> bool:
        """Run one life; return whether it came to its end."""
        assert self._runner.stdin is not None
        order = {"home": str(self._path), "life": life, "kill_at": kill_at}
        self._runner.stdin.write(json.dumps(order) + "\n")
        self._runner.stdin.flush()
        done = False
        for message in self._messages():
            match message["event"]:
                case "opened":
                    self._check(message)
                case "acknowledged":
                    self._acknowledge(message["what"], message["value"])
                case "killed":
                    self.killed_at[message["at"]] += 1
                case "done":
                    done = True
                case _:
                    assert message["killed"] or message["status"] == 0, "the home could not be opened, or failed"
        return done

    def _messages(self) -> Iterator[dict[str, Any]]:
        assert self._runner.stdout is not None
        for line in self._runner.stdout:
            message: dict[str, Any] = json.loads(line)
            yield message
            if message["event"] == "ended":
                return
        pytest.fail("the runner ended")

    def _acknowledge(self, what: str, value: Any) -> None:
        match what:
            case "leaves":
                self.leaves |= dict(value)
            case "agency":
                self.agencies.add(value)
            case _:
                self.cases.add(value)

    def _check(self, held: dict[str, Any]) -> None:
        assert held["missing"] == [], "something refers to a document that the vault does not have"
        for index, leaf_hash in self.leaves.items():
            assert held["leaves"][index] == leaf_hash, "an acknowledged leaf was lost"
        assert self.agencies <= set(held["agencies"]), "an acknowledged transaction was lost"
        assert self.cases <= set(held["cases"]), "an acknowledged transaction was lost"
        assert len(set(held["agencies"])) == len(held["agencies"])
        assert held["indexed"] == len(held["leaves"])
        self.compared += held["commitments"]


@pytest.mark.slow
def test_kill_between_vault_leaf_and_transaction_loses_nothing(settings: Settings) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.home_under_kill"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as runner:  # fmt: skip
        home = Home(settings, runner)
        life = 0
        for life in range(60):
            # The life before is done again first, so later lives are killed further on.
            if home.live(life, life + 1):
                break
        assert home.live(life + 1, 0)
        assert runner.stdin is not None
        runner.stdin.close()
    services = bootstrap.open_home(settings)
    try:
        assert services.dispatch("fsck", {})["defects"] == []
        facts = [fact.correlation for fact in services.index.facts(FactFilter(), limit=1_000).rows]
    finally:
        services.close()
    counted = Counter(correlation for correlation in facts if correlation.startswith("life-"))
    assert set(counted.values()) == {1}, "a repeated batch was appended twice"
    print(f"\nkilled {home.killed_at.total()} times at {dict(home.killed_at)}; compared {home.compared} commitments")
    assert set(home.killed_at) >= BOUNDARIES
