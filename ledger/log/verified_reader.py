"""Reads single entries of a log that somebody else keeps, each proved to be under a signed checkpoint.

Tiles that have been verified are kept, so that a read costs little more than its entry. A tile is verified when its
root is the hash that the tile above it holds for it; the partial tiles at the tree's right edge are verified together,
since the signed root is made of them. What was verified once stays so: a newer checkpoint is believed only when the
old root comes out of its tiles.

    reader = VerifiedReader(HTTPFetcher("http://127.0.0.1:8440/"), Ed25519Verifier.from_vkey(vkey))
    entry = reader.read(41)
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Protocol

from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.checkpoint import Checkpoint, open_checkpoint
from ledger.log.errors import MissingFileError
from ledger.log.tiles import (
    CHECKPOINT_PATH,
    TILE_WIDTH,
    decode_bundle,
    decode_tile,
    entries_path,
    peaks_of_tile,
    place,
    right_edge,
    tile_path,
    tile_width,
)
from ledger.log.tree import EMPTY_ROOT, fold, leaf_hash, perfect_root, root_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.log.ports import NoteVerifier

_STEP: Final = "tile"
_KEPT_TILES: Final = 4096
"""Verified full tiles that are kept: 256 hashes each, some 80 MB at most, the proofs of a million entries."""


class ManyFetcher(Protocol):
    """Reads several public files of a log at once."""

    def read_many(self, paths: Sequence[str], /) -> list[bytes | None]:
        """Return the files in the order asked for, None for each that is not there."""
        ...


class VerifiedReader:
    """Believes a log's key, and nothing that does not lead to what it signed. For one thread at a time."""

    def __init__(
        self, fetcher: ManyFetcher, verifier: NoteVerifier, *, origin: str = "", kept_tiles: int = _KEPT_TILES
    ) -> None:
        """Read through a fetcher; nothing is read yet.

        Args:
            fetcher: reads the log's files.
            verifier: the log's key.
            origin: the log's name, where it is not the key's.
            kept_tiles: how many verified full tiles are kept.
        """
        self._fetcher = fetcher
        self._verifier = verifier
        self._origin = origin
        self._kept_tiles = kept_tiles
        self._note = b""
        self._checkpoint = Checkpoint(origin or verifier.name, 0, EMPTY_ROOT)
        self._edge: dict[tuple[int, int], list[bytes]] = {}
        self._full: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()
        self._at_hand: dict[str, bytes | None] = {}

    @property
    def checkpoint(self) -> Checkpoint:
        """The newest checkpoint that was verified."""
        return self._checkpoint

    def refresh(self) -> Checkpoint:
        """Take the log's newest checkpoint, and return it once it is proved to extend the one before.

        Raises:
            VerificationError: it is not signed by the log's key, or not an extension.
            MissingFileError: a file that it promises is not there.
        """
        self._at_hand = {}
        self._take(self._file(CHECKPOINT_PATH))
        return self._checkpoint

    def read(self, index: int) -> bytes:
        """Return an entry, proved under the newest checkpoint that the log shows now.

        Raises:
            InvalidInputError: the log has no such entry.
            VerificationError: the entry, a tile or the checkpoint is not what the log's key signed.
            MissingFileError: a file that the checkpoint promises is not there.
        """
        bundle, position = divmod(index, TILE_WIDTH)
        wanted = [CHECKPOINT_PATH]
        if index >= 0 and tile_width(0, bundle, self._checkpoint.size) == TILE_WIDTH:
            wanted.append(entries_path(bundle))
            if (0, bundle) not in self._full:
                wanted.append(tile_path(0, bundle))
        self._at_hand = dict(zip(wanted, self._fetcher.read_many(wanted), strict=True))
        self._take(self._file(CHECKPOINT_PATH))
        if not 0 <= index < self._checkpoint.size:
            raise InvalidInputError("index", index, f"0 to {self._checkpoint.size - 1}")
        entry = self._bundle(bundle)[position]
        if leaf_hash(entry) != self._tile(0, bundle)[position]:
            raise VerificationError(_STEP, f"entry {index} is not the one that the signed tree holds")
        self._at_hand = {}
        return entry

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a perfect subtree, verified: a NodeReader."""
        tile_level, tile, first, last = place(level, index)
        return perfect_root(self._tile(tile_level, tile)[first:last])

    def _take(self, note: bytes) -> None:
        """Believe a note if it is signed, the edge gives its root, and its tree begins with the one before."""
        if note == self._note:
            return
        old, old_edge = self._checkpoint, self._edge
        new = open_checkpoint(note, self._verifier, origin=self._origin)
        if new.size < old.size:
            raise VerificationError("consistency", f"the log shrank from {old.size} to {new.size} entries")
        edge = self._read_edge(new)
        self._checkpoint, self._edge = new, edge
        try:
            if old.size and root_at(self, old.size) != old.root:
                raise VerificationError("consistency", f"the first {old.size} entries are not those of before")
        except BaseException:  # Also when interrupted: what is not proved must not stay.
            self._checkpoint, self._edge = old, old_edge
            raise
        self._note = note

    def _read_edge(self, checkpoint: Checkpoint) -> dict[tuple[int, int], list[bytes]]:
        places = list(right_edge(checkpoint.size))
        paths = [tile_path(level, index, width) for level, index, width in places]
        found = self._fetcher.read_many(paths) if paths else []
        edge = {}
        for (level, index, width), data in zip(places, found, strict=True):
            if data is not None:
                edge[level, index] = decode_tile(data, width)
            else:  # A partial tile may be gone when the full one is there.
                edge[level, index] = decode_tile(self._file(tile_path(level, index)), TILE_WIDTH)[:width]
        peaks: list[bytes] = []
        for level, index, _ in reversed(places):
            peaks += peaks_of_tile(edge[level, index])
        if fold(peaks) != checkpoint.root:
            raise VerificationError(_STEP, f"the tiles at the edge of {checkpoint.size} entries do not give its root")
        return edge

    def _tile(self, level: int, index: int) -> list[bytes]:
        """Return a verified tile of the checkpoint's tree."""
        key = (level, index)
        if (tile := self._full.get(key)) is not None:
            self._full.move_to_end(key)
            return tile
        if tile_width(level, index, self._checkpoint.size) < TILE_WIDTH:
            return self._edge[key]
        tile = decode_tile(self._file(tile_path(level, index)), TILE_WIDTH)
        if perfect_root(tile) != self._tile(level + 1, index // TILE_WIDTH)[index % TILE_WIDTH]:
            raise VerificationError(_STEP, f"{tile_path(level, index)} is not the one that the signed tree holds")
        self._full[key] = tile
        if len(self._full) > self._kept_tiles:
            self._full.popitem(last=False)
        return tile

    def _bundle(self, index: int) -> list[bytes]:
        """Return a bundle's entries, none of them verified."""
        width = tile_width(0, index, self._checkpoint.size)
        if width < TILE_WIDTH:
            try:
                return decode_bundle(self._file(entries_path(index, width)), width)
            except MissingFileError:
                pass  # A partial bundle may be gone when the full one is there.
        return decode_bundle(self._file(entries_path(index)), TILE_WIDTH)

    def _file(self, path: str) -> bytes:
        """Return a file, from what was fetched together if it is among that."""
        data = self._at_hand[path] if path in self._at_hand else self._fetcher.read_many([path])[0]
        if data is None:
            raise MissingFileError(path)
        return data
