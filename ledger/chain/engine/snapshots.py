"""Snapshots of the node's state, so that start-up replays a bounded tail of the journal.

A snapshot is anvil's dump without the history that we keep ourselves: accounts, and the newest block. Its file is
written aside, fsynced and renamed; its SHA-256 goes to the journal. A snapshot is only a short cut: one that is
missing, altered, from another anvil, or that does not give its block's hash and state root is left aside with a
warning, and more is replayed instead. One that was altered is a defect all the same, which ``fsck`` names.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog

from ledger.chain.engine.block import decode_header
from ledger.chain.engine.journal_rows import Snapshot
from ledger.chain.engine.node import AnvilNode
from ledger.chain.rpc import RPCError, to_hex, unhex
from ledger.domain.errors import IntegrityError, UnavailableError
from ledger.domain.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.chain.engine.config import EngineConfig
    from ledger.chain.engine.journal import Journal
    from ledger.chain.engine.journal_rows import JournalledBlock

__all__ = ["SinceSnapshot", "altered_snapshots", "load_newest", "write_snapshot"]

_log = structlog.get_logger(__name__)

_KEPT: Final = 2
"""The newest, and one before it should the newest be damaged."""
_DUMP_TIMEOUT_S: Final = 600.0
_ANY_ADDRESS: Final = "0x" + "00" * 20


@dataclass(slots=True)
class SinceSnapshot:
    """What a start would replay above the newest snapshot."""

    blocks: int = 0
    transactions: int = 0

    def add(self, transactions: int) -> None:
        """Count one more block, of so many transactions."""
        self.blocks += 1
        self.transactions += transactions

    def reaches(self, transactions: int, blocks: int) -> bool:
        """Say whether it is as many of either, so that a snapshot is due."""
        return self.transactions >= transactions or self.blocks >= blocks


def write_snapshot(
    node: AnvilNode, journal: Journal, folder: Path, number: int, crash_point: Callable[[str], None]
) -> None:
    """Dump the state after block ``number``, which must be the node's tip, and record it.

    Raises:
        UnavailableError: The node is gone, or the disk refuses the file.
    """
    dump = gzip.decompress(unhex(node.rpc.call("anvil_dumpState", timeout_s=_DUMP_TIMEOUT_S)))
    content = _without_history(dump, number)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{number:012d}.json"
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        crash_point("snapshot written")
        partial.replace(path)
        _sync_folder(folder)
    except OSError as error:
        raise UnavailableError("the snapshot folder", str(error), path=str(folder)) from error
    crash_point("snapshot renamed")
    journal.record_snapshot(Snapshot(number, path.name, hashlib.sha256(content).digest(), node.version))
    crash_point("snapshot recorded")
    _remove_old(journal, folder)


def _without_history(dump: bytes, number: int) -> bytes:
    state: dict[str, Any] = msgspec.json.decode(dump)
    newest = [block for block in state["blocks"] if int(block["header"]["number"], 16) == number]
    if len(newest) != 1 or int(state["best_block_number"]) != number:
        raise IntegrityError(f"block {number}", "the node's dump is not of this block", block=number)
    state["blocks"] = [{**newest[0], "transactions": []}]
    state["transactions"] = []
    return msgspec.json.encode(state)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_old(journal: Journal, folder: Path) -> None:
    kept = journal.snapshots()[:_KEPT]
    journal.forget_snapshots(kept[-1].number)
    names = {snapshot.file for snapshot in kept}
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink(missing_ok=True)


def load_newest(
    config: EngineConfig, journal: Journal, folder: Path, on_exit: Callable[[], None], altered: dict[str, str]
) -> tuple[AnvilNode, int]:
    """Start a node from the newest snapshot that holds, or from genesis; return it and its block's number.

    Args:
        config: The engine's.
        journal: The journal, which says what each snapshot must be.
        folder: Where the snapshots are.
        on_exit: Called when the node ends.
        altered: Takes the reason for each file that is not what it was written as. A missing one or one from another
            anvil is none of these: a backup or an upgrade leaves them.

    Raises:
        UnavailableError: The node cannot be started.
        IntegrityError: A snapshot speaks of a block that the journal lacks.
    """
    for snapshot in journal.snapshots():
        path = folder / snapshot.file
        reason = _fault(path, snapshot)
        is_altered = path.exists()
        if reason is None:
            node = AnvilNode.start(config, load_state=path, on_exit=on_exit)
            try:
                reason = _difference(node, journal, snapshot)
            except BaseException:  # Also when interrupted: no node is left without an owner. Raised again.
                node.kill()
                raise
            if reason is None:
                return node, snapshot.number
            is_altered = node.version == snapshot.engine
            node.kill()
        if is_altered:
            altered[snapshot.file] = reason
        _log.warning("snapshot_left_aside", block=snapshot.number, file=snapshot.file, reason=reason)
    return AnvilNode.start(config, on_exit=on_exit), 0


def altered_snapshots(journal: Journal, folder: Path) -> dict[str, str]:
    """Return why each file is not the snapshot that was recorded, by its name."""
    found = {snapshot.file: _fault(folder / snapshot.file, snapshot) for snapshot in journal.snapshots()}
    return {file: reason for file, reason in found.items() if reason is not None and (folder / file).exists()}


def _fault(path: Path, snapshot: Snapshot) -> str | None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if digest == snapshot.sha256 else "its file is not the one that was written"


def _difference(node: AnvilNode, journal: Journal, snapshot: Snapshot) -> str | None:
    if node.version != snapshot.engine:
        return f"it is of {snapshot.engine}, and this is {node.version}"
    blocks: list[JournalledBlock] = journal.blocks(snapshot.number, snapshot.number)
    if not blocks or not blocks[0].hash:
        raise IntegrityError(
            f"block {snapshot.number}", "there is a snapshot of it, but no block", block=snapshot.number
        )
    if node.tip_hash() != blocks[0].hash:
        return "its tip is not the journal's block"
    try:
        proof = node.rpc.call("eth_getProof", _ANY_ADDRESS, [], "latest")
    except RPCError as error:
        return error.explain()
    nodes = proof["accountProof"]
    root = keccak256(unhex(nodes[0])) if nodes else keccak256(b"\x80")
    expected = decode_header(blocks[0].header).state_root
    return None if root == expected else f"its state root is {to_hex(root)}, the block's {to_hex(expected)}"
