"""Killing the engine or its node with SIGKILL, at each step's boundary and at random instants, loses nothing.

What was acknowledged is in exactly one block at the end; a block once seen keeps its hash; the whole journal replays.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ledger.chain.engine.sealer import CRASH_POINTS
from tests.chain.accounts import Sender
from tests.chain.engine_under_kill import CHAIN_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
LIFE_S = 60.0
TRANSACTIONS_A_LIFE = 7


class Lives:
    """The process that forks engines, and the stream of what they tell."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chain.engine_under_kill"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        self._buffer = b""

    def order(self, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")

    def event(self, timeout_s: float = LIFE_S) -> dict[str, Any] | None:
        """Return the next event, or None when none came in time."""
        assert self._process.stdout is not None
        deadline = time.monotonic() + timeout_s
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self._process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                return None
            read = os.read(self._process.stdout.fileno(), 1 << 20)
            assert read, "the engines' parent ended"
            self._buffer += read
        line, self._buffer = self._buffer.split(b"\n", 1)
        event: dict[str, Any] = json.loads(line)
        return event

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.kill()
        self._process.wait()


class Model:
    """What the outside knows of one chain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.senders = [Sender(CHAIN_ID, seed) for seed in (1, 2, 3)]
        self.unacked: list[bytes] = []
        self.acked: set[str] = set()
        self.blocks: dict[int, str] = {}
        self.receipts: dict[str, list[Any]] = {}

    def next_transactions(self, chance: random.Random) -> list[bytes]:
        fresh = [chance.choice(self.senders).next() for _ in range(TRANSACTIONS_A_LIFE)]
        return [*self.unacked, *fresh]

    def take(self, event: dict[str, Any]) -> None:
        match event:
            case {"event": "ready", "blocks": blocks}:
                seen = {int(number): str(block_hash) for number, block_hash in blocks}
                assert self.blocks.items() <= seen.items(), "a block is missing or has another hash"
                self.blocks = seen
            case {"event": "acked", "transaction": tx_hash}:
                self.acked.add(tx_hash)
            case {"event": "receipts", "found": found}:
                for tx_hash, receipt in found.items():
                    assert self.receipts.setdefault(tx_hash, receipt) == receipt, "a receipt changed"
            case {"event": "failed"}:
                pytest.fail(f"the engine refused to serve: {event}")
            case _:
                pass

    def live(self, lives: Lives, transactions: list[bytes], **order: Any) -> Iterator[dict[str, Any]]:
        """Run one life to its end, keeping the model; yield each event."""
        hashes = {raw: _hash(raw) for raw in transactions}
        defaults = {"crash_at": None, "hit": 1, "wait_for": [hashes[raw] for raw in transactions], "check": False}
        lives.order(folder=str(self.folder), transactions=[raw.hex() for raw in transactions], **(defaults | order))
        while True:
            event = lives.event()
            assert event is not None, "the engine hangs"
            self.take(event)
            yield event
            if event["event"] == "ended":
                break
        self.unacked = [raw for raw in transactions if hashes[raw] not in self.acked]


def _hash(raw: bytes) -> str:
    from eth_hash.auto import keccak

    return keccak(raw).hex()


def _wait_gone(pid: int) -> None:
    """Wait until a process that is not ours to reap is gone or only a remnant."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([descriptor], [], [], 10.0)
        assert ended, f"process {pid} outlived its parent"
    finally:
        os.close(descriptor)


@pytest.fixture
def lives() -> Iterator[Lives]:
    lives = Lives()
    yield lives
    lives.close()


def _finish(model: Model, lives: Lives) -> int:
    """Let the chain come to rest, and compare all that was ever acknowledged; return how many were."""
    events = list(
        model.live(
            lives, model.unacked, wait_for=sorted(model.acked | {_hash(raw) for raw in model.unacked}), check=True
        )
    )
    assert "done" in {event["event"] for event in events}
    assert model.acked <= model.receipts.keys(), "an acknowledged transaction is in no block"
    places = [(receipt[0], receipt[2]) for receipt in model.receipts.values()]
    assert len(set(places)) == len(places), "two transactions have one place"
    for number, block_hash, _, status in model.receipts.values():
        assert status == 1
        assert model.blocks.get(number, block_hash) == block_hash
    (replayed,) = [event["last"] for event in events if event["event"] == "replayed"]
    assert replayed == max(receipt[0] for receipt in model.receipts.values())
    return len(model.acked)


def test_kill_at_every_step_loses_nothing_acknowledged(
    tmp_path: Path, lives: Lives, figure: Callable[[str], None]
) -> None:
    """Each crash point, at its first to third occurrence in a life; "refused" has a test of its own."""
    chance = random.Random(20)
    points = [point for point in CRASH_POINTS if point not in {"refused", "genesis journalled"}]
    kills, compared = 0, 0
    died_at: set[str] = set()
    for chain in range(9):
        model = Model(tmp_path / f"chain-{chain}")
        chance.shuffle(points)
        for place, point in enumerate(["genesis journalled", *points]):
            node, finished = None, False
            hit = 1 if place == 0 else 1 + chain % 3
            for event in model.live(lives, model.next_transactions(chance), crash_at=point, hit=hit):
                node = event.get("node", node)
                finished = finished or event["event"] == "done"
            if not finished:
                kills += 1
                died_at.add(point)
                if node is not None:
                    _wait_gone(node)
        compared += _finish(model, lives)
    figure(f"killed the engine {kills} times at {len(died_at)} step boundaries; compared {compared} transactions")
    assert died_at == {*points, "genesis journalled"}
    assert kills >= 80


def test_kill_at_random_instants_loses_nothing_acknowledged(
    tmp_path: Path, lives: Lives, figure: Callable[[str], None]
) -> None:
    """Lives of a random length, cut off from outside: half of the time the engine is killed, half its node."""
    chance = random.Random(21)
    engine_kills, node_kills, compared = 0, 0, 0
    for chain in range(6):
        model = Model(tmp_path / f"chain-{chain}")
        for _ in range(24):
            pid, node = 0, 0
            kill_node_first = chance.random() < 0.5
            ending = False
            for event in model.live(lives, model.next_transactions(chance)):
                pid, node = event.get("pid", pid), event.get("node", node)
                if event["event"] in {"done", "ended"}:
                    ending = True
                if ending or (not node and kill_node_first):
                    continue
                # Each event is an instant; what passes until the kill is up to the scheduler and this wait.
                pause_s = chance.random() * 0.004
                if chance.random() < 0.3:
                    select.select([], [], [], pause_s)
                    if kill_node_first:
                        kill_node_first = False
                        node_kills += _kill(node)
                        node = 0
                    else:
                        ending = True
                        engine_kills += _kill(pid)
        compared += _finish(model, lives)
    figure(f"killed the engine {engine_kills} and its node {node_kills} times; compared {compared} transactions")
    assert engine_kills + node_kills >= 120, "with those at step boundaries, 200 kills are promised"
    assert node_kills >= 30


def _kill(pid: int) -> int:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1


def test_node_dies_with_its_engine(tmp_path: Path, lives: Lives) -> None:
    model = Model(tmp_path / "chain")
    pid, node = 0, 0
    for event in model.live(lives, model.next_transactions(random.Random(1))):
        pid = event.get("pid", pid)
        if event["event"] == "ready":
            node = event["node"]
            assert Path(f"/proc/{node}/comm").read_text().strip() == "anvil"
            os.kill(pid, signal.SIGKILL)
    _wait_gone(node)
    assert node > 0
