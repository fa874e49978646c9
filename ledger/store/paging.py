"""Pages of rows behind opaque cursors.

A cursor is the place of the last row of the page before, so a page costs the same at any depth, and rows that
are added meanwhile neither repeat nor hide another. It names its list: one list's cursor is none of another's.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final, TypeVar

import sqlalchemy as sa

from ledger.domain.errors import InvalidInputError
from ledger.service.index_rows import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMIT_MAX: Final = 1_000
_PLACE_MAX: Final = 2**63 - 1

R = TypeVar("R")


def page(
    connection: sa.Connection,
    wanted: sa.Select[Any],
    order: Sequence[sa.Column[Any]],
    make: Callable[[sa.RowMapping], R],
    *,
    name: str,
    after: str,
    limit: int,
) -> Page[R]:
    """Return the rows of ``wanted`` that come after a cursor in ``order``, made into records.

    Args:
        connection: Where to ask.
        wanted: The rows, without order and limit; it selects the columns of ``order``.
        order: Integer columns that place each row uniquely; the row has their values under their names.
        make: Makes a record of a row.
        name: The list's name, for its cursors.
        after: The cursor of the page before, or empty.
        limit: How many rows at most.

    Raises:
        InvalidInputError: A cursor that this list did not give, or a limit out of its bounds.
    """
    if not 1 <= limit <= LIMIT_MAX:
        raise InvalidInputError("limit", limit, f"1 to {LIMIT_MAX}")
    if after:
        place = _place_of(after, name, len(order))
        wanted = wanted.where(
            order[0] > place[0] if len(order) == 1 else sa.tuple_(*order) > sa.tuple_(*map(sa.literal, place))
        )
    found = connection.execute(wanted.order_by(*order).limit(limit + 1)).mappings().all()
    rows = found[:limit]
    following = "" if len(found) <= limit else _cursor_of(name, [rows[-1][column.name] for column in order])
    return Page(tuple(make(row) for row in rows), following)


def _cursor_of(name: str, place: Sequence[int]) -> str:
    text = ":".join([name, *map(str, place)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place_of(cursor: str, name: str, length: int) -> tuple[int, ...]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        found, *numbers = text.split(":")
        place = tuple(int(number) for number in numbers if number.isdecimal() and len(number) < 20)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("after", cursor, "the cursor of the page before") from error
    if found != name or len(place) != length or len(numbers) != length or max(place) > _PLACE_MAX:
        raise InvalidInputError("after", cursor, f"the cursor of the page before, of the list of {name}")
    return place
