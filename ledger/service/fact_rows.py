"""Events that are kept, with their bindings, as rows of the index.

Only what a row holds is read. Whether an event is what its leaf commits to was checked when it was kept, is checked
again by ``fsck``, and not here for each row: the index answers no question that somebody relies on.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import msgspec

from ledger.domain.codes import Verdict
from ledger.domain.errors import IntegrityError
from ledger.domain.event_templates import Template, template_of
from ledger.domain.event_v1 import claims_of, read_line
from ledger.service.index_rows import FactRow

if TYPE_CHECKING:
    from ledger.domain.event_v1 import EventV1
    from ledger.service.stored_batches import EventStore, StoredBatch


def fact_rows(first: int, last: int, events: EventStore) -> list[FactRow]:
    """Return the rows of leaves [first, last); ``agreement`` is the one that an event names, found or not.

    Raises:
        IntegrityError: What is kept of a leaf is no event.
        NotFoundError: Nothing is kept of a leaf.
    """
    rows: list[FactRow] = []
    while first < last:
        batch = events.batch(first)
        rows += _rows_of(batch, first - batch.first, min(last, batch.end) - batch.first)
        first = batch.end
    return rows


def _rows_of(batch: StoredBatch, start: int, end: int) -> list[FactRow]:
    head = batch.head
    stream, block_hash = bytes.fromhex(head.stream), bytes.fromhex(head.block_hash)
    templates: dict[tuple[object, ...], Template] = {}
    verdicts = [
        (
            (Verdict.MISMATCH if one.mismatches else Verdict.WITHIN_SCOPE).value,
            tuple(code.value for code in one.mismatches),
            tuple(flag.value for flag in one.flags),
            one,
        )
        for one in head.bindings
    ]
    rows = []
    for place in range(start, end):
        event = _event(batch, place)
        bound = batch.bound[place]
        key = (claims_of(event), bound)
        template = templates.get(key)
        if template is None:
            template = templates[key] = template_of(event, batch.binding_of(place))
        one, two, three = map(b64encode, batch.raw_salts_of(place))
        verdict, mismatches, flags, binding = verdicts[bound]
        rows.append(
            FactRow(
                leaf_index=batch.first + place,
                stream=stream,
                seq=event.reporter_seq,
                commitment=template.root(event, (one, two, three)),
                bound_block=head.block,
                bound_block_hash=block_hash,
                accepted_at_ms=head.accepted_at_ms,
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
                version=binding.version,
                grant=binding.grant,
                verdict=verdict,
                mismatches=mismatches,
                flags=flags,
                duty=binding.duty,
                responsible_post=binding.responsible_post,
            )
        )
    return rows


def _event(batch: StoredBatch, place: int) -> EventV1:
    try:
        return read_line(batch.lines[place])
    except msgspec.MsgspecError as error:
        leaf = batch.first + place
        raise IntegrityError("events", "what is kept of a leaf is no event", leaf=leaf, detail=str(error)) from error
