"""A monitor that kills itself at a chosen durable step: ``python watcher.py LOG MEMORY STEP``."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from ledger.log.storage import FolderFetcher
from ledger.monitor.monitor import Cadence, Monitor
from ledger.monitor.state import MonitorState, Watched
from tests.monitor.operators import SIGNER


def main(log: str, memory: str, step: str) -> None:
    def at_step(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    watched = Watched(SIGNER.name, SIGNER.vkey)
    state = MonitorState.open(Path(memory), watched, at_step)
    monitor = Monitor(
        watched, state, FolderFetcher(Path(log)), None, source=log, cadence=Cadence(), now_ms=lambda: 1_000_000
    )
    monitor.round()


if __name__ == "__main__":
    main(*sys.argv[1:])
