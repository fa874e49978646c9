"""The tree that a monitor has hashed itself, held as the partial tiles of its right edge.

``follow`` reads the entries after it, compares each bundle with its tile and each complete tile with the log's, and
returns the grown tree only if it has the root that the log's key signed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from ledger.domain.errors import VerificationError
from ledger.log.errors import BadEntryError, BadRootError, BadTileError, MissingFileError
from ledger.log.proofs import verify_inclusion
from ledger.log.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    TileReader,
    entries_path,
    peaks_of_tile,
    read_bundle,
    read_tile,
    tile_path,
    tile_width,
)
from ledger.log.tree import HASH_SIZE_BYTES, fold, inclusion_proof, leaf_hash, perfect_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.log.checkpoint import Checkpoint
    from ledger.log.ports import Fetcher

_STEP = "monitor's tree"


@dataclass(slots=True)
class HashedTree:
    """A tree of ``size`` entries: the hashes of the partial tile of each level, level 0 first."""

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])

    def copy(self) -> HashedTree:
        """Return a tree that grows apart from this one."""
        return HashedTree(self.size, [list(level) for level in self.levels])

    def root(self) -> bytes:
        """Return the root over all entries so far."""
        return fold([peak for level in reversed(self.levels) for peak in peaks_of_tile(level)])

    def to_json(self) -> dict[str, Any]:
        """Return what ``from_json`` reads."""
        return {"size": self.size, "levels": [[value.hex() for value in level] for level in self.levels]}

    @classmethod
    def from_json(cls, found: Any) -> Self:
        """Return the tree that was kept.

        Raises:
            VerificationError: what was kept is no tree of that size.
        """
        try:
            size, levels = found["size"], [[bytes.fromhex(value) for value in level] for level in found["levels"]]
        except (KeyError, TypeError, ValueError) as error:
            raise VerificationError(_STEP, "the kept tree has another form") from error
        widths = [len(level) for level in levels]
        wanted = [(size >> (TILE_HEIGHT * level)) % TILE_WIDTH for level in range(len(levels))]
        if widths != wanted or size >> (TILE_HEIGHT * len(levels)):
            raise VerificationError(_STEP, f"the kept hashes are not those of {size} entries")
        if any(len(value) != HASH_SIZE_BYTES for level in levels for value in level):
            raise VerificationError(_STEP, "a kept hash has not 32 bytes")
        return cls(size, levels)

    def take(self, fetcher: Fetcher, hashes: Sequence[bytes]) -> None:
        """Add leaf hashes within one tile, comparing each tile above as it becomes complete."""
        self.size += len(hashes)
        level, values = 0, list(hashes)
        while True:
            if level == len(self.levels):
                self.levels.append([])
            tile = self.levels[level]
            tile += values
            if len(tile) < TILE_WIDTH:
                return
            if level:
                _compare(fetcher, level, (self.size >> (TILE_HEIGHT * level)) // TILE_WIDTH - 1, tile)
            values = [perfect_root(tile)]
            self.levels[level] = []
            level += 1


def follow(fetcher: Fetcher, known: HashedTree, checkpoint: Checkpoint) -> HashedTree:
    """Return the tree of a checkpoint, hashed from the entries after the known ones.

    Raises:
        BadEntryError: an entry is not what its tile says, or an entry that was known before has changed.
        BadTileError: a tile does not hold the hashes that the entries give.
        BadRootError: entries and tiles agree with each other, but not with the signed root.
        MissingFileError: a file that the checkpoint promises is not there.
    """
    tree, size = known.copy(), checkpoint.size
    while tree.size < size:
        index, held = divmod(tree.size, TILE_WIDTH)
        width = tile_width(0, index, size)
        hashes = read_hashes(fetcher, index, width, checkpoint)
        if hashes[:held] != tree.levels[0]:
            place = next(place for place in range(held) if hashes[place] != tree.levels[0][place])
            entry = index * TILE_WIDTH + place
            raise BadEntryError(entry, entries_path(index, width), "it is another one than this monitor hashed before")
        tree.take(fetcher, hashes[held:])
    for level in range(1, len(tree.levels)):
        if tree.levels[level]:
            _compare(fetcher, level, (size >> (TILE_HEIGHT * level)) // TILE_WIDTH, tree.levels[level])
    if tree.root() != checkpoint.root:
        raise BadRootError(size, tree.root(), checkpoint.root)
    return tree


def recheck(fetcher: Fetcher, index: int, checkpoint: Checkpoint) -> None:
    """Return if bundle ``index`` is still what the checkpoint covers: entries, tile, and the path to the root.

    Raises:
        BadEntryError: an entry is not what its tile says.
        BadTileError: the tile, or one above it, does not lead to the signed root.
        MissingFileError: a file that the checkpoint promises is not there.
    """
    width = tile_width(0, index, checkpoint.size)
    hashes = read_hashes(fetcher, index, width, checkpoint)
    first = index * TILE_WIDTH
    try:
        proof = inclusion_proof(TileReader(fetcher, checkpoint.size), first, checkpoint.size)
        verify_inclusion(hashes[0], first, checkpoint.size, proof, checkpoint.root)
    except VerificationError as error:
        reason = f"it, or a tile above it, does not lead to the root of {checkpoint.size} entries: {error.reason}"
        raise BadTileError(tile_path(0, index, width), 0, reason) from error


def read_hashes(fetcher: Fetcher, index: int, width: int, checkpoint: Checkpoint) -> list[bytes]:
    """Return the leaf hashes of a bundle's entries, which are its tile's.

    Raises:
        BadEntryError: the bundle does not hold that many entries, or the signed root covers its tile and not an entry.
        BadTileError: the tile holds other hashes.
        MissingFileError: one of the two is not there.
    """
    try:
        hashes = [leaf_hash(entry) for entry in read_bundle(fetcher, index, width)]
    except VerificationError as error:
        raise BadEntryError(index * TILE_WIDTH, entries_path(index, width), error.reason) from error
    try:
        _compare(fetcher, 0, index, hashes)
    except BadTileError as error:
        leaf = index * TILE_WIDTH + error.position
        if _is_covered(fetcher, leaf, checkpoint):
            raise BadEntryError(leaf, entries_path(index, width), "the signed tree has another entry there") from error
        raise
    return hashes


def _is_covered(fetcher: Fetcher, leaf: int, checkpoint: Checkpoint) -> bool:
    """Say whether the hash that the log's tile has for an entry leads to the signed root."""
    try:
        reader = TileReader(fetcher, checkpoint.size)
        proof = inclusion_proof(reader, leaf, checkpoint.size)
        verify_inclusion(reader.node(0, leaf), leaf, checkpoint.size, proof, checkpoint.root)
    except (VerificationError, MissingFileError):
        return False
    return True


def _compare(fetcher: Fetcher, level: int, index: int, hashes: list[bytes]) -> None:
    path = tile_path(level, index, len(hashes))
    try:
        tile = read_tile(fetcher, level, index, len(hashes))
    except VerificationError as error:
        raise BadTileError(path, 0, error.reason) from error
    if tile != hashes:
        place = next(place for place in range(len(hashes)) if hashes[place] != tile[place])
        what = f"entry {index * TILE_WIDTH + place} hashes to" if level == 0 else "the tiles under it give"
        raise BadTileError(path, place, f"it holds {tile[place].hex()}, but {what} {hashes[place].hex()}")
