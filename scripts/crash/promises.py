"""What the outside was told of one log, and the comparison with what the log holds afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.log.checkpoint import open_checkpoint
from ledger.log.note import Ed25519Verifier
from ledger.log.proofs import verify_consistency
from ledger.log.storage import check_folder
from ledger.log.tiles import CHECKPOINT_PATH
from scripts.crash.writer import SIGNER, entries_of, open_log

if TYPE_CHECKING:
    from ledger.log.checkpoint import Checkpoint
    from ledger.log.storage import FolderLog

_KEY = Ed25519Verifier.from_vkey(SIGNER.vkey)


@dataclass
class Promises:
    """Entries by index as they were acknowledged, and every checkpoint that a reader could see."""

    entries: dict[int, bytes] = field(default_factory=dict)
    notes: set[bytes] = field(default_factory=set)
    sent: set[bytes] = field(default_factory=set)
    compared: int = 0

    def sends(self, name: str, count: int) -> None:
        """Keep what is about to be sent: nothing else may ever be in the log."""
        self.sent.update(entries_of(name, count))

    def acknowledged(self, first: int, name: str, count: int) -> None:
        """Keep an answer; an index must never have been answered with another entry."""
        for index, entry in enumerate(entries_of(name, count), first):
            assert self.entries.setdefault(index, entry) == entry, f"index {index} was issued twice"

    def saw(self, note: bytes) -> None:
        """Keep a checkpoint; one that is not whole is no checkpoint."""
        if note not in self.notes:
            open_checkpoint(note, _KEY)
            self.notes.add(note)

    def look(self, folder: Path) -> None:
        """See what a reader of the folder's files sees now."""
        path = folder / CHECKPOINT_PATH
        if path.exists():
            self.saw(path.read_bytes())

    def copy(self) -> Promises:
        """Return the promises so far."""
        return Promises(dict(self.entries), set(self.notes), set(self.sent))

    def check(self, folder: Path) -> int:
        """Check the folder as it was left, then as the next owner opens it, uses it and leaves it; return its size.

        Raises:
            AssertionError: A promise was broken.
            LedgerError: The folder is not what a log leaves, or the next owner could not go on by itself.
        """
        if (folder / CHECKPOINT_PATH).exists():
            self.look(folder)
            list(check_folder(folder, SIGNER.vkey))
        log = open_log(folder)
        try:
            self._check_entries(log)
            self._check_notes(log)
            first = log.append(entries_of(f"after {log.size()}", 2))
            assert first not in self.entries
            self.saw(log.publish_checkpoint())
            self._check_notes(log)
            size = log.size()
        finally:
            log.close()
        *_, last = check_folder(folder, SIGNER.vkey)
        assert last.entries == size
        return size

    def _check_entries(self, log: FolderLog) -> None:
        held = list(log.leaves(0, log.size()))
        for index, entry in self.entries.items():
            assert index < len(held), f"acknowledged entry {index} is lost: the log has {len(held)}"
            assert held[index] == entry, f"entry {index} is another than the acknowledged one"
        self.compared += len(self.entries)
        ours = {entry for entry in held if not entry.startswith(b"after ")}
        assert ours <= self.sent, "the log holds an entry that nobody sent"

    def _check_notes(self, log: FolderLog) -> None:
        final = log.root()
        for note in self.notes:
            seen: Checkpoint = open_checkpoint(note, _KEY)
            assert seen.size <= log.size(), f"the checkpoint of {seen.size} was withdrawn"
            proof = log.consistency_proof(seen.size, log.size())
            if seen.size:
                verify_consistency(seen.size, log.size(), proof, seen.root, final)
