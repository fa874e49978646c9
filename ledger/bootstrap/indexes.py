"""The index of a home: opened beside the stores that it is made of, and checked against an index made anew."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from ledger.bootstrap.fact_process import FactProcess
from ledger.chain.follower import ChainFollower
from ledger.domain.errors import IntegrityError
from ledger.service.fsck import Defect, StoreCheck
from ledger.service.indexing import FactWriter, Indexing
from ledger.store.comparing import count_rows, cursor_in, differences
from ledger.store.sql_index import SQLIndex

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.home import Home
    from ledger.service.deployment import Deployment
    from ledger.service.ports import Chain, EventLog
    from ledger.service.stored_batches import EventStore

_CHECK_PREFIX: Final = "index-check-"
_FILES: Final = ("-shm", "-wal", "")
"""A database's files, the database itself last: without it, its log of changes must not be left behind."""


def open_index(
    home: Home,
    chain: Chain,
    deployment: Deployment,
    log: EventLog,
    events: EventStore,
    reach: Callable[[], int | None],
) -> tuple[SQLIndex, Indexing]:
    """Open the index, or begin a new one where there is none or its file is damaged; nothing is read from chain yet.

    ``reach`` says up to which block it may go, as `Indexing` asks it.

    Raises:
        IntegrityError: The chain or the log ends before what was indexed.
        UnavailableError: The file cannot be opened.
    """
    contracts = {name: contract.address for name, contract in deployment.contracts.items()}
    try:
        index = SQLIndex.open(home.index, contracts)
    except IntegrityError as error:
        # Nothing is lost with an index; but what damaged it may have damaged more, so it is kept and told.
        kept = _set_aside(home.index)
        structlog.get_logger("index").warning("index_damaged", reason=error.explain(), kept=str(kept))
        index = SQLIndex.open(home.index, contracts)
    with ExitStack() as opened:
        opened.callback(index.close)
        # Only what was final when it was indexed: above it, a network's chain may be another by now.
        final = [mark.number for mark in index.held()[:1]]
        if final and final[0] > (tip := chain.head_block().number):
            raise IntegrityError("chain", "its tip is below what was indexed", tip=tip, indexed=final[0])
        if (leaves := index.leaf_mark().leaves) > log.size():
            raise IntegrityError("log", "it is shorter than what was indexed", log=log.size(), indexed=leaves)
        opened.pop_all()
    indexing = _indexing(index, chain, deployment, log, events, reach, FactProcess(home.index, home.events))
    return index, indexing


def index_check(
    home: Home,
    chain: Chain,
    deployment: Deployment,
    log: EventLog,
    events: EventStore,
    index: SQLIndex,
) -> StoreCheck:
    """Return the index's part of ``fsck``: make it anew up to the same block and leaf, and compare row by row."""

    def check(told: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
        for leftover in home.run.glob(f"{_CHECK_PREFIX}*"):
            shutil.rmtree(leftover)
        # One state of the index is read throughout, so that it may go on growing meanwhile.
        with tempfile.TemporaryDirectory(prefix=_CHECK_PREFIX, dir=home.run) as folder, index.database.read() as held:
            made = SQLIndex.open(Path(folder) / home.index.name, {})
            try:
                cursor, mark = cursor_in(held)
                _indexing(made, chain, deployment, log, events).catch_up(told, block=cursor.number, leaves=mark.leaves)
                with made.database.read() as other:
                    found = [Defect("index", f"{one.table} {one.key}", one.reason) for one in differences(held, other)]
                return count_rows(held), found
            except IntegrityError as error:
                where = str(error.fields.get("block", error.fields.get("leaf", "")))
                return 0, [Defect("index", where, error.explain())]
            finally:
                made.close()

    return StoreCheck("index", check)


def _indexing(
    index: SQLIndex,
    chain: Chain,
    deployment: Deployment,
    log: EventLog,
    events: EventStore,
    reach: Callable[[], int | None] = lambda: None,
    writer: FactWriter | None = None,
) -> Indexing:
    contracts = deployment.contracts.values()
    first_block = min((contract.block for contract in contracts), default=0)
    follower = ChainFollower(chain, [contract.address for contract in contracts], first_block)
    return Indexing(index, follower, log, events, reach=reach, writer=writer)


def _set_aside(path: Path) -> Path:
    """Move a database and its side files to the same name with ``.damaged``; an earlier one is replaced."""
    kept = path.with_name(f"{path.name}.damaged")
    for side in _FILES:
        found = path.with_name(path.name + side)
        if found.exists():
            found.replace(kept.with_name(kept.name + side))
    return kept
