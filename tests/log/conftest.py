"""A log's key, and logs written with it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ledger.log.note import Ed25519Signer
from ledger.log.storage import FolderLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def signer() -> Ed25519Signer:
    return Ed25519Signer("example.org/log", bytes(range(32)))


@pytest.fixture
def open_log(tmp_path: Path, signer: Ed25519Signer) -> Iterator[Callable[[], FolderLog]]:
    """Open the test's log, again and again; each opening closes the one before."""
    logs: list[FolderLog] = []

    def opened() -> FolderLog:
        for log in logs:
            log.close()
        logs.append(FolderLog.open(tmp_path / "log", signer=signer, origin=signer.name))
        return logs[-1]

    yield opened
    for log in logs:
        log.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where ``open_log`` keeps its log."""
    return tmp_path / "log"


def crash(log: FolderLog, folder: Path) -> None:
    """Close a log, and leave its folder as it was before: as if its process had been killed."""
    kept = folder.with_name(f"{folder.name}-kept")
    shutil.copytree(folder, kept)
    log.close()
    shutil.rmtree(folder)
    kept.rename(folder)


def numbered(first: int, count: int) -> list[bytes]:
    """Return entries that tell their indexes."""
    return [b"entry %d" % index for index in range(first, first + count)]
