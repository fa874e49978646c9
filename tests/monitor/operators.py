"""Operators of a log for a monitor's tests: an honest one, and one who holds the key and rewrites."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from ledger.log.note import Ed25519Signer
from ledger.log.storage import FolderFetcher, FolderLog
from ledger.log.tree import HashList, leaf_hash, root_at
from ledger.monitor.evidence import Anchor
from ledger.monitor.monitor import Cadence, Monitor
from ledger.monitor.state import MonitorState, Watched, no_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ledger.monitor.monitor import Round

SIGNER = Ed25519Signer("example.org/log", bytes(range(32)))
STRANGER = Ed25519Signer("example.org/log", bytes(32))
CHAIN = 1337
CONTRACT = "ab" * 20
WATCHED = Watched(SIGNER.name, SIGNER.vkey, CHAIN, CONTRACT)


def entries(count: int, first: int = 0) -> list[bytes]:
    return [b"entry %d" % number for number in range(first, first + count)]


def publish(folder: Path, *steps: Sequence[bytes], signer: Ed25519Signer = SIGNER) -> bytes:
    """Append and publish step by step in the log of a folder, and return the last note."""
    log = FolderLog.open(folder, signer=signer, origin=signer.name)
    try:
        for step in steps:
            log.append(step)
            log.publish_checkpoint()
        return log.checkpoint()
    finally:
        log.close()


def rewrite(folder: Path, whole: Sequence[bytes], *, signer: Ed25519Signer = SIGNER) -> bytes:
    """Put another log in the folder's place: every file of it is new, valid and signed."""
    shutil.rmtree(folder)
    return publish(folder, whole, signer=signer)


def root(whole: Sequence[bytes], size: int) -> bytes:
    return root_at(HashList([leaf_hash(entry) for entry in whole]), size)


@dataclass
class ScriptedChain:
    """An AnchorSource in memory: one block an anchor."""

    blocks: list[tuple[str, Anchor | None]] = field(default_factory=lambda: [("00" * 32, None)])

    def anchor(self, size: int, value: bytes) -> None:
        number = len(self.blocks)
        block_hash = f"{number:064x}"
        anchor = Anchor(
            block=number,
            block_hash=block_hash,
            chain_id=CHAIN,
            contract=CONTRACT,
            log_index=0,
            note_hash="00" * 32,
            root=value.hex(),
            size=size,
            tx_hash="11" * 32,
        )
        self.blocks.append((block_hash, anchor))

    def chain_id(self) -> int:
        return CHAIN

    def final_block(self) -> int:
        return len(self.blocks) - 1

    def block_hash(self, number: int) -> str:
        return self.blocks[number][0] if number < len(self.blocks) else ""

    def anchors(self, first: int, last: int) -> list[Anchor]:
        return [anchor for _, anchor in self.blocks[first : last + 1] if anchor is not None]


@dataclass
class Clock:
    """A clock that a test moves."""

    ms: int = 1_000_000

    def __call__(self) -> int:
        return self.ms


@contextmanager
def monitor(
    log: Path,
    memory: Path,
    chain: ScriptedChain | None = None,
    clock: Clock | None = None,
    at_step: Callable[[str], None] = no_step,
    cadence: Cadence | None = None,
    source: str = "the log",
) -> Iterator[Monitor]:
    watched = WATCHED if chain is not None else Watched(SIGNER.name, SIGNER.vkey)
    state = MonitorState.open(memory, watched, at_step)
    try:
        yield Monitor(
            watched,
            state,
            FolderFetcher(log),
            chain,
            source=source,
            cadence=cadence or Cadence(),
            now_ms=clock or Clock(),
        )
    finally:
        state.close()


def look(
    log: Path, memory: Path, chain: ScriptedChain | None = None, clock: Clock | None = None, source: str = "the log"
) -> Round:
    """One round of a monitor that is opened for it and closed after it, as from cron."""
    with monitor(log, memory, chain, clock, source=source) as opened:
        return opened.round()


def kinds(found: Round) -> list[str]:
    return [raised.alarm.kind.value for raised in found.raised]


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base calls it so.
        pass


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """A plain web server over a folder, as any log may be served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
