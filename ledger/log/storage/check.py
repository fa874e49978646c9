"""Recomputes a log's folder from its entries and stops at the first thing that differs."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.client import Verified, read_checkpoint, verify_log
from ledger.log.errors import BadEntryError, BadTileError, MissingFileError
from ledger.log.note import Ed25519Verifier
from ledger.log.storage.files import FolderFetcher
from ledger.log.storage.folder import JOURNAL_FOLDER
from ledger.log.storage.leftover import check_leftovers, read_segments
from ledger.log.storage.resumption import KnownSpan, read_known, span_identities, write_known
from ledger.log.storage.spans import span_roots
from ledger.log.tiles import CHECKPOINT_PATH, TileReader
from ledger.log.tree import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.log.checkpoint import Checkpoint
    from ledger.log.client import Progress

_SAVE_EACH_S: Final = 2.0


def check_folder(path: Path | str, vkey: str, former: Sequence[str] = ()) -> Iterator[Progress]:
    """Check checkpoint, entries, tiles and journal of a log's folder, also while another process appends to it.

    Every file that readers may get is read: those that the checkpoint needs, and partial ones of other widths. The
    checkpoint is signed by the key ``vkey``, or by one of the ``former`` ones if the log did not grow since.

    Yields:
        How many entries agree so far, after each span of 65,536 and then after each bundle.

    Raises:
        IntegrityError: the first file, and where it can be told the first entry, that differs. ``entry`` and
            ``file`` are in its fields.
        InvalidInputError: the vkey is not one.
    """
    root = Path(path)
    with _naming():
        yield from _checked(root, (vkey, *former), Verified())


def resume_check(path: Path | str, vkey: str, state: Path, former: Sequence[str] = ()) -> Iterator[Progress]:
    """Check like ``check_folder``, save for the spans that an earlier such check knew and that did not change since.

    What it knows is kept in ``state``, also when it is stopped half way (``ledger.log.storage.resumption`` says what it
    holds and what a resumed check does not find).

    Raises:
        IntegrityError: as ``check_folder``; also of ``state``, if it was altered or is another log's.
        InvalidInputError: the vkey is not one.
    """
    root, vkeys = Path(path), (vkey, *former)
    with _naming():
        known = read_known(state, vkeys)
        key, *before = [Ed25519Verifier.from_vkey(one) for one in vkeys]
        size = read_checkpoint(FolderFetcher(root), key, former=before).size
        # Before anything is read: what changes while it is read is another span to the next check.
        identities = span_identities(root, size)
        same = takewhile(lambda pair: pair[0].identity == pair[1], zip(known, identities, strict=False))
        kept = [span for span, _ in same]
        try:
            yield from _remembering(root, vkeys, state, identities, kept)
        except (VerificationError, MissingFileError):
            if not kept:
                raise
            # What was known is as suspect as the log: everything is read, and whatever differs is named.
            yield from _checked(root, vkeys, Verified())
            raise IntegrityError(state.name, "what it knows is not what the log holds; remove it") from None


def _remembering(
    root: Path, vkeys: Sequence[str], state: Path, identities: Sequence[str], kept: Sequence[KnownSpan]
) -> Iterator[Progress]:
    """Check what is not kept, and write to ``state`` what is found on the way."""
    known, saved, last = list(kept), len(kept), time.monotonic()
    for progress in _checked(root, vkeys, Verified(tuple(span.root for span in kept))):
        yield progress
        # Up to the first span that lacked a file: of what came after the identities were taken nothing is known.
        for span, identity in list(zip(progress.spans, identities, strict=False))[len(known) :]:
            if not identity:
                break
            known.append(KnownSpan(span, identity))
        if len(known) > saved and (time.monotonic() - last > _SAVE_EACH_S or progress.entries == progress.size):
            write_known(state, vkeys[0], known)
            saved, last = len(known), time.monotonic()


@contextmanager
def _naming() -> Iterator[None]:
    """Name the file and the entry of whatever differs."""
    try:
        yield
    except BadEntryError as error:
        raise IntegrityError(error.path, error.reason, file=error.path, entry=error.index) from error
    except BadTileError as error:
        raise IntegrityError(error.path, error.reason, file=error.path) from error
    except MissingFileError as error:
        raise IntegrityError(error.path, "the file is missing", file=error.path) from error
    except VerificationError as error:
        raise IntegrityError(CHECKPOINT_PATH, error.reason, file=CHECKPOINT_PATH) from error


def _checked(root: Path, vkeys: Sequence[str], known: Verified) -> Iterator[Progress]:
    fetcher = FolderFetcher(root)
    checkpoint: Checkpoint | None = None
    key, *former = [Ed25519Verifier.from_vkey(vkey) for vkey in vkeys]
    for progress in verify_log(fetcher, key, former=former, known=known, spans=partial(span_roots, root)):
        checkpoint = progress.checkpoint
        yield progress
    if checkpoint is not None:
        _check_journal(root / JOURNAL_FOLDER, TileReader(fetcher, checkpoint.size), checkpoint.size)
        check_leftovers(root, fetcher, checkpoint.size)


def _check_journal(folder: Path, tiles: TileReader, size: int) -> None:
    """Return if the journal's entries below ``size`` are those of the tree, and it goes on at least as far."""
    segments = read_segments(folder)
    if segments and segments[-1].end < size:
        # An entry is in the journal before it is in a checkpoint, so what is missing was damaged, not torn.
        name, end = segments[-1].path.name, segments[-1].end
        raise IntegrityError(name, f"the journal ends with entry {end - 1} of {size} published", file=name, entry=end)
    for segment in segments:
        name = segment.path.name
        for index, entry in enumerate(segment.entries[: max(0, size - segment.first)], segment.first):
            if leaf_hash(entry) != tiles.node(0, index):
                raise IntegrityError(
                    name, f"entry {index} of the journal is not the published one", file=name, entry=index
                )
