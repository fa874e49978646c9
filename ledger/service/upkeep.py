"""Rebuilding the index and backing up a home, while it runs.

The order of a backup is what makes it whole (decisions 8): nothing is appended or anchored meanwhile, and each
store is copied before those that it relies on: log, then outbox, chain, vault and keys. Writes go on: one that is
mined between two copies is pending in the outbox's copy, and settles when the restored home opens.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.errors import ConflictError
from ledger.service.requests import Nothing, Request
from ledger.service.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.service.services import Services

BACKUP_FORMAT: Final = "quanze-backup-v1"
BACKUP_RECORD: Final = "backup.json"


class Backup(Request, frozen=True, kw_only=True):
    """Arguments of ``backup``: a folder that does not exist yet."""

    folder: str


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """A store's own way of copying itself, consistently, into a new folder."""

    what: str
    run: Callable[[Path], None]


def backup(services: Services, request: Backup, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Copy the whole home into a new folder; its record is written last, so that a torn copy is seen.

    Raises:
        ConflictError: The folder exists.
    """
    folder = Path(request.folder)
    if folder.exists():
        raise ConflictError("backup", "the folder exists already", folder=str(folder))
    folder.mkdir(parents=True, mode=0o700)
    with services.append_lock, services.anchor_lock:
        for done, copy in enumerate(services.store_copies):
            progress("backup", done, len(services.store_copies))
            copy.run(folder)
        final = services.state.refresh()
        record = {
            "format": BACKUP_FORMAT,
            "chain_id": services.deployment.chain_id,
            "made_at": iso(services.now_s()),
            "block": final.number,
            "log_size": services.log.size(),
            "stores": [copy.what for copy in services.store_copies],
        }
    (folder / BACKUP_RECORD).write_text(json.dumps(record, indent=1) + "\n")
    return {"folder": str(folder), **record}


def rebuild(services: Services, _request: Nothing, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Drop the index and make it again from chain, log and vault; returns the number of rows by table."""
    with services.append_lock, services.anchor_lock:
        services.state.refresh()
        rows = services.indexing.rebuild(progress)
    return {"rows": rows, "block": services.state.final.number, "log_size": services.log.size()}
