"""FolderLog: the append-only log that one process owns, in one folder.

Life of an entry: (1) the caller's thread encodes and hashes it; (2) its group is written to the journal and synced
once; (3) ``append`` returns; (4) ``publish_checkpoint`` writes full bundles and tiles (which never change again), the
partial ones of the new size, and only then the signed checkpoint; (5) journal segments whose entries are all in full
tiles are removed. What is read and proved is in ``readable``, the journal's segments are in ``segments``.

Must stay true:

* an index that ``append`` returned is on disk, and its entry is there after any crash;
* a checkpoint is never published before its tiles are durable, and never shrinks or forks: opening refuses a journal
  that does not lead to the published root;
* a checkpoint is shown to witnesses only when its entries are on disk, and no lock that ``append`` needs is held
  while they are asked.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

import structlog

from ledger.domain.errors import IntegrityError, InvalidInputError, UnavailableError
from ledger.log.checkpoint import Checkpoint, sign_checkpoint
from ledger.log.encoded import EncodedEntries
from ledger.log.endorsing import NO_WITNESSES
from ledger.log.note import are_signers_of
from ledger.log.storage.edge import tile_root
from ledger.log.storage.files import DurableFolder, FolderFetcher, OwnerLock, make_durable_folder, no_step
from ledger.log.storage.group import GroupCommit, Request
from ledger.log.storage.journal import JournalWriter, segment_paths
from ledger.log.storage.partials import Partials
from ledger.log.storage.readable import ReadableLog
from ledger.log.storage.recovery import Recovered, read_published, recover
from ledger.log.storage.segments import Segments
from ledger.log.tiles import CHECKPOINT_PATH
from ledger.log.tree import EMPTY_ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.log.ports import Endorser, Fetcher, NoteSigner, NoteVerifier
    from ledger.log.storage.edge import EdgeState, TileRoot
    from ledger.log.storage.files import AtStep

_LOG = structlog.get_logger("log")

JOURNAL_FOLDER = "wal"
MAX_APPEND_BYTES = 64 << 20
"""One call's entries are one group and are held in memory; more should come in several calls."""

_EDGE_BYTES = 32 << 20
_EDGE_ENTRIES = 1 << 16
"""What may wait in memory for a checkpoint; beyond either ``append`` itself writes the tiles."""


