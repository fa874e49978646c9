"""Where a log's files are published: its own folder, or a store that they are shipped to; and the move between them.

A move ships everything while the log grows, reads all of it back from there and recomputes the tree, ships and compares
what came meanwhile, and then switches: one record in the home, written whole. Before the switch the old place is in
use, after it the new one. A move that was stopped goes on when it is asked for again; what it did is not done twice.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, InvalidInputError, UnavailableError, VerificationError
from ledger.log.checkpoint import open_checkpoint_of_any, parse_checkpoint
from ledger.log.client import verify_log
from ledger.log.errors import BadEntryError, BadTileError, MissingFileError
from ledger.log.note import parse_note
from ledger.log.storage.files import DurableFolder, make_durable_folder, no_step
from ledger.log.storage.folder import JOURNAL_FOLDER
from ledger.log.storage.layout import full_paths_between
from ledger.log.storage.shipping import Shipping
from ledger.log.tiles import CHECKPOINT_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ledger.log.checkpoint import Checkpoint
    from ledger.log.client import Progress
    from ledger.log.ports import NoteVerifier, PublicFiles
    from ledger.log.storage.bucket import Bucket
    from ledger.log.storage.files import AtStep
    from ledger.log.storage.folder import FolderLog
    from ledger.log.storage.layered import LayeredFetcher

SCHEME: Final = "s3://"
OWN_FOLDER: Final = ""
"""The address of the log's own folder."""


def open_files(address: str, endpoint: str = "", at_step: AtStep = no_step) -> PublicFiles:
    """Return the store at ``s3://bucket/prefix`` or the path of a folder, which is made if it is not there.

    Raises:
        InvalidInputError: the address is neither.
        UnavailableError: the store's settings are of no use, or the folder cannot be made.
    """
    if address.startswith(SCHEME):
        return _bucket(address, endpoint)
    if "://" in address or not Path(address).is_absolute():
        raise InvalidInputError("store", address, "s3://bucket/prefix or the path of a folder from the root")
    try:
        make_durable_folder(Path(address))
    except OSError as error:
        raise UnavailableError("log store", f"{address}: {error}") from error
    return DurableFolder(Path(address), at_step)


def check_store(address: str, endpoint: str = "") -> None:
    """Return if there is a store at an address that can be written and keeps what may not be replaced.

    Raises:
        InvalidInputError: no such address, or the store lets a conditional write replace an object.
        UnavailableError: the store does not answer or refuses.
    """
    if address.startswith(SCHEME):
        _bucket(address, endpoint).check_conditions()
    else:
        open_files(address)


def _bucket(address: str, endpoint: str) -> Bucket:
    # Found by name, since few logs are in a bucket: boto3 takes a third of a second to load.
    bucket: Bucket = importlib.import_module("ledger.log.storage.bucket").Bucket(address, endpoint)
    return bucket


