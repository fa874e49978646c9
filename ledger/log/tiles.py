"""C2SP tlog-tiles: where a log's hashes and entries are, and how proofs are read from there.

A tile of level L holds up to 256 hashes of nodes of tree level 8·L, and each full tile's root is one hash of the
tile above it. An entry bundle holds the up to 256 entries under a level-0 tile, each after its length as a
big-endian uint16. A partial tile or bundle, ``….p/W``, holds the first W; it may be gone once the full one is
there. Nothing read here is authenticated by itself: what is made from it must lead to a signed root.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING

from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.errors import MissingFileError
from ledger.log.tree import HASH_SIZE_BYTES, nodes_covering, perfect_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.log.ports import Fetcher

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_ENTRY_BYTES = 0xFFFF
"""An entry's length is a uint16 in its bundle."""

CHECKPOINT_PATH = "checkpoint"

_LEAF = b"\x00"
_LENGTH_BYTES = 2
_CACHED_TILES = 64
_STEP = "tile"


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Return a tile's path, such as ``tile/0/x001/234`` or ``tile/1/000.p/7``."""
    return f"tile/{level}/{_number(index)}{_suffix(width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """Return an entry bundle's path, such as ``tile/entries/x001/234.p/8``."""
    return f"tile/entries/{_number(index)}{_suffix(width)}"


def tile_width(level: int, index: int, size: int) -> int:
    """Return how many hashes tile ``index`` of ``level`` has in a log of ``size`` entries (0 to 256)."""
    nodes = size >> (TILE_HEIGHT * level)
    return max(0, min(TILE_WIDTH, nodes - index * TILE_WIDTH))


