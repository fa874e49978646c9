"""Reads a log that somebody else keeps, and believes nothing but its key's signature.

``verify_log`` recomputes every tile and the root from the entries, like an auditor with a copy of the log::

    fetcher = ...
    for progress in verify_log(fetcher, Ed25519Verifier.from_vkey(vkey)):
        print(progress.entries, "of", progress.size)

Memory stays within 256 hashes a level and one bundle, however large the log is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol

from ledger.domain.errors import VerificationError
from ledger.log.checkpoint import open_checkpoint, open_checkpoint_of_any
from ledger.log.errors import BadEntryError, BadRootError, BadTileError, MissingFileError
from ledger.log.proofs import root_from_inclusion, verify_consistency, verify_inclusion
from ledger.log.tiles import (
    CHECKPOINT_PATH,
    TILE_HEIGHT,
    TILE_WIDTH,
    TileReader,
    bundle_hashes,
    entries_path,
    peaks_of_tile,
    read_bundle,
    read_entry_hashes,
    read_tile,
    tile_path,
    tile_width,
)
from ledger.log.tree import consistency_proof, fold, inclusion_proof, leaf_hash, perfect_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ledger.log.checkpoint import Checkpoint
    from ledger.log.ports import Fetcher, NoteVerifier


SPAN_ENTRIES = TILE_WIDTH * TILE_WIDTH
"""Entries of a span: what one full tile of level 1 covers, the unit in which a check is divided and resumed."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check found before: the root over each full span from the log's beginning, in order."""

    roots: tuple[bytes, ...] = ()


NOTHING = Verified()


