"""Pages of what anyone may read: a cursor that stays valid while the ledger grows, and when it was read.

Objects are listed in the order in which the chain recorded them, which never changes. A cursor is the id of
the last object shown, so a page goes on after it whatever was added since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ledger.domain.errors import InvalidInputError
from ledger.service.requests import Request
from ledger.service.times import iso

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.service.services import Services

PAGE_LIMIT: Final = 100
PAGE_LIMIT_MAX: Final = 500


class Paged(Request, frozen=True, kw_only=True):
    """Arguments of every list: the cursor of the page before, and how many are wanted."""

    after: str = ""
    limit: int = PAGE_LIMIT


def check_limit(limit: int) -> int:
    """Return a page's length if it is allowed.

    Raises:
        InvalidInputError: It is not.
    """
    if not 1 <= limit <= PAGE_LIMIT_MAX:
        raise InvalidInputError("limit", limit, f"1 to {PAGE_LIMIT_MAX}")
    return limit


def page_of(
    ids: Sequence[bytes], request: Paged, view: Callable[[bytes], dict[str, object] | None]
) -> dict[str, object]:
    """Return the next items and the cursor after them, ``""`` where nothing follows.

    Args:
        ids: All ids, oldest first.
        request: The cursor and the length.
        view: Returns an object as JSON values, or None where it is not to be listed.

    Raises:
        InvalidInputError: The cursor is no id of the list, or the length is not allowed.
    """
    limit = check_limit(request.limit)
    items: list[dict[str, object]] = []
    last, following = "", ""
    for identifier in ids[_start(ids, request.after) :]:
        shown = view(identifier)
        if shown is None:
            continue
        if len(items) == limit:
            following = last
            break
        items.append(shown)
        last = identifier.hex()
    return {"items": items, "next": following}


def read_at(services: Services) -> dict[str, Any]:
    """Return the block at which an answer was read."""
    final = services.state.final
    return {"block": final.number, "block_hash": final.hash.hex(), "block_time": iso(final.timestamp)}


def _start(ids: Sequence[bytes], after: str) -> int:
    if not after:
        return 0
    try:
        return ids.index(bytes.fromhex(after)) + 1
    except ValueError as error:
        raise InvalidInputError("after", after, "the cursor `next` of the page before") from error
