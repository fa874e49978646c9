from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.errors import MissingFileError
from ledger.log.tiles import (
    MAX_ENTRY_BYTES,
    TileReader,
    decode_bundle,
    decode_tile,
    encode_bundle,
    entries_path,
    read_bundle,
    read_tile,
    right_edge,
    tile_path,
    tile_width,
)
from ledger.log.tree import HashList, leaf_hash, root_at


class DictFetcher:
    """A log's files in memory, and the paths that were read."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.read_paths: list[str] = []

    def read(self, path: str) -> bytes:
        self.read_paths.append(path)
        if path not in self.files:
            raise MissingFileError(path)
        return self.files[path]


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 999, 256, "tile/0/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        (0, 1234, 256, "tile/0/x001/234"),
        (1, 1234067, 256, "tile/1/x001/x234/067"),
        (2, 5, 7, "tile/2/005.p/7"),
        (0, 1234, 255, "tile/0/x001/234.p/255"),
    ],
)
def test_tile_paths_are_those_of_the_standard(level: int, index: int, width: int, path: str) -> None:
    assert tile_path(level, index, width) == path


def test_entry_bundle_paths_are_those_of_the_standard() -> None:
    assert entries_path(1234067) == "tile/entries/x001/x234/067"
    assert entries_path(0, 8) == "tile/entries/000.p/8"


@pytest.mark.parametrize("width", [0, 257])
def test_path_refuses_a_width_that_no_tile_has(width: int) -> None:
    with pytest.raises(InvalidInputError, match="width"):
        tile_path(0, 0, width)


@pytest.mark.parametrize(
    ("size", "edge"),
    [
        (0, []),
        (255, [(0, 0, 255)]),
        (256, [(1, 0, 1)]),
        (70_000, [(0, 273, 112), (1, 1, 17), (2, 0, 1)]),
        (65_536, [(2, 0, 1)]),
    ],
)
def test_right_edge_lists_every_partial_tile(size: int, edge: list[tuple[int, int, int]]) -> None:
    assert list(right_edge(size)) == edge
    assert all(tile_width(level, index, size) == width for level, index, width in edge)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundle_round_trips(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries), len(entries)) == entries


def test_bundle_holds_the_longest_entry_and_refuses_a_longer_one() -> None:
    longest = b"x" * MAX_ENTRY_BYTES
    assert decode_bundle(encode_bundle([b"", longest]), 2) == [b"", longest]
    with pytest.raises(InvalidInputError, match="65535"):
        encode_bundle([longest + b"x"])


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x03on", b"\x00\x03one\x00", b"\x00\x03one\x00\x00more"])
def test_bundle_with_too_few_or_too_many_bytes_is_refused(data: bytes) -> None:
    with pytest.raises(VerificationError, match="bundle"):
        decode_bundle(data, 2)


@pytest.mark.parametrize("length", [0, 63, 65, 96])
def test_tile_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(VerificationError, match="bytes, not 64"):
        decode_tile(b"x" * length, 2)


def test_reading_falls_back_to_the_full_file_when_the_partial_one_is_gone() -> None:
    entries = [bytes([index]) for index in range(256)]
    hashes = [leaf_hash(entry) for entry in entries]
    fetcher = DictFetcher({"tile/0/000": b"".join(hashes), "tile/entries/000": encode_bundle(entries)})
    assert read_tile(fetcher, 0, 0, 3) == hashes[:3]
    assert read_bundle(fetcher, 0, 3) == entries[:3]
    with pytest.raises(MissingFileError, match="tile/0/001"):
        read_tile(fetcher, 0, 1, 3)


def test_tile_reader_reads_a_node_from_one_tile() -> None:
    hashes = [leaf_hash(bytes([index])) for index in range(200)]
    fetcher = DictFetcher({"tile/0/000.p/200": b"".join(hashes)})
    reader = TileReader(fetcher, 200)
    assert root_at(reader, 200) == root_at(HashList(hashes), 200)
    assert fetcher.read_paths == ["tile/0/000.p/200"]
    with pytest.raises(InvalidInputError, match="within 200 leaves"):
        reader.node(7, 1)
