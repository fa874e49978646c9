"""Rebuilding the index and backing up a home, while it runs.

The order of a backup is what makes it whole. For a moment nothing is appended: what the log has by then
is held (its journal and checkpoint). Then events go on to be taken in, while each store is copied before those that it
relies on: log, events, outbox, chain, vault and keys. So the copies hold at least what the copied log needs; what they
hold beyond it (events of a longer log, writes that are pending in the outbox's copy) is cut off, or settles, when the
restored home opens. No anchor is made meanwhile: the copied chain must not know a longer log than the copied one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.errors import ConflictError
from ledger.home import sync_tree, write_json
from ledger.service.requests import Nothing, Request
from ledger.service.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.service.services import Services

BACKUP_FORMAT: Final = "quanze-backup-v1"
BACKUP_RECORD: Final = "backup.json"
_HELD: Final = "held-size"
"""Where a backup under way keeps the size of the held log."""


class Backup(Request, frozen=True, kw_only=True):
    """Arguments of ``backup``: a folder that does not exist yet."""

    folder: str


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """A store's own way of copying itself, consistently, into a new folder.

    ``hold`` is called first, for all stores, while nothing is appended; it is to be short.
    """

    what: str
    run: Callable[[Path], None]
    hold: Callable[[Path], None] | None = None


def backup(services: Services, request: Backup, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Copy the whole home into a new folder; its record is written last, so that a torn copy is seen.

    Raises:
        ConflictError: The folder exists.
    """
    folder = Path(request.folder)
    if folder.exists():
        raise ConflictError("backup", "the folder exists already", folder=str(folder))
    folder.mkdir(parents=True, mode=0o700)
    with services.anchor_lock:
        with services.append_lock:
            services.appender.heal(services)
            services.appender.settle(services)
            size = services.log.size()
            for copy in services.store_copies:
                if copy.hold is not None:
                    copy.hold(folder)
        (folder / _HELD).write_text(f"{size}\n", "ascii")
        for done, copy in enumerate(services.store_copies):
            progress("backup", done, len(services.store_copies))
            copy.run(folder)
        final = services.state.refresh()
        record = {
            "format": BACKUP_FORMAT,
            "chain_id": services.deployment.chain_id,
            "made_at": iso(services.now_s()),
            "block": final.number,
            "log_size": size,
            "stores": [copy.what for copy in services.store_copies],
        }
    (folder / _HELD).unlink()
    sync_tree(folder)
    write_json(folder / BACKUP_RECORD, record)
    return {"folder": str(folder), **record}


def held_size(folder: Path) -> int:
    """Return the size of the log that a backup under way holds."""
    return int((folder / _HELD).read_text("ascii"))


def rebuild(services: Services, _request: Nothing, progress: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Drop the index and make it again from chain, log and vault; returns the number of rows by table."""
    with services.anchor_lock, services.append_lock:  # In the order in which a backup takes them.
        services.appender.heal(services)
        services.appender.settle(services)
        services.state.refresh()
        rows = services.indexing.rebuild(progress)
    return {"rows": rows, "block": services.state.final.number, "log_size": services.log.size()}
