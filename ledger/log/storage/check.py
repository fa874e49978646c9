"""Recomputes a log's folder from its entries and stops at the first thing that differs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.client import verify_log
from ledger.log.errors import BadEntryError, BadTileError, MissingFileError
from ledger.log.note import Ed25519Verifier
from ledger.log.storage.files import FolderFetcher
from ledger.log.storage.folder import JOURNAL_FOLDER
from ledger.log.storage.leftover import check_leftovers, read_segments
from ledger.log.tiles import CHECKPOINT_PATH, TileReader
from ledger.log.tree import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.log.checkpoint import Checkpoint
    from ledger.log.client import Progress


def check_folder(path: Path | str, vkey: str) -> Iterator[Progress]:
    """Check checkpoint, entries, tiles and journal of a log's folder, also while another process appends to it.

    Every file that readers may get is read: those that the checkpoint needs, and partial ones of other widths.

    Yields:
        How many entries agree so far, after each bundle.

    Raises:
        IntegrityError: the first file, and where it can be told the first entry, that differs. ``entry`` and
            ``file`` are in its fields.
        InvalidInputError: the vkey is not one.
    """
    root = Path(path)
    fetcher = FolderFetcher(root)
    checkpoint: Checkpoint | None = None
    try:
        for progress in verify_log(fetcher, Ed25519Verifier.from_vkey(vkey)):
            checkpoint = progress.checkpoint
            yield progress
        if checkpoint is not None:
            _check_journal(root / JOURNAL_FOLDER, TileReader(fetcher, checkpoint.size), checkpoint.size)
            check_leftovers(root, fetcher, checkpoint.size)
    except BadEntryError as error:
        raise IntegrityError(error.path, error.reason, file=error.path, entry=error.index) from error
    except BadTileError as error:
        raise IntegrityError(error.path, error.reason, file=error.path) from error
    except MissingFileError as error:
        raise IntegrityError(error.path, "the file is missing", file=error.path) from error
    except VerificationError as error:
        raise IntegrityError(CHECKPOINT_PATH, error.reason, file=CHECKPOINT_PATH) from error


def _check_journal(folder: Path, tiles: TileReader, size: int) -> None:
    """Return if the journal's entries below ``size`` are those of the tree."""
    for segment in read_segments(folder):
        name = segment.path.name
        for index, entry in enumerate(segment.entries[: max(0, size - segment.first)], segment.first):
            if leaf_hash(entry) != tiles.node(0, index):
                raise IntegrityError(
                    name, f"entry {index} of the journal is not the published one", file=name, entry=index
                )
