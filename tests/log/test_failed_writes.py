"""A log goes on after a failed write, and refuses only what it cannot keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import UnavailableError
from ledger.log.note import Ed25519Signer
from ledger.log.storage import FolderLog
from ledger.log.storage import folder as folder_module
from ledger.log.storage import segments as segments_module
from tests.log.conftest import numbered

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("step", ["group taken", "group written"])
def test_log_goes_on_by_itself_after_a_failed_write(tmp_path: Path, signer: Ed25519Signer, step: str) -> None:
    fails = False

    def at_step(name: str) -> None:
        if fails and name == step:
            raise OSError(28, "No space left on device")

    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name, at_step=at_step)
    log.append([b"one"])
    fails = True
    for _ in range(3):
        with pytest.raises(UnavailableError, match="No space left"):
            log.append([b"two"])
    assert log.leaf(0) == b"one"
    fails = False
    assert log.append([b"three"]) == 1
    log.publish_checkpoint()
    log.close()
    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name)
    assert list(log.leaves(0, log.size())) == [b"one", b"three"]
    log.close()


def test_log_that_cannot_be_mended_yet_stays_as_it_is(tmp_path: Path, signer: Ed25519Signer) -> None:
    failing = ""

    def at_step(name: str) -> None:
        if name and name == failing:
            raise OSError(5, "Input/output error")

    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name, at_step=at_step)
    log.append([b"one"])
    log.recover()
    failing = "group written"
    with pytest.raises(UnavailableError, match="the write failed"):
        log.append([b"two"])
    failing = "journal cut"
    with pytest.raises(UnavailableError, match="cannot be mended"):
        log.append([b"three"])
    failing = ""
    assert log.append([b"three"]) == 1
    assert list(log.leaves(0, 2)) == [b"one", b"three"]
    log.close()
    with pytest.raises(UnavailableError, match="closed"):
        log.recover()


@pytest.mark.parametrize("step", ["segment written aside", "segment renamed"])
def test_group_is_acknowledged_though_no_new_segment_can_begin(
    tmp_path: Path, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    failing = False

    def at_step(name: str) -> None:
        if failing and name == step:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(segments_module, "_SEGMENT_BYTES", 3_000)
    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name, at_step=at_step)
    failing = True
    for first in range(0, 900, 300):
        assert log.append(numbered(first, 300)) == first
    assert [path.name for path in (tmp_path / "wal").glob("*.wal")] == [f"{0:020d}.wal"]
    failing = False
    assert log.append(numbered(900, 1)) == 900
    assert len(list((tmp_path / "wal").glob("*.wal"))) == 2
    log.close()
    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name)
    assert list(log.leaves(0, 901)) == numbered(0, 901)
    log.close()


def test_tiles_that_cannot_be_written_refuse_entries_only_when_twice_as_much_waits(
    tmp_path: Path, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = False

    def at_step(name: str) -> None:
        if failing and name == "tile written aside":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "_EDGE_ENTRIES", 500)
    log = FolderLog.open(tmp_path, signer=signer, origin=signer.name, at_step=at_step)
    failing = True
    assert [log.append(numbered(first, 400)) for first in (0, 400, 800)] == [0, 400, 800]
    with pytest.raises(UnavailableError, match="tiles that cannot be written"):
        log.append(numbered(1200, 1))
    failing = False
    assert log.append(numbered(1200, 400)) == 1200
    assert list(log.leaves(0, 1600)) == numbered(0, 1600)
    log.close()
