"""Killed with SIGKILL at any statement or commit, the index is what it was after one of its steps, and goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from ledger.store.sql_index import SQLIndex
from ledger.store.tables import METADATA
from tests.store.index_under_kill import steps
from tests.store.synthetic import CONTRACTS

ROOT = Path(__file__).parents[2]


def content_of(index: SQLIndex) -> bytes:
    """A digest of every row of every table."""
    digest = hashlib.sha256()
    with index.database.read() as connection:
        for table in METADATA.sorted_tables:
            for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns)):
                digest.update(repr((table.name, tuple(row))).encode())
    return digest.digest()


@pytest.mark.slow
def test_kill_at_statements_leaves_a_whole_step(tmp_path: Path) -> None:
    empty = tmp_path / "empty.db"
    SQLIndex.open(empty, CONTRACTS).close()
    model = SQLIndex.open(tmp_path / "model.db", CONTRACTS)
    states = [content_of(model)]
    for step in steps():
        step(model)
        states.append(content_of(model))
    model.close()
    assert len(set(states)) == len(states)
    kills = 0
    with _runner() as run:
        for kill_at in range(1, 10_000, 3):
            path = tmp_path / f"index-{kill_at}.db"
            shutil.copy(empty, path)
            ended = _live(run, path, 0, kill_at)
            if not ended["killed"]:
                break
            kills += 1
            after = _state(path, states)
            assert after >= ended["acknowledged"], "an acknowledged step was lost"
            # It goes on from there, and is killed once more on the way if the rest is long enough.
            ended = _live(run, path, after, kill_at // 2 + 1)
            kills += ended["killed"]
            after = _state(path, states)
            if kill_at % 4 == 1:
                _live(run, path, after, 0)
                assert _state(path, states) == len(states) - 1
            for file in tmp_path.glob(f"index-{kill_at}.db*"):
                file.unlink()
    print(f"\nkilled {kills} times; compared {len(states)} states row by row")
    assert kills > 80


def _state(path: Path, states: list[bytes]) -> int:
    index = SQLIndex.open(path, CONTRACTS)
    found = content_of(index)
    index.close()
    assert found in states, "the index is between two steps"
    return states.index(found)


def _live(run: subprocess.Popen[str], path: Path, first: int, kill_at: int) -> dict[str, int]:
    assert run.stdin is not None
    assert run.stdout is not None
    run.stdin.write(json.dumps({"path": str(path), "from": first, "kill_at": kill_at}) + "\n")
    run.stdin.flush()
    line = run.stdout.readline()
    assert line, "the runner ended"
    ended: dict[str, int] = json.loads(line)
    return ended


def _runner() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.index_under_kill"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