def right_edge(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (level, index, width) of the partial tile of each level that has one, from level 0 up."""
    level = 0
    while nodes := size >> (TILE_HEIGHT * level):
        if width := nodes % TILE_WIDTH:
            yield level, nodes // TILE_WIDTH, width
        level += 1


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the entries as a bundle's bytes.

    Raises:
        InvalidInputError: an entry is longer than 65,535 bytes.
    """
    parts = []
    for position, entry in enumerate(entries):
        if len(entry) > MAX_ENTRY_BYTES:
            raise InvalidInputError(
                field=f"entries[{position}]",
                value=f"{len(entry)} bytes",
                allowed=f"at most {MAX_ENTRY_BYTES} bytes",
            )
        parts.append(len(entry).to_bytes(_LENGTH_BYTES, "big"))
        parts.append(entry)
    return b"".join(parts)


def decode_bundle(data: bytes, count: int) -> list[bytes]:
    """Return the ``count`` entries that the bundle's bytes hold, exactly.

    Raises:
        VerificationError: the bytes hold fewer or more.
    """
    entries = []
    position = 0
    for index in range(count):
        start = position + _LENGTH_BYTES
        position = start + int.from_bytes(data[position:start], "big")
        if position > len(data) or start > len(data):
            raise VerificationError(step=_STEP, reason=f"the bundle ends within entry {index}")
        entries.append(data[start:position])
    if position != len(data):
        raise VerificationError(step=_STEP, reason=f"{len(data) - position} bytes after the bundle's {count} entries")
    return entries


def bundle_hashes(data: bytes, count: int) -> list[bytes]:
    """Return the leaf hashes of the ``count`` entries that the bundle's bytes hold, exactly.

    It is the inner loop of every check of a log, so it makes no object for an entry besides its hash.

    Raises:
        VerificationError: the bytes hold fewer or more.
    """
    hashes: list[bytes] = []
    position, total = 0, len(data)
    step = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    if total == count * step and data[::step] == data[:1] * count and data[1::step] == data[1:2] * count:
        # All are of one length, as a batch's leaves mostly are.
        return [sha256(_LEAF + data[end - step + _LENGTH_BYTES : end]).digest() for end in range(step, total + 1, step)]
    try:
        for _ in range(count):
            start = position + _LENGTH_BYTES
            position = start + (data[position] << 8 | data[position + 1])
            hashes.append(sha256(_LEAF + data[start:position]).digest())
    except IndexError as error:
        raise VerificationError(step=_STEP, reason=f"the bundle ends within entry {len(hashes)}") from error
    if position > total:
        raise VerificationError(step=_STEP, reason=f"the bundle ends within entry {count - 1}")
    if position != total:
        raise VerificationError(step=_STEP, reason=f"{total - position} bytes after the bundle's {count} entries")
    return hashes


def decode_tile(data: bytes, width: int) -> list[bytes]:
    """Return the ``width`` hashes that the tile's bytes hold, exactly.

    Raises:
        VerificationError: the bytes are not that many hashes.
    """
    if len(data) != width * HASH_SIZE_BYTES:
        raise VerificationError(step=_STEP, reason=f"the tile has {len(data)} bytes, not {width * HASH_SIZE_BYTES}")
    return [data[start : start + HASH_SIZE_BYTES] for start in range(0, len(data), HASH_SIZE_BYTES)]


def read_tile(fetcher: Fetcher, level: int, index: int, width: int) -> list[bytes]:
    """Return a tile's first ``width`` hashes, from the partial tile or else from the full one.

    Raises:
        VerificationError: the file has another length.
        MissingFileError: neither file is there.
    """
    if width < TILE_WIDTH:
        try:
            return decode_tile(fetcher.read(tile_path(level, index, width)), width)
        except MissingFileError:
            pass
    return decode_tile(fetcher.read(tile_path(level, index)), TILE_WIDTH)[:width]


def read_bundle(fetcher: Fetcher, index: int, width: int) -> list[bytes]:
    """Return a bundle's first ``width`` entries, from the partial bundle or else from the full one.

    Raises:
        VerificationError: the file does not hold exactly its entries.
        MissingFileError: neither file is there.
    """
    if width < TILE_WIDTH:
        try:
            return decode_bundle(fetcher.read(entries_path(index, width)), width)
        except MissingFileError:
            pass
    return decode_bundle(fetcher.read(entries_path(index)), TILE_WIDTH)[:width]


def read_entry_hashes(fetcher: Fetcher, index: int, width: int) -> list[bytes]:
    """Return the leaf hashes of a bundle's first ``width`` entries, from the partial bundle or else from the full one.

    Raises:
        VerificationError: the file does not hold exactly its entries.
        MissingFileError: neither file is there.
    """
    if width < TILE_WIDTH:
        try:
            return bundle_hashes(fetcher.read(entries_path(index, width)), width)
        except MissingFileError:
            pass
    return bundle_hashes(fetcher.read(entries_path(index)), TILE_WIDTH)[:width]


class TileReader:
    """A NodeReader over the tiles of a published log of ``size`` entries; one tile read for a node."""

    __slots__ = ("_cache", "_fetcher", "_size")

    def __init__(self, fetcher: Fetcher, size: int) -> None:
        """Read through ``fetcher`` the tiles that a checkpoint of ``size`` promises."""
        self._fetcher = fetcher
        self._size = size
        self._cache: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a perfect subtree.

        Raises:
            InvalidInputError: the log is too small to have the node.
            VerificationError: the tile that holds it has another length.
            MissingFileError: the tile is not there.
        """
        if (index + 1) << level > self._size:
            raise InvalidInputError(field="node", value=f"({level}, {index})", allowed=f"within {self._size} leaves")
        tile_level, tile_index, first, last = place(level, index)
        return perfect_root(self._tile(tile_level, tile_index)[first:last])

    def _tile(self, level: int, index: int) -> list[bytes]:
        key = (level, index)
        tile = self._cache.get(key)
        if tile is None:
            tile = read_tile(self._fetcher, level, index, tile_width(level, index, self._size))
            self._cache[key] = tile
            if len(self._cache) > _CACHED_TILES:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(key)
        return tile


def place(level: int, index: int) -> tuple[int, int, int, int]:
    """Return (tile level, tile index, first, last): the hashes [first, last) of that tile are under the node."""
    tile_level, height = divmod(level, TILE_HEIGHT)
    begin = index << height
    first = begin % TILE_WIDTH
    return tile_level, begin // TILE_WIDTH, first, first + (1 << height)


def peaks_of_tile(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the roots of the perfect subtrees over a (partial) tile's hashes, largest first."""
    return [
        perfect_root(hashes[index << level : (index + 1) << level]) for level, index in nodes_covering(0, len(hashes))
    ]


def _number(index: int) -> str:
    """Return the index in groups of three digits, ``x`` before all but the last."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])


def _suffix(width: int) -> str:
    if not 1 <= width <= TILE_WIDTH:
        raise InvalidInputError(field="width", value=str(width), allowed=f"1 to {TILE_WIDTH}")
    return "" if width == TILE_WIDTH else f".p/{width}"
