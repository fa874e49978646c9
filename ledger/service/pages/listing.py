"""A list as the public pages show it: some of the rows, how many there are in all, and where the next page begins."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from ledger.domain.errors import InvalidInputError

Line = TypeVar("Line")

_CURSOR: Final = re.compile(r"[0-9A-Za-z._:-]{0,200}")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Line]):
    """Rows of a list with its denominator; ``next`` is empty on the last page."""

    rows: tuple[Line, ...]
    total: int
    next: str


def check_cursor(text: str) -> str:
    """Return a cursor as it came.

    Raises:
        InvalidInputError: It holds what no cursor of ours holds.
    """
    if not _CURSOR.fullmatch(text):
        raise InvalidInputError("after", text, "the cursor of the page before")
    return text
