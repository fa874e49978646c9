"""The index over SQL: all of `ledger.service.following.IndexStore` in one object.

index = SQLIndex.open(home / "index.db", contracts)
Indexing(index, follower, log, vault).catch_up()
index.counters()

Must stay true: a row says nothing that chain, log and vault do not say; rows and cursor commit together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ledger.store.accounts import SQLAccounts
from ledger.store.database import Database
from ledger.store.facts import SQLFacts
from ledger.store.histories import SQLHistories
from ledger.store.registers import SQLRegisters
from ledger.store.writing import IndexWriting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class SQLIndex(SQLHistories, SQLRegisters, SQLAccounts, SQLFacts, IndexWriting):
    """The index in one database. Threads may share it; one process writes it."""

    @classmethod
    def open(cls, path: Path, contracts: Mapping[str, bytes]) -> Self:
        """Open or create the index in a SQLite file. Raises as `Database.open`.

        Args:
            path: The file.
            contracts: The contracts' addresses by name.
        """
        return cls(Database.open(path), contracts)

    @property
    def database(self) -> Database:
        """The database, for comparing two indexes row by row."""
        return self._database

    def close(self) -> None:
        """Close the database."""
        self._database.close()
