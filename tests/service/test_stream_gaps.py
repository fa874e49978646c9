"""A reader who has only the log sees every leaf that does not follow in its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger.bootstrap import stream_gaps
from ledger.domain.errors import LedgerError
from ledger.log.checkpoint import Checkpoint, sign_checkpoint
from ledger.log.tiles import encode_bundle, entries_path, tile_path
from ledger.log.tree import leaf_hash, root_of
from ledger.service.services import no_progress
from scripts.big_log import SIGNER, leaves, make_log

if TYPE_CHECKING:
    from pathlib import Path


def log_of(folder: Path, entries: list[bytes]) -> str:
    """A log of at most 256 entries, rightly signed: an operator may log whatever it likes."""
    hashes = [leaf_hash(entry) for entry in entries]
    for path, data in {
        entries_path(0, len(entries)): encode_bundle(entries),
        tile_path(0, 0, len(entries)): b"".join(hashes),
        "checkpoint": sign_checkpoint(Checkpoint(SIGNER.name, len(entries), root_of(hashes)), [SIGNER]),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return str(folder)


def test_a_whole_log_has_no_gap(tmp_path: Path) -> None:
    make_log(tmp_path / "log", 3_000)
    told: list[tuple[str, int, int]] = []
    found = stream_gaps(str(tmp_path / "log"), SIGNER.vkey, lambda *step: told.append(step))
    assert found == {"entries": 3_000, "streams": 512, "gaps": 0, "first": []}
    assert told[-1] == ("streams", 3_000, 3_000)


FIRST = list(leaves(100))
SECOND = [entry for place, entry in enumerate(leaves(612)) if place >= 512]
THIRD = [entry for place, entry in enumerate(leaves(1124)) if place >= 1024]


@pytest.mark.parametrize(
    ("entries", "index", "reason"),
    [
        ([*FIRST, *SECOND[1:], THIRD[0]], 199, "number 2 follows 0: 1 is missing"),
        ([*FIRST[1:], *SECOND], 99, "number 1 follows -1: 0 is missing"),
        ([*FIRST, *SECOND, SECOND[7]], 200, "number 1 comes after 1: the stream forks"),
        ([*FIRST, THIRD[5], SECOND[5]], 100, "number 2 follows 0: 1 is missing"),
        ([*FIRST, SECOND[3].replace(b'"block":7', b'"block":8'), THIRD[3]], 101, "names another leaf"),
        ([*FIRST, b"not a leaf"], 100, "it is no leaf of a stream"),
    ],
)  # fmt: skip
def test_what_does_not_follow_is_told(tmp_path: Path, entries: list[bytes], index: int, reason: str) -> None:
    found = stream_gaps(log_of(tmp_path, entries), SIGNER.vkey, no_progress)
    assert found["gaps"] >= 1
    assert found["first"][0]["index"] == index
    assert reason in found["first"][0]["reason"]


def test_an_altered_log_is_refused_before_its_streams_are_read(tmp_path: Path) -> None:
    log = log_of(tmp_path, FIRST)
    path = tmp_path / entries_path(0, 100)
    path.write_bytes(path.read_bytes().replace(b'"block":7', b'"block":8', 1))
    with pytest.raises(LedgerError, match="entry 0"):
        stream_gaps(log, SIGNER.vkey, no_progress)
