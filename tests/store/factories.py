"""Rows for tests, whole values from the few fields that a test is about."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from ledger.service.index_rows import FactRow

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.service.index_rows import Page


def fact(index: int, **changes: Any) -> FactRow:
    """The fact of one leaf."""
    row = FactRow(
        leaf_index=index, stream=b"\x01" * 32, seq=index, commitment=index.to_bytes(32, "big"), bound_block=12,
        bound_block_hash=b"\x0c" * 32, accepted_at_ms=10**12 + index, occurred_at_ms=10**12 - index,
        event_id=f"e-{index}", kind="DELIVERY", side="PROVIDER", provider="a", requester="b", dataset="a#d",
        purpose="dpv:X", recipient="", outcome="", correlation=f"c-{index // 2}", reporter="r@a",
        agreement=b"\x05" * 32, version=1, grant=0, verdict="WITHIN_SCOPE", mismatches=(), flags=(), duty=3,
        responsible_post="",
    )  # fmt: skip
    return dataclasses.replace(row, **changes)


def all_rows(call: Callable[..., Page[Any]], limit: int = 7) -> list[Any]:
    rows, after = [], ""
    while True:
        page = call(after=after, limit=limit)
        rows += page.rows
        if not page.next:
            return rows
        assert len(page.rows) == limit
        after = page.next
