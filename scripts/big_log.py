"""Make a log of any size, fast: real leaves in real tiles, signed with a key that is thrown away.

    python -m scripts.big_log FOLDER --entries 10000000

The leaves are those of docs/spec/entry-v1.md §3 (some 380 bytes each): streams take turns, each leaf names the one
before it in its stream. Bundles and tiles are written as they fill, without a journal of what is in them; the journal
at the end holds the last, partial bundle, so that ``FolderLog`` opens the folder like any other. Nothing is synced:
such a log is for measuring reads.
"""

from __future__ import annotations

import argparse
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.log.checkpoint import Checkpoint, sign_checkpoint
from ledger.log.note import Ed25519Signer
from ledger.log.storage.folder import JOURNAL_FOLDER
from ledger.log.storage.journal import JournalWriter
from ledger.log.tiles import CHECKPOINT_PATH, TILE_WIDTH, encode_bundle, entries_path, peaks_of_tile, tile_path
from ledger.log.tree import fold, leaf_hash, perfect_root

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNER: Final = Ed25519Signer("bench.example/log", bytes(32))
STREAMS: Final = 512
"""How many streams take turns."""

_NO_HASH: Final = "0" * 64


def main() -> None:
    """Make a log in a folder, and say what was made."""
    parser = argparse.ArgumentParser(prog="python -m scripts.big_log", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--entries", type=int, default=1_000_000)
    options = parser.parse_args()
    began = time.perf_counter()
    make_log(options.folder, options.entries)
    print(f"{options.entries:,} entries in {time.perf_counter() - began:.1f} s; the log's key is {SIGNER.vkey}")


def make_log(folder: Path, size: int) -> None:
    """Write the log's public files and its journal into a folder that does not exist yet."""
    maker = _Maker(folder)
    (folder / JOURNAL_FOLDER).mkdir(parents=True)
    bundle: list[bytes] = []
    for entry in leaves(size):
        bundle.append(entry)
        if len(bundle) == TILE_WIDTH:
            maker.add_full(bundle)
            bundle = []
    root = maker.finish(bundle)
    first = size // TILE_WIDTH * TILE_WIDTH
    JournalWriter.create(folder / JOURNAL_FOLDER, first, encode_bundle(bundle), len(bundle)).close()
    (folder / CHECKPOINT_PATH).write_bytes(sign_checkpoint(Checkpoint(SIGNER.name, size, root), [SIGNER]))


def leaves(size: int) -> Iterator[bytes]:
    """Yield the bytes of ``size`` leaves; ``LeafV1`` prints each just so."""
    before = [_NO_HASH] * STREAMS
    streams = [sha256(b"stream %d" % number).hexdigest() for number in range(STREAMS)]
    block_hash = sha256(b"block").hexdigest()
    for index in range(size):
        sequence, stream = divmod(index, STREAMS)
        entry = (
            f'{{"accepted_at_ms":{1_800_000_000_000 + index},"block":7,"block_hash":"{block_hash}",'
            f'"commitment":"{sha256(b"%d" % index).hexdigest()}","prev":"{before[stream]}","seq":{sequence},'
            f'"stream":"{streams[stream]}","v":1}}'
        ).encode()
        before[stream] = leaf_hash(entry).hex()
        yield entry


class _Maker:
    """Writes bundles, and tiles of every level as they fill."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._levels: list[list[bytes]] = [[]]
        self._full = [0]

    def add_full(self, bundle: list[bytes]) -> None:
        """Write a full bundle and what it fills."""
        self._put(entries_path(self._full[0]), encode_bundle(bundle))
        self._levels[0] = [leaf_hash(entry) for entry in bundle]
        self._fill(0)

    def finish(self, bundle: list[bytes]) -> bytes:
        """Write the partial bundle and tiles; return the root over everything."""
        self._levels[0] = [leaf_hash(entry) for entry in bundle]
        if bundle:
            self._put(entries_path(self._full[0], len(bundle)), encode_bundle(bundle))
        for level, hashes in enumerate(self._levels):
            if hashes:
                self._put(tile_path(level, self._full[level], len(hashes)), b"".join(hashes))
        return fold([peak for hashes in reversed(self._levels) for peak in peaks_of_tile(hashes)])

    def _fill(self, level: int) -> None:
        hashes = self._levels[level]
        if len(hashes) < TILE_WIDTH:
            return
        self._put(tile_path(level, self._full[level]), b"".join(hashes))
        self._full[level] += 1
        self._levels[level] = []
        if level + 1 == len(self._levels):
            self._levels.append([])
            self._full.append(0)
        self._levels[level + 1].append(perfect_root(hashes))
        self._fill(level + 1)

    def _put(self, path: str, data: bytes) -> None:
        target = self._folder / path
        try:
            target.write_bytes(data)
        except FileNotFoundError:
            target.parent.mkdir(parents=True)
            target.write_bytes(data)


if __name__ == "__main__":
    main()
