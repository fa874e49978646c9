"""What is registered now: agencies, posts, keys and catalogue entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from ledger.domain.errors import InvalidInputError
from ledger.service.index_rows import AgencyRow, EntryRow, KeyRow, Page, PostRow
from ledger.store import tables
from ledger.store.paging import page
from ledger.store.reading import Reading, record_of

if TYPE_CHECKING:
    from typing import TypeVar

    R = TypeVar("R")

_IDENTIFIERS: Final[dict[str, tuple[sa.Column[Any], ...]]] = {
    "agency": (tables.AGENCIES.c.agency,),
    "post": (tables.POSTS.c.post,),
    "dataset": (tables.ENTRIES.c.dataset,),
    "agreement": (tables.AGREEMENTS.c.agreement,),
    "assignment": (tables.RESPONSIBILITIES.c.assignment,),
    "case": (tables.CASES.c.case_id, tables.SEALED_CASES.c.case_id),
}
_NIBBLES: Final = 64


class SQLRegisters(Reading):
    """Implements `ledger.service.index.Registers`."""

    def agencies(self, after: str = "", limit: int = 100) -> Page[AgencyRow]:
        """Return agencies."""
        return self._listed(tables.AGENCIES, AgencyRow, {}, after, limit)

    def posts(self, agency: bytes | None = None, after: str = "", limit: int = 100) -> Page[PostRow]:
        """Return posts, of one agency if given."""
        return self._listed(tables.POSTS, PostRow, {"agency": agency}, after, limit)

    def keys(self, post: bytes | None = None, after: str = "", limit: int = 100) -> Page[KeyRow]:
        """Return key bindings, of one post if given."""
        return self._listed(tables.KEYS, KeyRow, {"post": post}, after, limit)

    def entries(self, agency: bytes | None = None, after: str = "", limit: int = 100) -> Page[EntryRow]:
        """Return every version of the entries, of one agency if given."""
        return self._listed(tables.ENTRIES, EntryRow, {"agency": agency}, after, limit)

    def identifiers(self, kind: str, hex_prefix: str = "") -> list[bytes]:
        """Return the ids of a kind (agency, post, dataset, agreement, assignment, case) with a prefix, sorted.

        Raises:
            InvalidInputError: No such kind, or a prefix that is not lower-case hex.
        """
        if kind not in _IDENTIFIERS:
            raise InvalidInputError("kind", kind, ", ".join(_IDENTIFIERS))
        if len(hex_prefix) > _NIBBLES or set(hex_prefix) - set("0123456789abcdef"):
            raise InvalidInputError("prefix", hex_prefix, "at most 64 lower-case hexadecimal digits")
        least, most = bytes.fromhex(hex_prefix.ljust(_NIBBLES, "0")), bytes.fromhex(hex_prefix.ljust(_NIBBLES, "f"))
        found: set[bytes] = set()
        with self._database.read() as connection:
            for column in _IDENTIFIERS[kind]:
                wanted = sa.select(column).where(column >= least, column <= most).distinct()
                found.update(connection.execute(wanted).scalars())
        return sorted(found)

    def _listed(
        self, table: sa.Table, kind: type[R], narrowed: dict[str, bytes | None], after: str, limit: int
    ) -> Page[R]:
        wanted = sa.select(table)
        for column, value in narrowed.items():
            if value is not None:
                wanted = wanted.where(table.c[column] == value)
        order = (table.c.block, table.c.log_index)
        with self._database.read() as connection:
            return page(
                connection,
                wanted,
                order,
                lambda row: record_of(kind, row),
                name=table.name,
                after=after,
                limit=limit,
            )
