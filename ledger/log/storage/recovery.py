"""What an opened folder holds: the journal's entries after the tiles that no journal covers any more.

Nothing is written here. What cannot come from a crash is an IntegrityError that names the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.checkpoint import Checkpoint, open_checkpoint_of_any
from ledger.log.encoded import EncodedEntries
from ledger.log.errors import MissingFileError
from ledger.log.note import Ed25519Verifier
from ledger.log.storage.edge import Edge, tile_root
from ledger.log.storage.journal import read_segment, segment_paths
from ledger.log.storage.reader import LogReader
from ledger.log.tiles import CHECKPOINT_PATH, TILE_HEIGHT, TILE_WIDTH, decode_tile, tile_path
from ledger.log.tree import EMPTY_ROOT, perfect_root, root_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ledger.log.ports import Fetcher, NoteSigner, NoteVerifier
    from ledger.log.storage.edge import TileRoot
    from ledger.log.storage.journal import Segment


@dataclass(frozen=True, slots=True)
class Recovered:
    """The edge of the tree, the last segment to continue, and every segment's first index and path."""

    edge: Edge
    last: Segment
    segments: tuple[tuple[int, Path], ...]


def recover(journal: Path, fetcher: Fetcher, root_of: TileRoot = tile_root) -> Recovered:
    """Return what the journal and the tiles hold; there is at least one segment. ``root_of`` hashes full tiles.

    Raises:
        IntegrityError: a segment is damaged or missing, or a full tile before the journal is missing or short.
    """
    last: Segment | None = None
    edge: Edge | None = None
    segments: list[tuple[int, Path]] = []
    for path in segment_paths(journal):
        segment = read_segment(path)
        if last is None or edge is None:
            edge = Edge(segment.first, _upper_levels(fetcher, segment.first), root_of)
        else:
            _check_follows(last, segment)
        fresh = segment.entries[edge.size - segment.first :]
        if fresh:
            edge.add(EncodedEntries.of(fresh))
        segments.append((segment.first, path))
        last = segment
    if last is None or edge is None:
        raise IntegrityError("journal", "the log has files but no journal")
    return Recovered(edge, last, tuple(segments))


def read_published(
    fetcher: Fetcher, recovered: Recovered, signer: NoteSigner, former: Sequence[NoteVerifier] = ()
) -> tuple[bytes, Checkpoint]:
    """Return the published checkpoint, which the recovered entries must lead to.

    The log's key or one of its former keys signed it.

    Raises:
        IntegrityError: it is missing, altered, larger than the log, or another tree's.
    """
    size = recovered.edge.size
    try:
        note = fetcher.read(CHECKPOINT_PATH)
    except MissingFileError as error:
        if size == 0:
            return b"", Checkpoint(signer.name, 0, EMPTY_ROOT)
        raise IntegrityError(CHECKPOINT_PATH, f"the log has {size} entries but no checkpoint") from error
    try:
        published = open_checkpoint_of_any(note, [Ed25519Verifier.from_vkey(signer.vkey), *former])
    except VerificationError as error:
        raise IntegrityError(CHECKPOINT_PATH, error.reason) from error
    if published.size > size:
        raise IntegrityError(
            recovered.last.path.name,
            f"the journal ends at entry {size}, the checkpoint promises {published.size}",
            entry=size,
        )
    if root_at(LogReader(fetcher, recovered.edge, Lock()), published.size) != published.root:
        raise IntegrityError(CHECKPOINT_PATH, f"the log's first {published.size} entries do not give its root")
    return note, published


def _check_follows(before: Segment, segment: Segment) -> None:
    """Return if a segment begins where the one before it ended; only the last may have lost its end."""
    if before.is_torn:
        raise IntegrityError(before.path.name, f"the journal is damaged after entry {before.end}", entry=before.end)
    overlap = before.entries[segment.first - before.first :]
    is_copied = segment.first_frame_end == before.end and segment.entries[: len(overlap)] == overlap
    if segment.first != before.end and not (segment.first < before.end and is_copied):
        raise IntegrityError(
            before.path.name, f"the segment after it does not continue at entry {before.end}", entry=before.end
        )


def _upper_levels(fetcher: Fetcher, size: int) -> list[list[bytes]]:
    """Return the hashes of the partial tile of each level above 0, from the full tiles under them."""
    levels = []
    level = 1
    while nodes := size >> (TILE_HEIGHT * level):
        first = nodes // TILE_WIDTH * TILE_WIDTH
        levels.append([perfect_root(_full_tile(fetcher, level - 1, index)) for index in range(first, nodes)])
        level += 1
    return levels


def _full_tile(fetcher: Fetcher, level: int, index: int) -> list[bytes]:
    path = tile_path(level, index)
    try:
        return decode_tile(fetcher.read(path), TILE_WIDTH)
    except MissingFileError as error:
        raise IntegrityError(path, "a full tile of the log is missing") from error
    except VerificationError as error:
        raise IntegrityError(path, error.reason) from error
