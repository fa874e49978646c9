"""A witness that answers requests from its standard input, one a line in hex, until it is killed.

Usage: witness_under_kill.py FOLDER [STEP COUNT]

Each answer is one line: the status and the body in hex. With a step's name the process kills itself with SIGKILL when
that step comes for the COUNT-th time.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from pathlib import Path

import structlog

from ledger.log.cosignature import Cosigner
from ledger.witnessing.state import WitnessState
from ledger.witnessing.witness import Witness
from tests.witnessing.growing import LOGS, WITNESS_SEED


def main() -> None:
    """Answer until the input ends."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    folder = Path(sys.argv[1])
    step, wanted = (sys.argv[2], int(sys.argv[3])) if len(sys.argv) > 2 else ("", 0)
    seen: Counter[str] = Counter()

    def at_step(name: str) -> None:
        seen[name] += 1
        if name == step and seen[name] == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    state = WitnessState.open(folder, at_step)
    cosigner = Cosigner.from_seed("witness.example/w1", WITNESS_SEED, lambda: 0)
    witness = Witness(state, cosigner, LOGS, at_step=at_step)
    for line in sys.stdin:
        status, _, body = witness.answer(bytes.fromhex(line))
        os.write(1, f"{status} {body.hex()}\n".encode())
        at_step("answered")


if __name__ == "__main__":
    main()
