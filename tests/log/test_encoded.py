from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError
from ledger.log.encoded import EncodedEntries
from ledger.log.storage import FolderLog, check_folder
from ledger.log.storage.edge import tile_root
from ledger.log.tiles import MAX_ENTRY_BYTES, encode_bundle
from ledger.log.tree import leaf_hash, root_of
from tests.log.conftest import numbered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ledger.log.note import Ed25519Signer

EQUAL = [b"%03d" % number for number in range(300)]
UNEQUAL = [b"x" * number for number in range(300)]


def encoded(entries: Sequence[bytes]) -> EncodedEntries:
    return EncodedEntries(encode_bundle(entries), b"".join(leaf_hash(entry) for entry in entries), count=len(entries))


@pytest.mark.parametrize("entries", [EQUAL, UNEQUAL, [b""], [b""] * 7, [b"x" * MAX_ENTRY_BYTES] * 2])
def test_parts_are_the_bytes_and_hashes_of_their_entries(entries: list[bytes]) -> None:
    parts = encoded(entries)
    for first, last in [(0, len(entries)), (0, 0), (0, 1), (len(entries) // 2, len(entries))]:
        assert parts.payload_of(first, last) == encode_bundle(entries[first:last])
        assert parts.hashes_of(first, last) == b"".join(leaf_hash(entry) for entry in entries[first:last])


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=20))
def test_encoding_entries_gives_what_others_encoded(entries: list[bytes]) -> None:
    ours, theirs = EncodedEntries.of(entries), encoded(entries)
    assert (ours.payload, ours.hashes, ours.count) == (theirs.payload, theirs.hashes, theirs.count)


@given(st.binary(max_size=60), st.integers(1, 8))
def test_payload_is_taken_only_if_it_is_exactly_so_many_entries(payload: bytes, count: int) -> None:
    entries, rest = [], payload
    while len(rest) >= 2 and len(rest) >= 2 + int.from_bytes(rest[:2], "big"):
        end = 2 + int.from_bytes(rest[:2], "big")
        entries.append(rest[2:end])
        rest = rest[end:]
    if not rest and len(entries) == count:
        assert EncodedEntries(payload, bytes(32 * count), count=count).payload_of(0, count) == payload
    else:
        with pytest.raises(InvalidInputError):
            EncodedEntries(payload, bytes(32 * count), count=count)


@pytest.mark.parametrize("entries", [EQUAL, UNEQUAL])
@pytest.mark.parametrize("change", ["a length", "no last byte", "a byte more", "an entry more", "an entry less"])
def test_payload_of_other_entries_is_refused(entries: list[bytes], change: str) -> None:
    payload, count = bytearray(encode_bundle(entries)), len(entries)
    match change:
        case "a length":
            payload[1] ^= 1
        case "no last byte":
            del payload[-1]
        case "a byte more":
            payload += b"\0"
        case "an entry more":
            count += 1
        case _:
            count -= 1
    with pytest.raises(InvalidInputError, match="payload"):
        EncodedEntries(bytes(payload), bytes(32 * count), count=count)


def test_last_length_that_differs_in_its_high_byte_is_refused() -> None:
    payload = bytearray(encode_bundle([bytes(256)] * 3))
    payload[258 * 2] = 0
    with pytest.raises(InvalidInputError, match="payload"):
        EncodedEntries(bytes(payload), bytes(96), count=3)


@pytest.mark.parametrize("hashes", [b"", bytes(31), bytes(33), bytes(64)])
def test_another_number_of_hashes_is_refused(hashes: bytes) -> None:
    with pytest.raises(InvalidInputError, match="hashes"):
        EncodedEntries(b"\0\1x", hashes, count=1)


def test_no_entry_is_refused(open_log: Callable[[], FolderLog]) -> None:
    with pytest.raises(InvalidInputError, match="entries"):
        EncodedEntries(b"", b"", count=0)
    with pytest.raises(InvalidInputError, match="entries"):
        open_log().append_encoded([])


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "wal" not in path.parts
    }


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([1, 3, 255, 256, 257, 700]), st.booleans()), min_size=1, max_size=6))
def test_log_has_the_same_files_whoever_encodes(
    tmp_path_factory: pytest.TempPathFactory, signer: Ed25519Signer, calls: list[tuple[int, bool]]
) -> None:
    path = tmp_path_factory.mktemp("logs")
    logs = [FolderLog.open(path / name, signer=signer, origin=signer.name) for name in ("plain", "encoded")]
    size = 0
    for count, publishes in calls:
        entries = numbered(size, count)
        assert logs[0].append(entries) == size
        middle = count // 2
        parts = [part for part in (entries[:middle], entries[middle:]) if part]
        assert logs[1].append_encoded([encoded(part) for part in parts]) == size
        size += count
        for log in logs:
            assert list(log.leaves(0, size)) == numbered(0, size)
            if publishes:
                log.publish_checkpoint()
    for log in logs:
        log.publish_checkpoint()
        log.close()
    assert files_of(path / "plain") == files_of(path / "encoded")
    assert list(check_folder(path / "encoded", signer.vkey))[-1].entries == size


def test_encoded_entries_are_recovered(open_log: Callable[[], FolderLog]) -> None:
    log = open_log()
    log.append_encoded([encoded(UNEQUAL), encoded(EQUAL)])
    root = log.root()
    log = open_log()
    assert list(log.leaves(0, 600)) == UNEQUAL + EQUAL
    assert log.root() == root


def test_edge_asks_whoever_hashes_tiles_and_gets_the_same_tree(tmp_path: Path, signer: Ed25519Signer) -> None:
    asked: list[bytes] = []

    def counted(hashes: bytes) -> bytes:
        asked.append(hashes)
        return tile_root(hashes)

    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name, root_of=counted)
    log.append(numbered(0, 600))
    assert [len(hashes) for hashes in asked] == [256 * 32] * 2
    assert log.root() == root_of(leaf_hash(entry) for entry in numbered(0, 600))
    log.close()
