"""Checks a log's full spans with as many processes as there are processors, each `ledger.workers.spans`.

They are plain commands and no copies of this process, so they hold no lock, key or thread of it, and run none of the
program that started it. What they answer is trusted no more than the files: it must give the signed root.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.log.client import span_root
from ledger.log.storage.files import FolderFetcher
from ledger.log.tree import HASH_SIZE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST: Final = 8
_WORKER: Final = "ledger.workers.spans"


@contextmanager
def _worker(root: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a process; it ends when its input does, and is killed if it does not."""
    command = [sys.executable, "-m", _WORKER, str(root)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def span_roots(root: Path, spans: range) -> Iterator[bytes | None]:
    """Yield the root of each span in order, None for one that differs or that no process could tell of."""
    count = min(len(spans), os.cpu_count() or 1, _MOST)
    if len(spans) < 2:
        fetcher = FolderFetcher(root)
        yield from (span_root(fetcher, span) for span in spans)
        return
    with ExitStack() as started:
        workers = [started.enter_context(_worker(root)) for _ in range(count)]
        # Each has two spans given, so that none waits while the answers of others are taken.
        given = iter(spans)
        for _ in range(2):
            for worker in workers:
                _give(worker, given)
        for place in range(len(spans)):
            worker = workers[place % count]
            yield _taken(worker)
            _give(worker, given)


def _give(worker: subprocess.Popen[str], spans: Iterator[int]) -> None:
    span = next(spans, None)
    if span is None or worker.stdin is None:
        return
    try:
        worker.stdin.write(f"{span}\n")
        worker.stdin.flush()
    except BrokenPipeError:
        return  # It died. Its answers end, and the caller reads those spans itself.


def _taken(worker: subprocess.Popen[str]) -> bytes | None:
    said = worker.stdout.readline().strip() if worker.stdout is not None else ""
    try:
        value = bytes.fromhex(said)
    except ValueError:
        return None
    return value if len(value) == HASH_SIZE_BYTES else None
