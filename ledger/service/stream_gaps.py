"""Which streams of a log are whole: told from its public leaves alone, to a reader who has nothing else.

A leaf holds its stream, its number in it and the hash of the stream's leaf before it (docs/spec/entry-v1.md §3). So a
leaf that was left out, put in, repeated or moved shows as a number or a hash that does not follow, whoever kept it.
Whose stream it is, and whether events came after its last leaf, leaves do not tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import InvalidInputError
from ledger.domain.event_v1 import NO_HASH
from ledger.domain.leaf import parse_leaf
from ledger.log.tiles import TILE_WIDTH, read_bundle, tile_width
from ledger.log.tree import leaf_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.log.ports import Fetcher

MOST_TOLD: Final = 1_000


@dataclass(frozen=True, slots=True)
class Gap:
    """A leaf that does not follow the one before it in its stream."""

    index: int
    stream: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """How far a scan has come: entries read, streams met, and what does not follow in the newest bundle."""

    entries: int
    streams: int
    gaps: tuple[Gap, ...]


def scan_streams(fetcher: Fetcher, size: int) -> Iterator[Scanned]:
    """Read every leaf of a log of ``size`` entries and yield, after each bundle, what does not follow.

    The bundles are taken as they are: check the log first (`verify_log`), or what is told is of altered files.

    Raises:
        VerificationError: A bundle does not hold its entries.
        MissingFileError: A bundle is not there.
    """
    last: dict[str, tuple[int, str]] = {}
    for bundle in range(-(-size // TILE_WIDTH)):
        gaps: list[Gap] = []
        entries = read_bundle(fetcher, bundle, tile_width(0, bundle, size))
        for index, entry in enumerate(entries, bundle * TILE_WIDTH):
            try:
                leaf = parse_leaf(entry)
            except InvalidInputError as error:
                gaps.append(Gap(index, "", f"it is no leaf of a stream: {error.explain()}"))
                continue
            before, prev = last.get(leaf.stream, (-1, NO_HASH))
            if leaf.seq > before + 1:
                gaps.append(
                    Gap(index, leaf.stream, f"number {leaf.seq} follows {before}: {_missing(before, leaf.seq)}")
                )
            elif leaf.seq <= before:
                gaps.append(Gap(index, leaf.stream, f"number {leaf.seq} comes after {before}: the stream forks"))
            elif leaf.prev != prev:
                gaps.append(Gap(index, leaf.stream, f"number {leaf.seq} names another leaf as the one before it"))
            last[leaf.stream] = (leaf.seq, leaf_hash(entry).hex())
        yield Scanned(bundle * TILE_WIDTH + len(entries), len(last), tuple(gaps))


def _missing(before: int, number: int) -> str:
    first, last = before + 1, number - 1
    return f"{first} is missing" if first == last else f"{first} to {last} are missing"
