"""A process that makes a home until it is killed: ``python -m tests.contracts.init_under_kill``.

It reads one order a line, forks a child for it, and writes one line when the child has ended: what `init_home` gave, or
that the child was killed. Points are counted before each call of the chain and at each report of progress.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import structlog

from ledger.bootstrap import making
from ledger.bootstrap.engines import Engine
from ledger.settings import Settings


class Points:
    """Counts points, and kills this process at the one that was ordered."""

    def __init__(self, kill_at: int) -> None:
        self._kill_at = kill_at
        self.passed = 0

    def __call__(self, *_told: object) -> None:
        self.passed += 1
        if self.passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class PointedChain:
    """The chain itself, with a point before each call."""

    def __init__(self, chain: Any, point: Points) -> None:
        self._chain, self._point = chain, point

    def __getattr__(self, name: str) -> Any:
        self._point()
        return getattr(self._chain, name)


def live(order: dict[str, Any], out: int) -> None:
    point = Points(order["kill_at"])
    open_engine = making.open_engine

    def open_pointed(*arguments: Any) -> Engine:
        engine = open_engine(*arguments)
        return dataclasses.replace(engine, chain=PointedChain(engine.chain, point))  # type: ignore[arg-type]

    making.open_engine = open_pointed
    home = Path(order["home"])
    settings = Settings(home=home, passphrase_file=home.parent / "passphrase", keystore_scrypt_n=2)
    made = making.init_home(settings, progress=point)
    os.write(out, json.dumps({"made": made, "points": point.passed}).encode())


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for line in sys.stdin:
        order = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reading)
                live(order, writing)
            finally:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            told = json.loads(pipe.read() or b"{}")
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        os.write(1, json.dumps({**told, "killed": killed}).encode() + b"\n")


if __name__ == "__main__":
    main()