class FolderLog(ReadableLog):
    """An append-only log in a folder. Every method may be called from any thread."""

    def __init__(
        self,
        path: Path,
        lock: OwnerLock,
        recovered: Recovered,
        writer: JournalWriter,
        *,
        signer: NoteSigner,
        cosigners: Sequence[NoteSigner],
        endorser: Endorser,
        archive: Fetcher | None,
        at_step: AtStep,
    ) -> None:
        """Use ``FolderLog.open``."""
        super().__init__(archive or FolderFetcher(path), recovered.edge, Lock())
        self._owner_lock = lock
        self._signer = signer
        self._signers = (signer, *cosigners)
        self._endorser = endorser
        self._at_step = at_step
        self._files = DurableFolder(path, at_step)
        self._journal = Segments(recovered, writer, self._state, at_step)
        self._edge_bytes = 0
        self._checkpointing = Lock()
        self._publishing = Lock()
        self._groups = GroupCommit(self._commit)
        self._note = b""
        self._published = Checkpoint(signer.name, 0, EMPTY_ROOT)
        self._partials = Partials(self._files, path / JOURNAL_FOLDER / "partials")
        self._is_closed = False

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        signer: NoteSigner,
        origin: str,
        cosigners: Sequence[NoteSigner] = (),
        former: Sequence[NoteVerifier] = (),
        endorser: Endorser = NO_WITNESSES,
        archive: Fetcher | None = None,
        root_of: TileRoot = tile_root,
        at_step: AtStep = no_step,
    ) -> Self:
        """Open the log in a folder, or make one there, and recover from whatever stopped the last owner.

        Args:
            path: the folder; its ``checkpoint`` and ``tile/`` are what a web server may show.
            signer: the log's key, whose name is the origin.
            origin: the log's name in its checkpoints.
            cosigners: further keys of ours that sign each checkpoint, after the log's key.
            former: keys that signed before the log's key did, any of which may have signed what is published.
            endorser: gets a checkpoint what it needs besides our signatures, before it is published.
            archive: where full files are read from, if some of them are no longer in the folder.
            root_of: hashes full tiles; compiled code may.
            at_step: called with the name of each durable step, for tests that stop there.

        Raises:
            InvalidInputError: the origin is not the signer's name.
            UnavailableError: another process owns the log, or the disk fails.
            IntegrityError: the files disagree in a way that no crash leaves behind.
        """
        if origin != signer.name:
            raise InvalidInputError("origin", origin, f"the name of the log's key, {signer.name}")
        root = Path(path)
        journal = root / JOURNAL_FOLDER
        try:
            make_durable_folder(root)
            make_durable_folder(journal)
            with ExitStack() as held:
                lock = OwnerLock(journal / "lock")
                held.callback(lock.release)
                log = cls._open_owned(root, lock, signer, cosigners, former, endorser, archive, root_of, at_step)
                held.pop_all()  # The log itself gives the lock back.
                return log
        except OSError as error:
            raise UnavailableError("log", f"{root} cannot be opened: {error}") from error

    @classmethod
    def _open_owned(
        cls, root: Path, lock: OwnerLock, signer: NoteSigner, cosigners: Sequence[NoteSigner],
        former: Sequence[NoteVerifier], endorser: Endorser, archive: Fetcher | None,
        root_of: TileRoot, at_step: AtStep,
    ) -> Self:  # fmt: skip
        journal = root / JOURNAL_FOLDER
        fetcher = FolderFetcher(root)
        if not segment_paths(journal):
            if (root / CHECKPOINT_PATH).exists() or (root / "tile").exists():
                raise IntegrityError(JOURNAL_FOLDER, "the log has published files but no journal")
            JournalWriter.create(journal, 0, b"", 0, at_step).close()
        recovered = recover(journal, fetcher, root_of)
        note, published = read_published(fetcher, recovered, signer, former)
        with ExitStack() as held:
            writer = JournalWriter.resume(recovered.last, at_step)
            held.callback(writer.close)
            log = cls(
                root,
                lock,
                recovered,
                writer,
                signer=signer,
                cosigners=cosigners,
                endorser=endorser,
                archive=archive,
                at_step=at_step,
            )
            log._restore(note, published)
            held.pop_all()  # The log itself closes the writer.
            return log

    def append(self, entries: Sequence[bytes], hashes: Sequence[bytes] | None = None) -> int:
        """Add entries, one after another, and return the index of the first once all are on disk.

        After a failed write (a full disk, say) the next call mends the journal first and goes on if it can.

        Args:
            entries: what to add.
            hashes: the entries' RFC 6962 leaf hashes, if the caller has them; they are not computed again here, and
                opening the log, which computes them, refuses tiles made from others.

        Raises:
            InvalidInputError: no entry, an entry over 65,535 bytes, more than 64 MiB in one call, or another number
                of hashes.
            UnavailableError: the log is closed, a write failed, or too much waits for tiles that cannot be written.
                After a failed write the entries are not in the log, unless the process died before the journal
                was mended.
            IntegrityError: a published file is not what the log wrote.
        """
        return self.append_encoded([EncodedEntries.of(entries, hashes)])

    def append_encoded(self, entries: Sequence[EncodedEntries]) -> int:
        """Add entries that are encoded and hashed, as ``append`` does, and with what it raises."""
        size_bytes = sum([len(each.payload) for each in entries])
        if not entries:
            raise InvalidInputError("entries", "none", "at least one entry")
        if size_bytes > MAX_APPEND_BYTES:
            raise InvalidInputError("entries", f"{size_bytes} bytes", f"at most {MAX_APPEND_BYTES} bytes in one call")
        if self._groups.has_failed:
            self.recover()
        return self._groups.submit(Request(entries))

    def recover(self) -> None:
        """Go on after a failed write: cut the journal back to what was acknowledged, on disk, and take entries again.

        Without a failed write, nothing is done. ``append`` calls it by itself.

        Raises:
            UnavailableError: the log is closed, or the journal cannot be mended yet.
            IntegrityError: the journal no longer holds what was acknowledged.
        """
        try:
            self._groups.resume(self._journal.mend)
        except OSError as error:
            raise UnavailableError("log", f"the journal cannot be mended: {error}") from error

    def publish_checkpoint(self) -> bytes:
        """Sign the checkpoint of all entries on disk, have it endorsed, write their tiles, publish it; return its note.

        Without new entries the published note is returned again, unless a key of ours that should sign it did not.
        Appending goes on meanwhile.

        Raises:
            UnavailableError: the log is closed, the witnesses that its policy asks for did not sign (the checkpoint
                before stays published), or a file cannot be written (the entries stay safe in the journal).
            IntegrityError: a published file is not what the log wrote.
        """
        with self._checkpointing:
            with self._state:
                state, note, published = self._edge.state(), self._note, self._published
            if self._is_closed:
                raise UnavailableError("log", "the log is closed")
            if note and state.size == published.size and self._is_complete(note):
                return note
            checkpoint = Checkpoint(self._signer.name, state.size, state.root)
            note = self._endorser.endorse(sign_checkpoint(checkpoint, self._signers), checkpoint, self)
            with self._publishing:
                if self._is_closed:
                    raise UnavailableError("log", "the log is closed")
                try:
                    return self._publish(state, checkpoint, note)
                except OSError as error:
                    raise UnavailableError("log", f"the checkpoint was not published: {error}") from error

    def journal_begins(self) -> int:
        """Return the index of the first entry that is still in the journal; opening reads tiles just before it."""
        return self._journal.first()

    def checkpoint(self) -> bytes:
        """Return the newest published checkpoint, a signed note."""
        with self._state:
            return self._note

    def close(self) -> None:
        """Stop taking entries, wait for those under way and let another process own the log."""
        self._groups.close("the log is closed")
        with self._publishing:
            if not self._is_closed:
                self._is_closed = True
                # What no checkpoint covers stays: only the journal tells an altered tile of such entries.
                if self._published.size == self._edge.size and not self._groups.has_failed:
                    self._journal.shorten()
                self._journal.close()
                self._owner_lock.release()

    def _restore(self, note: bytes, published: Checkpoint) -> None:
        """Write whatever the last owner may not have finished writing, then publish if nothing ever was.

        What is there already must be the same: files are whole after any crash, and hold what the journal holds.
        """
        with self._publishing:
            state = self._edge.state()
            rewritten = [path for path, data in state.partial_files(published.size) if self._files.put_once(path, data)]
            if published.size and rewritten:
                _LOG.warning("partial_files_missing", files=rewritten, size=published.size)
            for path, data in state.full_files():  # They are there as a rule, unlike when they are new.
                self._files.put_once(path, data)
            self._files.sync()
            self._let_go(state)
            self._note, self._published = note, published
            self._partials.collect_leftovers(published.size)
        if not note:
            self.publish_checkpoint()

    def _commit(self, group: Sequence[Request]) -> None:
        """Make a group durable: one write, one sync; then show it to readers. Called by one thread at a time.

        What fails after the sync does not take the group back: it was written, and it is acknowledged.
        """
        self._journal.check_whole()
        if self._edge_bytes > 2 * _EDGE_BYTES or self._edge.held_entries > 2 * _EDGE_ENTRIES:
            self._make_room()
        payload = b"".join([each.payload for request in group for each in request.entries])
        self._journal.append(sum([each.count for request in group for each in request.entries]), payload)
        with self._state:
            for request in group:
                request.first = self._edge.size
                for each in request.entries:
                    self._edge.add(each)
            self._edge_bytes += len(payload)
        self._at_step("group applied")
        self._journal.follow_long()
        if self._edge_bytes > _EDGE_BYTES or self._edge.held_entries > _EDGE_ENTRIES:
            with suppress(UnavailableError):  # Said when twice as much waits: until then there is room.
                self._make_room()

    def _make_room(self) -> None:
        """Write full tiles here, since too much waits for the next checkpoint.

        Raises:
            UnavailableError: they cannot be written.
        """
        try:
            with self._publishing:
                with self._state:
                    state = self._edge.state()
                self._files.put_all_once(state.full_files())
                self._files.sync()
                self._let_go(state)
        except OSError as error:
            _LOG.warning("tiles_not_written", reason=str(error), waiting=self._edge.held_entries)
            raise UnavailableError("log", f"entries wait for tiles that cannot be written: {error}") from error

    def _is_complete(self, note: bytes) -> bool:
        return are_signers_of(note, self._signers)

    def _publish(self, state: EdgeState, checkpoint: Checkpoint, note: bytes) -> bytes:
        files = chain(state.partial_files(state.size), state.full_files())
        self._files.put_all_then(files, (CHECKPOINT_PATH, note))
        self._at_step("checkpoint published")
        before = self._published.size
        with self._state:
            self._note, self._published = note, checkpoint
        try:
            try:
                self._let_go(state)
            finally:
                self._partials.advance(before, state.size)
        except OSError as error:  # The checkpoint is published; what stayed goes with the next one.
            _LOG.warning("old_files_not_removed", reason=str(error))
        return note

    def _let_go(self, state: EdgeState) -> None:
        """Let go of what is in full bundles and tiles, which must be durable."""
        with self._state:
            self._edge.forget(state)
            self._edge_bytes = 0
        self._journal.drop_done()
