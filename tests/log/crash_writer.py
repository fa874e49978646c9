"""A process that writes a log and says what was acknowledged, until it is killed.

Usage: crash_writer.py FOLDER RUN THREADS [STEP COUNT]

Each line on stdout is ``ack INDEX RUN THREAD SEQUENCE`` or ``published SIZE ROOT``. With a step's name the process
kills itself with SIGKILL when that step comes for the COUNT-th time.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from collections import Counter

import structlog

from ledger.log.checkpoint import open_checkpoint
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from ledger.log.storage import FolderLog
from ledger.log.storage import folder as folder_module
from ledger.log.storage import segments as segments_module

SIGNER = Ed25519Signer("example.org/log", bytes(range(32)))
KEY = Ed25519Verifier.from_vkey(SIGNER.vkey)
PUBLISHED = "published"
ACK = "ack"


def entry_of(run: int, thread: int, sequence: int) -> bytes:
    """Return the entry that a thread writes at a place in its sequence; its length and bytes follow from them."""
    name = f"{run} {thread} {sequence} "
    return name.encode() + random.Random(name).randbytes(sequence * 37 % 300)


def place_of(entry: bytes) -> tuple[int, int, int]:
    """Return what ``entry_of`` was given; the entry must be whole."""
    run, thread, sequence = (int(part) for part in entry.split(b" ", 3)[:3])
    assert entry == entry_of(run, thread, sequence), f"torn entry {entry!r}"
    return run, thread, sequence


def tell(line: str) -> None:
    """Write one whole line at once."""
    os.write(1, f"{line}\n".encode())


def main() -> None:
    """Append from each thread and publish from the first, for as long as the process lives."""
    path, run, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    step, wanted = (sys.argv[4], int(sys.argv[5])) if len(sys.argv) > 4 else ("", 0)
    seen: Counter[str] = Counter()

    def at_step(name: str) -> None:
        if name == step:
            seen[name] += 1
            if seen[name] == wanted:
                os.kill(os.getpid(), signal.SIGKILL)

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # stdout is taken.
    segments_module._SEGMENT_BYTES = 40_000
    folder_module._EDGE_ENTRIES = 900
    log = FolderLog.open(path, signer=SIGNER, origin=SIGNER.name, at_step=at_step)

    def write(thread: int) -> None:
        chance = random.Random(run * 100 + thread)
        sequence = 0
        while True:
            count = chance.choice([1, 2, 40, 150])
            first = log.append([entry_of(run, thread, sequence + part) for part in range(count)])
            sequence += count
            tell(f"{ACK} {first + count - 1} {run} {thread} {sequence - 1}")
            if thread == 0 and chance.random() < 0.6:
                checkpoint = open_checkpoint(log.publish_checkpoint(), KEY)
                tell(f"{PUBLISHED} {checkpoint.size} {checkpoint.root.hex()}")

    for thread in range(1, threads):
        threading.Thread(target=write, args=(thread,), daemon=True).start()
    write(0)


if __name__ == "__main__":
    main()
