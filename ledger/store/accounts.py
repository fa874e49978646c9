"""Agreements, grants, responsibilities, cases and anchors as they stand now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ledger.service.index_rows import (
    AgreementRow,
    AnchorRow,
    CaseRow,
    GrantRow,
    Page,
    ResponsibilityRow,
    SignatureRow,
    StatusRow,
)
from ledger.store import tables
from ledger.store.paging import page
from ledger.store.reading import Reading, record_of, split

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    R = TypeVar("R")


class SQLAccounts(Reading):
    """Implements `ledger.service.index.Accounts`."""

    def agreements(
        self, party: bytes | None = None, state: int | None = None, after: str = "", limit: int = 100
    ) -> Page[AgreementRow]:
        """Return agreements, of one agency that is party to any version, and in one state, if given."""
        table = tables.AGREEMENTS
        order = (table.c.block, table.c.log_index)
        wanted = sa.select(table)
        if party is not None:
            parties = tables.AGREEMENT_PARTIES
            wanted = wanted.join(parties, parties.c.agreement == table.c.agreement).where(parties.c.party == party)
            order = (parties.c.block, parties.c.log_index)
        if state is not None:
            wanted = wanted.where(table.c.state == state)
        return self._page(
            wanted,
            order,
            lambda row: record_of(AgreementRow, row, parties=split(row["parties"])),
            "agreements",
            after,
            limit,
        )

    def grants(
        self,
        *,
        provider: bytes | None = None,
        recipient: bytes | None = None,
        dataset: bytes | None = None,
        agreement: bytes | None = None,
        after: str = "",
        limit: int = 100,
    ) -> Page[GrantRow]:
        """Return the grants of every version, narrowed by what is given."""
        table = tables.GRANTS
        narrowed = {"provider": provider, "recipient": recipient, "dataset": dataset, "agreement": agreement}
        order = (table.c.block, table.c.log_index, table.c.ordinal)
        return self._page(
            _narrow(table, narrowed), order, lambda row: record_of(GrantRow, row), table.name, after, limit
        )

    def signatures(self, agreement: bytes) -> list[SignatureRow]:
        """Return all signatures under an agreement, oldest first."""
        return [record_of(SignatureRow, row) for row in self._under(tables.SIGNATURES, agreement)]

    def statuses(self, agreement: bytes) -> list[StatusRow]:
        """Return the statuses it has had, oldest first; a version that came into force begins a row too."""
        return [
            record_of(StatusRow, row, since=row["valid_from"], until=row["valid_to"])
            for row in self._under(tables.STATUSES, agreement)
        ]

    def responsibilities(
        self,
        object_id: bytes | None = None,
        duty: int | None = None,
        assignee: bytes | None = None,
        after: str = "",
        limit: int = 100,
    ) -> Page[ResponsibilityRow]:
        """Return assignments, narrowed by what is given."""
        table = tables.RESPONSIBILITIES
        narrowed = {"object": object_id, "duty": duty, "assignee": assignee}
        order = (table.c.block, table.c.log_index)
        return self._page(
            _narrow(table, narrowed), order, lambda row: record_of(ResponsibilityRow, row), table.name, after, limit
        )

    def cases(self, *, sealed: bool, after: str = "", limit: int = 100) -> Page[CaseRow]:
        """Return cases that were opened, or those still sealed; the public sees only the former."""
        table = tables.SEALED_CASES if sealed else tables.CASES
        hidden = {"respondent": b"", "filing": b""} if sealed else {}
        order = (table.c.block, table.c.log_index)
        return self._page(
            sa.select(table), order, lambda row: record_of(CaseRow, row, **hidden), table.name, after, limit
        )

    def anchors(self, after: str = "", limit: int = 100) -> Page[AnchorRow]:
        """Return anchors."""
        table = tables.ANCHORS
        order = (table.c.block, table.c.log_index)
        return self._page(sa.select(table), order, lambda row: record_of(AnchorRow, row), table.name, after, limit)

    def _page(
        self,
        wanted: sa.Select[Any],
        order: tuple[sa.Column[Any], ...],
        make: Callable[[sa.RowMapping], R],
        name: str,
        after: str,
        limit: int,
    ) -> Page[R]:
        with self._database.read() as connection:
            return page(connection, wanted, order, make, name=name, after=after, limit=limit)

    def _under(self, table: sa.Table, agreement: bytes) -> list[sa.RowMapping]:
        wanted = sa.select(table).where(table.c.agreement == agreement).order_by(table.c.block, table.c.log_index)
        with self._database.read() as connection:
            return list(connection.execute(wanted).mappings())


def _narrow(table: sa.Table, narrowed: dict[str, Any]) -> sa.Select[Any]:
    wanted = sa.select(table)
    for column, value in narrowed.items():
        if value is not None:
            wanted = wanted.where(table.c[column] == value)
    return wanted
