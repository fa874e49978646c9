"""Frames of the journal: none can be made by whoever only chooses entries, and those of the first form are read."""

from __future__ import annotations

import struct
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.log.storage import FolderLog
from ledger.log.tiles import encode_bundle
from tests.log.crash_writer import SIGNER

if TYPE_CHECKING:
    from collections.abc import Callable

SEGMENT = Path("wal") / f"{0:020d}.wal"
HEADER_BYTES = 64
CHECK_BYTES = 32


def frame(mark: bytes, seed: bytes, before: bytes, first: int, entries: list[bytes]) -> bytes:
    payload = encode_bundle(entries)
    head = struct.pack(">4sIQI32s", mark, len(payload), first, len(entries), before)
    return head + payload + sha256(seed + head + payload).digest()


def open_log(path: Path) -> FolderLog:
    return FolderLog.open(path, signer=SIGNER, origin=SIGNER.name)


def test_entry_that_looks_like_a_frame_does_not_keep_a_torn_journal_from_opening(tmp_path: Path) -> None:
    other = open_log(tmp_path / "other")
    other.append([b"other"])
    other.close()
    known = (tmp_path / "other" / SEGMENT).read_bytes()
    seed = known[HEADER_BYTES - CHECK_BYTES : HEADER_BYTES]
    lookalikes = [
        frame(b"GRP1", b"", bytes(32), 1, [b"forged"]),
        frame(seed[:4], seed, seed, 1, [b"forged"]),
        known[HEADER_BYTES:],
        known,
    ]
    for number, entry in enumerate(lookalikes):
        path = tmp_path / str(number)
        log = open_log(path)
        log.append([b"one"])
        log.append([entry, b"two"])
        log.close()
        data = (path / SEGMENT).read_bytes()
        (path / SEGMENT).write_bytes(data[:-1])
        log = open_log(path)
        assert list(log.leaves(0, log.size())) == [b"one"]
        log.close()


def test_segments_do_not_begin_alike(tmp_path: Path) -> None:
    headers = set()
    for name in ("a", "b"):
        open_log(tmp_path / name).close()
        headers.add((tmp_path / name / SEGMENT).read_bytes()[:HEADER_BYTES])
    assert len(headers) == 2


def test_segment_of_the_first_form_is_read_and_continued(
    tmp_path: Path, open_log: Callable[[], FolderLog], folder: Path
) -> None:
    log = open_log()
    log.close()
    header = b"quanze-log-wal-1" + bytes(16)
    check = sha256(header).digest()
    one = frame(b"GRP1", b"", check, 0, [b"one", b"two"])
    two = frame(b"GRP1", b"", one[-CHECK_BYTES:], 2, [b"three"])
    (folder / SEGMENT).write_bytes(header + check + one + two + b"GRP1 and then the power went")
    log = open_log()
    assert list(log.leaves(0, log.size())) == [b"one", b"two", b"three"]
    assert log.append([b"four"]) == 3
    log = open_log()
    assert list(log.leaves(0, log.size())) == [b"one", b"two", b"three", b"four"]
    three = frame(b"GRP1", b"", two[-CHECK_BYTES:], 3, [b"four"])
    assert (folder / SEGMENT).read_bytes() == header + check + one + two + three
