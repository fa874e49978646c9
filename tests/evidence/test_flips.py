"""The flips of evidence in short: bytes of every file of many events, altered one at a time, and each told.

The long run, every byte of each file, is ``python -m scripts.evidence_flips``; docs/adr/0128 has its counts.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ledger.evidence import verify
from ledger.evidence.events_file import parse_events
from scripts.evidence_flips import EVENTS, SEED, altered_bytes, made_files, try_places

if TYPE_CHECKING:
    from collections.abc import Mapping

PLACES = 100
NAMES = [
    f"{kind}{rest}" for kind in ("events", "stream")
    for rest in ("", ", detail and exchange withheld", ", binding and detail withheld")
]  # fmt: skip


@pytest.fixture(scope="module")
def made() -> tuple[Mapping[str, bytes], bytes]:
    return made_files(EVENTS)


def test_the_files_hold_and_are_all_tried(made: tuple[Mapping[str, bytes], bytes]) -> None:
    files, root = made
    assert sorted(files) == sorted(NAMES)
    assert all(verify(data, root).holds for data in files.values())
    for data in files.values():
        value = parse_events(data)
        assert sum(len(part.entries) for part in value.checkpoints) == EVENTS
        assert len(value.checkpoints) == 4
        assert all(part.path for part in (*value.checkpoints, *value.batches[:1]))


@pytest.mark.parametrize("name", NAMES)
def test_every_altered_byte_is_told(made: tuple[Mapping[str, bytes], bytes], name: str) -> None:
    files, root = made
    places = random.Random(f"{SEED} {name}").sample(range(len(files[name])), PLACES)
    found = try_places(files[name], root, SEED, places)
    assert (found.tried, found.held) == (2 * PLACES, [])
    assert sum(found.steps.values()) == found.tried
    assert len(found.steps) > 3


def test_an_altered_byte_is_another_one_and_mostly_of_its_kind() -> None:
    data = b'{"index":17,"path":["c0ffee"]}'
    pairs = list(altered_bytes(data, range(len(data)), SEED))
    assert len(pairs) == 2 * len(data)
    assert all(data[place] != byte for place, byte in pairs)
    assert len(set(pairs)) == len(pairs)
    digits = [byte for place, byte in pairs[::2] if data[place] in b"0123456789"]
    assert all(chr(byte).isdigit() for byte in digits)
