"""Shipping: brings the public files of a log from its folder to a store that readers use, checkpoint last.

The log itself always writes its folder first, so a store that is down stops nothing: entries are taken in, tiles and
checkpoints wait in the folder, and the next turn goes on. A turn, for one published checkpoint:

1. full tiles and bundles that the store's checkpoint does not cover, each put on the condition that it is not there;
2. the partial ones of the new size;
3. the checkpoint;
4. partial files that full ones replaced go, as in the folder;
5. what the store now has, and opening the log does not need, goes from the folder (``trim``).

Stopped between any two of them, the next turn does the rest: what is done is in a record beside the journal, which is
only ever behind, and everything it leads to may be done twice. A store whose checkpoint is larger than the folder's is
of a later state of this log: the folder is an old copy, and nothing is written.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import RLock
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, InvalidInputError, UnavailableError, VerificationError
from ledger.log.checkpoint import Checkpoint, open_checkpoint_of_any
from ledger.log.client import check_extends
from ledger.log.errors import MissingFileError
from ledger.log.storage.files import DurableFolder, no_step
from ledger.log.storage.layout import full_paths_between, full_tiles_between
from ledger.log.storage.partials import Partials
from ledger.log.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    encode_bundle,
    entries_path,
    read_bundle,
    read_tile,
    right_edge,
    tile_path,
)
from ledger.log.tree import EMPTY_ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ledger.log.ports import Fetcher, NoteVerifier, PublicFiles
    from ledger.log.storage.files import AtStep

    Told = Callable[[int, int], None]
    """Called with how many entries of how many are there."""

_AT_ONCE: Final = 8
_BLOCK: Final = 1 << 14
"""Entries after whose files the record is written again: two times 64 files and a few."""


def no_news(_done: int, _total: int) -> None:
    """Tell nobody."""


class Shipping:
    """Brings one log's published files to one store. Every method may be called from any thread."""

    def __init__(
        self,
        source: Fetcher,
        store: PublicFiles,
        *,
        address: str,
        records: Path,
        name: str,
        keys: Sequence[NoteVerifier],
        at_step: AtStep = no_step,
    ) -> None:
        """Ship from ``source`` to the ``store`` at an address.

        Args:
            source: where the log's files are read from.
            store: where they go.
            address: the store's, which the record names: it says nothing of another one.
            records: the folder of the record, on the log's own disk.
            name: what the record's file names begin with.
            keys: the log's key, and those it had before.
            at_step: called with the name of each step, for tests that stop there.
        """
        self._source = source
        self._store = store
        self._address = address
        self._records = DurableFolder(records)
        self._name = f"{name}.json"
        self._keys = keys
        self._at_step = at_step
        self._partials = Partials(store, records / f"{name}-partials")
        self._lock = RLock()
        self._note = b""
        self._shipped: Checkpoint | None = None
        self._full = 0
        self._trimmed = 0

    @property
    def size(self) -> int:
        """The size of the store's checkpoint, as far as it is known."""
        return 0 if self._shipped is None else self._shipped.size

    def ship(self, note: bytes, told: Told = no_news) -> int:
        """Bring the store to a published checkpoint, and return its size.

        Raises:
            UnavailableError: the store does not answer or refuses; what is there stays, the next call goes on.
            IntegrityError: the store's files are another log's, another history's or of a later state of this log.
        """
        checkpoint = open_checkpoint_of_any(note, self._keys)
        with self._lock:
            try:
                return self._ship(note, checkpoint, told)
            except OSError as error:
                raise UnavailableError("log store", f"{self._address}: {error}") from error

    def trim(self, folder: PublicFiles, journal_begins: int) -> None:
        """Remove from the log's folder what the store's checkpoint covers and opening does not read.

        Bundles go, and tiles whose parent is full; those under a partial one stay, since it is made from them again.
        """
        with self._lock:
            end = min(self.size, journal_begins)
            if end // TILE_WIDTH <= self._trimmed // TILE_WIDTH:
                return
            for level, index in full_tiles_between(self._trimmed, end):
                if level == 0:
                    folder.delete(entries_path(index))
                    continue
                for under in range(index * TILE_WIDTH, (index + 1) * TILE_WIDTH):
                    folder.delete(tile_path(level - 1, under))
            self._trimmed = end
            self._keep()
            self._at_step("folder trimmed")

    def differences(self, before: int, note: bytes) -> Iterator[str]:
        """Yield the paths of files that the store does not hold as the source does, from one size to a checkpoint."""
        checkpoint = open_checkpoint_of_any(note, self._keys)
        for path in full_paths_between(before, checkpoint.size):
            if self._read(path) != self._source.read(path):
                yield path
        for path, data in self._partial_files(checkpoint.size):
            if self._read(path) != data:
                yield path
        if self._read(CHECKPOINT_PATH) != note:
            yield CHECKPOINT_PATH

    def _read(self, path: str) -> bytes:
        try:
            return self._store.read(path)
        except MissingFileError:
            return b""

    def _ship(self, note: bytes, checkpoint: Checkpoint, told: Told) -> int:
        before = self._begin(checkpoint) if self._shipped is None else self._shipped
        if note == self._note:
            return before.size
        if checkpoint.size < before.size:
            raise IntegrityError(
                "log", "the store has a later checkpoint of this log", store=before.size, log=checkpoint.size
            )
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for first in range(max(before.size, self._full), checkpoint.size, _BLOCK):
                end = min(first + _BLOCK, checkpoint.size)
                list(pool.map(self._put_full, full_paths_between(first, end)))
                self._store.sync()
                self._full = end // TILE_WIDTH * TILE_WIDTH
                if end < checkpoint.size:
                    self._keep()
                told(end, checkpoint.size)
                self._at_step("full files shipped")
            list(pool.map(lambda item: self._store.put_once(*item), self._partial_files(checkpoint.size)))
        self._store.sync()
        self._at_step("partial files shipped")
        self._store.put(CHECKPOINT_PATH, note)
        self._store.sync()
        self._at_step("checkpoint shipped")
        self._note, self._shipped = note, checkpoint
        self._partials.advance(before.size, checkpoint.size)
        return checkpoint.size

    def _begin(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return the store's checkpoint, which ours must extend, and remove what an earlier run left."""
        found = self._found(checkpoint.origin)
        if found.size > checkpoint.size:
            raise IntegrityError(
                "log", "the store has a later checkpoint of this log", store=found.size, log=checkpoint.size
            )
        try:
            check_extends(self._source, found, checkpoint)
        except VerificationError as error:
            raise IntegrityError("log", f"the store has another history: {error.reason}", store=found.size) from error
        with suppress(MissingFileError, ValueError, KeyError):
            record = json.loads(self._records.read(self._name))
            self._trimmed = int(record["trimmed"])
            self._full = int(record["full"]) if record["store"] == self._address else 0
        self._partials.collect_leftovers(found.size)
        self._shipped = found
        return found

    def _found(self, origin: str) -> Checkpoint:
        try:
            return open_checkpoint_of_any(self._store.read(CHECKPOINT_PATH), self._keys)
        except MissingFileError:
            return Checkpoint(origin, 0, EMPTY_ROOT)
        except VerificationError as error:
            raise InvalidInputError("store", self._address, "an empty store, or one that holds this log") from error

    def _put_full(self, path: str) -> None:
        self._store.put_once(path, self._source.read(path))

    def _partial_files(self, size: int) -> Iterator[tuple[str, bytes]]:
        """Yield the partial files of a size, from the full ones where those of the size are gone."""
        for level, index, width in right_edge(size):
            if level == 0:
                yield entries_path(index, width), encode_bundle(read_bundle(self._source, index, width))
            yield tile_path(level, index, width), b"".join(read_tile(self._source, level, index, width))

    def _keep(self) -> None:
        record = {"store": self._address, "full": self._full, "trimmed": self._trimmed}
        self._records.put(self._name, json.dumps(record).encode())
        self._records.sync()