class Spans(Protocol):
    """Checks full spans in their order, such as with several processes."""

    def __call__(self, spans: range, /) -> Iterator[bytes | None]:
        """Yield the root of each span, None for the first of which a file is missing or differs."""
        ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check has come: ``entries`` of ``size`` agree so far, under ``checkpoint``.

    ``spans`` are the roots of the full spans among them.
    """

    entries: int
    size: int
    checkpoint: Checkpoint
    spans: tuple[bytes, ...] = ()


def read_checkpoint(
    fetcher: Fetcher, verifier: NoteVerifier, *, origin: str = "", former: Sequence[NoteVerifier] = ()
) -> Checkpoint:
    """Return the log's newest checkpoint.

    Args:
        fetcher: where the log's files are.
        verifier: the log's key.
        origin: the log's name, that of its key if empty.
        former: keys of the same name that the log signed with before, any of which may have signed it.

    Raises:
        VerificationError: it is not a checkpoint of this origin signed by one of these keys.
        MissingFileError: there is none.
    """
    note = fetcher.read(CHECKPOINT_PATH)
    if former:
        return open_checkpoint_of_any(note, [verifier, *former])
    return open_checkpoint(note, verifier, origin=origin)


def read_entry(fetcher: Fetcher, index: int, checkpoint: Checkpoint) -> bytes:
    """Return one entry, proved to be in the checkpoint's tree.

    Raises:
        VerificationError: the entry, a tile or the checkpoint was altered.
        MissingFileError: a file that the checkpoint promises is not there.
        InvalidInputError: the index is not below the checkpoint's size.
    """
    proof = inclusion_proof(TileReader(fetcher, checkpoint.size), index, checkpoint.size)
    bundle, position = divmod(index, TILE_WIDTH)
    entry = read_bundle(fetcher, bundle, tile_width(0, bundle, checkpoint.size))[position]
    verify_inclusion(leaf_hash(entry), index, checkpoint.size, proof, checkpoint.root)
    return entry


def check_extends(fetcher: Fetcher, old: Checkpoint, new: Checkpoint) -> None:
    """Return if the newer checkpoint's tree begins with the older one's, by a proof from the log's tiles.

    A checkpoint of size 0 is extended by every tree.

    Raises:
        VerificationError: it does not, or a tile was altered, or the new one is smaller.
        MissingFileError: a tile that the new checkpoint promises is not there.
    """
    if old.size == 0:
        return
    if old.size > new.size:
        raise VerificationError(step="consistency", reason=f"the log shrank from {old.size} to {new.size} entries")
    proof = consistency_proof(TileReader(fetcher, new.size), old.size, new.size)
    verify_consistency(old.size, new.size, proof, old.root, new.root)


def verify_log(
    fetcher: Fetcher,
    verifier: NoteVerifier,
    *,
    origin: str = "",
    former: Sequence[NoteVerifier] = (),
    known: Verified = NOTHING,
    spans: Spans | None = None,
) -> Iterator[Progress]:
    """Recompute the whole log from its entry bundles, yielding after each bundle, or each span that ``spans`` checks.

    Steps: (1) the checkpoint and its signature; (2) each entry against its level-0 tile; (3) each tile above
    against the tiles under it; (4) the root against the checkpoint. The root covers what is ``known`` too, so a wrong
    one never passes; but its entries are not read again.

    Args:
        fetcher: where the log's files are.
        verifier: the log's key.
        origin: the log's name, that of its key if empty.
        former: keys that the log signed with before: until it grows, one of them may have signed what it shows.
        known: the spans that were checked before.
        spans: checks many full spans faster, such as with several processes; a span that it cannot vouch for is
            checked here again, so that what differs is named.

    Raises:
        BadEntryError: the first entry that differs from what the tree was built from.
        BadTileError: the first tile that differs from what the entries give.
        BadRootError: entries and tiles agree, the signed root differs.
        VerificationError: the checkpoint is not the log's, or a file has another length.
        MissingFileError: a file that the checkpoint promises is not there.
    """
    checkpoint = read_checkpoint(fetcher, verifier, origin=origin, former=former)
    size = checkpoint.size
    above = _Above(fetcher, checkpoint)
    full = min(len(known.roots), size // SPAN_ENTRIES)
    for index, root in enumerate(known.roots[:full]):
        above.add_span(index, root)
    yield Progress(full * SPAN_ENTRIES, size, checkpoint, known.roots[:full])
    if spans is not None:
        for found in spans(range(full, size // SPAN_ENTRIES)):
            if found is None:
                break  # Something differs in it. It is read again below, to name what.
            above.add_span(full, found)
            full += 1
            yield Progress(full * SPAN_ENTRIES, size, checkpoint, above.spans)
    for index in range(full * TILE_WIDTH, -(-size // TILE_WIDTH)):
        width = tile_width(0, index, size)
        hashes = _check_bundle(fetcher, index, width, checkpoint)
        if width == TILE_WIDTH:
            above.add(0, index, perfect_root(hashes))
        else:
            above.keep(hashes)
        yield Progress(min(size, (index + 1) * TILE_WIDTH), size, checkpoint, above.spans)
    root = above.finish()
    if root != checkpoint.root:
        raise BadRootError(size, root, checkpoint.root)


def hash_bundle(data: bytes) -> tuple[bytes, bytes]:
    """Return the leaf hashes of a full bundle, one after another, and their root.

    Raises:
        VerificationError: the bytes do not hold exactly 256 entries.
    """
    hashes = bundle_hashes(data, TILE_WIDTH)
    return b"".join(hashes), perfect_root(hashes)


def span_root(
    fetcher: Fetcher, index: int, hashed: Callable[[bytes], tuple[bytes, bytes]] = hash_bundle
) -> bytes | None:
    """Return the root over span ``index`` from its entries, or None if a file of it is missing or differs.

    Args:
        fetcher: where the log's files are.
        index: the span.
        hashed: does what ``hash_bundle`` does.
    """
    first = index * TILE_WIDTH
    try:
        roots = []
        for bundle in range(first, first + TILE_WIDTH):
            hashes, root = hashed(fetcher.read(entries_path(bundle)))
            if hashes != fetcher.read(tile_path(0, bundle)):
                return None
            roots.append(root)
        return perfect_root(roots) if b"".join(roots) == fetcher.read(tile_path(1, index)) else None
    except (VerificationError, MissingFileError):
        return None


class _Above:
    """The recomputed tiles above level 0, each compared with the log's as soon as it is complete."""

    def __init__(self, fetcher: Fetcher, checkpoint: Checkpoint) -> None:
        self._fetcher = fetcher
        self._checkpoint = checkpoint
        self._size = checkpoint.size
        self._last: list[bytes] = []
        self._levels: list[list[bytes]] = []
        self.spans: tuple[bytes, ...] = ()

    def add_span(self, index: int, root: bytes) -> None:
        """Take the root of full tile ``index`` of level 1, all of which was compared."""
        self.add(1, index, root)

    def add(self, level: int, index: int, root: bytes) -> None:
        """Take the root of full tile ``index`` of ``level``."""
        while level > len(self._levels):
            self._levels.append([])
        if level == 1:
            self.spans += (root,)
        if level == len(self._levels):
            self._levels.append([])
        hashes = self._levels[level]
        hashes.append(root)
        if len(hashes) == TILE_WIDTH:
            self._compare(level + 1, index // TILE_WIDTH, hashes)
            self._levels[level] = []
            self.add(level + 1, index // TILE_WIDTH, perfect_root(hashes))

    def keep(self, hashes: list[bytes]) -> None:
        """Take the leaf hashes of the last, partial tile of level 0."""
        self._last = hashes

    def finish(self) -> bytes:
        """Compare the partial tiles and return the root over everything."""
        peaks: list[bytes] = []
        for level in range(len(self._levels), 0, -1):
            hashes = self._levels[level - 1]
            if hashes:
                index = (self._size >> (TILE_HEIGHT * level)) // TILE_WIDTH
                self._compare(level, index, hashes)
                peaks += peaks_of_tile(hashes)
        return fold(peaks + peaks_of_tile(self._last))

    def _compare(self, level: int, index: int, hashes: list[bytes]) -> None:
        found = read_tile(self._fetcher, level, index, len(hashes))
        if found == hashes:
            return
        position = next(place for place in range(len(hashes)) if hashes[place] != found[place])
        node = index * TILE_WIDTH + position
        if _leads_to_root(self._fetcher, level, node, found[position], self._checkpoint):
            first = node * TILE_WIDTH**level
            raise BadEntryError(
                first,
                entries_path(first // TILE_WIDTH),
                f"it, or one of the {TILE_WIDTH**level - 1} after it, was rewritten together with its tile",
            )
        raise BadTileError(
            tile_path(level, index, len(hashes)),
            position,
            f"{found[position].hex()}, but the entries give {hashes[position].hex()}",
        )


def _check_bundle(fetcher: Fetcher, index: int, width: int, checkpoint: Checkpoint) -> list[bytes]:
    """Return the leaf hashes of a bundle after comparing them with their tile."""
    try:
        hashes = read_entry_hashes(fetcher, index, width)
    except VerificationError as error:
        raise BadEntryError(index * TILE_WIDTH, entries_path(index, width), error.reason) from error
    try:
        tile = read_tile(fetcher, 0, index, width)
    except VerificationError as error:
        raise BadTileError(tile_path(0, index, width), 0, error.reason) from error
    if hashes != tile:
        _blame(fetcher, index, hashes, tile, checkpoint)
    return hashes


def _blame(fetcher: Fetcher, index: int, hashes: list[bytes], tile: list[bytes], checkpoint: Checkpoint) -> NoReturn:
    """Raise for whichever of entry and tile hash does not lead to the signed root; the tile if neither does."""
    position = next(place for place in range(len(hashes)) if hashes[place] != tile[place])
    leaf = index * TILE_WIDTH + position
    path = entries_path(index, len(hashes))
    ours, theirs = hashes[position].hex(), tile[position].hex()
    if _leads_to_root(fetcher, 0, leaf, tile[position], checkpoint):
        raise BadEntryError(leaf, path, f"its hash is {ours}, the signed tree has {theirs}")
    raise BadTileError(
        tile_path(0, index, len(tile)), position, f"{theirs}, but entry {leaf} in {path} hashes to {ours}"
    )


def _leads_to_root(fetcher: Fetcher, level: int, index: int, value: bytes, checkpoint: Checkpoint) -> bool:
    """Say whether the hash at ``index`` of tile level ``level`` is the one that the signed root covers."""
    leaf = index * TILE_WIDTH**level
    try:
        proof = inclusion_proof(TileReader(fetcher, checkpoint.size), leaf, checkpoint.size)
        # Above perfect subtrees the tree has the shape of one with a leaf for each of them.
        width = -(-checkpoint.size // TILE_WIDTH**level)
        root = root_from_inclusion(value, index, width, proof[TILE_HEIGHT * level :])
    except (VerificationError, MissingFileError):
        return False
    return root == checkpoint.root