class Published:
    """The published files of one open log. Every method may be called from any thread."""

    def __init__(
        self,
        folder: Path,
        log: FolderLog,
        files: LayeredFetcher,
        *,
        keys: Sequence[NoteVerifier],
        address: str,
        endpoint: str,
        keep: Callable[[str, str], None],
        at_step: AtStep = no_step,
    ) -> None:
        """Publish the log of ``folder`` at an address.

        Args:
            folder: the log's own folder.
            log: the log.
            files: where the log and its readers read from; its store follows a move.
            keys: the log's key, and those it had before.
            address: where its files are published now; the own folder if empty.
            endpoint: the address of the S3 service, where it is not Amazon's.
            keep: writes a new address and endpoint down, durably and whole.
            at_step: called with the name of each step, for tests that stop there.
        """
        self._folder = folder
        self._log = log
        self._files = files
        self._keys = keys
        self._keep = keep
        self._at_step = at_step
        self._moving = RLock()
        self._shipping_lock = RLock()
        self._trims = True
        self.address = address
        self.endpoint = endpoint
        self._shipping: Shipping | None = None
        if address != OWN_FOLDER:
            store = open_files(address, endpoint)
            files.store = store
            self._shipping = self._new_shipping(store, address, "shipped")

    def ship(self) -> int:
        """Bring the store to the newest checkpoint, and return the size that readers find there.

        Raises:
            UnavailableError: the store does not answer; the log goes on, and the next call brings what waits.
            IntegrityError: the store holds something else than this log, or a later state of it.
        """
        with self._shipping_lock:
            note = self._log.checkpoint()
            if self._shipping is None:
                return parse_checkpoint(parse_note(note).text).size  # The log signed it itself.
            size = self._shipping.ship(note)
            if self._trims:
                self._shipping.trim(DurableFolder(self._folder), self._log.journal_begins())
            return size

    def newest(self) -> Checkpoint | None:
        """Return the checkpoint that readers find in a store of its own; None where there is none.

        Raises:
            UnavailableError: the store does not answer.
            VerificationError: what is there is signed by none of the log's keys.
        """
        if self._files.store is None:
            return None
        try:
            return open_checkpoint_of_any(self._files.store.read(CHECKPOINT_PATH), self._keys)
        except MissingFileError:
            return None

    def move(self, to: str, endpoint: str = "", told: Callable[[str, int, int], None] = lambda *_: None) -> int:
        """Publish at another address from now on, and return the size that is there.

        Args:
            to: ``s3://bucket/prefix``, the path of a folder, or the log's own folder.
            endpoint: the address of the S3 service.
            told: called with what is done, how far, and of how much.

        Raises:
            InvalidInputError: no such address, or the store holds something else or replaces what it may not.
            UnavailableError: a store does not answer; the old place is in use, and the next call goes on.
            IntegrityError: what is there differs from the log; the old place is in use.
        """
        with self._moving:
            if to and Path(to) == self._folder:
                to = OWN_FOLDER
            if (to, endpoint) == (self.address, self.endpoint):
                return self.ship()
            if to == OWN_FOLDER:
                return self._move_home(told)
            return self._move_to(to, endpoint, told)

    def check(self) -> Iterator[Progress]:
        """Recompute the log from what readers find in the store, and again from what the log itself reads.

        The log reads its folder, and the store only where a file is no longer there.

        Raises:
            IntegrityError: the first file or entry that differs.
            UnavailableError: the store does not answer.
        """
        try:
            if self._files.store is not None:
                yield from verify_log(self._files.store, self._keys[0], former=self._keys[1:])
            yield from verify_log(self._files, self._keys[0], former=self._keys[1:])
        except BadEntryError as error:
            raise IntegrityError(error.path, error.reason, file=error.path, entry=error.index) from error
        except (BadTileError, MissingFileError) as error:
            raise IntegrityError(error.path, error.explain(), file=error.path) from error
        except VerificationError as error:
            raise IntegrityError(CHECKPOINT_PATH, error.reason, file=CHECKPOINT_PATH) from error

    def _move_to(self, to: str, endpoint: str, told: Callable[[str, int, int], None]) -> int:
        check_store(to, endpoint)
        store = open_files(to, endpoint, self._at_step)
        shipping = self._new_shipping(store, to, "move")
        shipping.ship(self._log.checkpoint(), lambda done, total: told("copied", done, total))
        size = 0
        for step in verify_log(store, self._keys[0], former=self._keys[1:]):
            size = step.entries
            told("verified", step.entries, step.size)
        self._at_step("files verified")
        with self._shipping_lock:
            note = self._log.checkpoint()
            shipping.ship(note)
            for path in shipping.differences(size, note):
                raise IntegrityError(path, "the file in the new store differs from the log's", file=path)
            self._at_step("rest verified")
            self._keep(to, endpoint)
            self._at_step("store switched")
            self.address, self.endpoint = to, endpoint
            self._files.store = store
            self._shipping = self._new_shipping(store, to, "shipped")
            return self.ship()

    def _move_home(self, told: Callable[[str, int, int], None]) -> int:
        """Bring every full file back to the log's own folder; the partial ones and the checkpoint are always there."""
        folder = DurableFolder(self._folder, self._at_step)
        self._trims = False
        try:
            size = open_checkpoint_of_any(self._log.checkpoint(), self._keys).size
            for done, path in enumerate(full_paths_between(0, size)):
                if not folder.exists(path):
                    folder.put_once(path, self._files.read(path))
                if done % 100 == 0:
                    told("copied", min(size, done * 128), size)
            folder.sync()
            for step in verify_log(folder, self._keys[0], former=self._keys[1:]):
                told("verified", step.entries, step.size)
            self._at_step("files verified")
            with self._shipping_lock:
                self._keep(OWN_FOLDER, "")
                self._at_step("store switched")
                self.address = self.endpoint = OWN_FOLDER
                self._shipping = self._files.store = None
                (self._folder / JOURNAL_FOLDER / "shipped.json").unlink(missing_ok=True)
        finally:
            self._trims = True
        return size

    def _new_shipping(self, store: PublicFiles, address: str, name: str) -> Shipping:
        return Shipping(
            self._files,
            store,
            address=address,
            records=self._folder / JOURNAL_FOLDER,
            name=name,
            keys=self._keys,
            at_step=self._at_step,
        )
