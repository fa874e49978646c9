"""A process that moves a log to another store while it writes to it, and kills itself at a step.

Usage: moving_writer.py FOLDER RECORD TO ENDPOINT STEP

It writes ``RECORD`` as a home does: whole, by a rename. With STEP ``-`` it moves the log and prints the size.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from ledger.home import write_json
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from ledger.log.storage import FolderFetcher, FolderLog
from ledger.log.storage.layered import LayeredFetcher
from ledger.log.storage.published import Published

SIGNER = Ed25519Signer("example.org/log", bytes(range(32)))


def main() -> None:
    """Grow the log by 600 entries, and by 100 at each step, and move it."""
    folder, record, to, endpoint, step = Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:6]
    known = json.loads(record.read_bytes()) if record.exists() else ["", ""]
    files = LayeredFetcher(FolderFetcher(folder))
    log = FolderLog.open(folder, signer=SIGNER, origin=SIGNER.name, archive=files)

    def grow(count: int) -> None:
        first = log.size()
        log.append([b"entry %d" % index for index in range(first, first + count)])
        log.publish_checkpoint()

    def at_step(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)
        if name in {"full files shipped", "files verified"} and log.size() < 30_000:
            grow(100)

    published = Published(
        folder, log, files, keys=[Ed25519Verifier.from_vkey(SIGNER.vkey)], address=known[0], endpoint=known[1],
        keep=lambda address, endpoint: write_json(record, [address, endpoint]), at_step=at_step,
    )  # fmt: skip
    grow(600)
    published.move(to, endpoint)
    grow(100)
    size = published.ship()
    assert list(log.leaves(0, size)) == [b"entry %d" % index for index in range(size)]
    log.close()
    os.write(1, f"{size}\n".encode())


if __name__ == "__main__":
    main()
