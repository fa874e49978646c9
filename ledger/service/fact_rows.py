"""Leaves of the log and the batches that they commit to as rows of the index.

Only what a row holds is read. Whether an event is what its leaf commits to was checked when it was kept, is checked
again by ``fsck``, and not here for each row: the index answers no question that somebody relies on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ledger.domain.codes import Verdict
from ledger.domain.errors import IntegrityError
from ledger.domain.event_v1 import read_line
from ledger.domain.leaf import parse_leaf
from ledger.service.index_rows import FactRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.leaf import LeafV1
    from ledger.service.stored_batches import BoundAs, EventStore


def fact_rows(first: int, entries: Sequence[bytes], events: EventStore) -> list[FactRow]:
    """Return the rows of leaves that follow each other; ``agreement`` is the one that the event names, found or not.

    Raises:
        IntegrityError: The events' files do not hold what the leaves commit to.
    """
    rows: list[FactRow] = []
    last = first + len(entries)
    for batch in events.batches(first):
        for index in range(max(first, batch.first), min(last, batch.end)):
            place = index - batch.first
            leaf = parse_leaf(entries[index - first])
            rows.append(_row(index, leaf, batch.lines[place], batch.head.bindings[batch.bound[place]]))
        if batch.end >= last:
            return rows
    raise IntegrityError("events", "they end before the log does", leaf=first + len(rows))


def _row(index: int, leaf: LeafV1, line: bytes, bound: BoundAs) -> FactRow:
    try:
        event = read_line(line)
    except msgspec.MsgspecError as error:
        raise IntegrityError("events", "what is kept of a leaf is no event", leaf=index, detail=str(error)) from error
    if event.reporter_seq != leaf.seq:
        raise IntegrityError("events", "an event is not the one that its leaf commits to", leaf=index)
    return FactRow(
        leaf_index=index,
        stream=bytes.fromhex(leaf.stream),
        seq=leaf.seq,
        commitment=bytes.fromhex(leaf.commitment),
        bound_block=leaf.block,
        bound_block_hash=bytes.fromhex(leaf.block_hash),
        accepted_at_ms=leaf.accepted_at_ms,
        occurred_at_ms=event.occurred_at_ms,
        event_id=event.id,
        kind=event.kind.value,
        side=event.side.value,
        provider=event.provider,
        requester=event.requester,
        dataset=event.dataset,
        purpose=event.purpose,
        recipient=event.recipient,
        outcome=event.outcome,
        correlation=event.correlation,
        reporter=event.reporter,
        agreement=bytes.fromhex(event.agreement),
        version=bound.version,
        grant=bound.grant,
        verdict=(Verdict.MISMATCH if bound.mismatches else Verdict.WITHIN_SCOPE).value,
        mismatches=tuple(code.value for code in bound.mismatches),
        flags=tuple(flag.value for flag in bound.flags),
        duty=bound.duty,
        responsible_post=bound.responsible_post,
    )
