"""A fact's row says what the event and its binding say; what is kept and is no event is an integrity error."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.binding import Binding
from ledger.domain.codes import Duty, Flag, Mismatch, Verdict
from ledger.domain.errors import IntegrityError
from ledger.domain.event_groups import commit_event
from ledger.domain.event_v1 import encode_event
from ledger.service.fact_rows import fact_rows
from ledger.service.stored_batches import BoundAs, StoredBatch
from tests.domain.factories import event
from tests.store.batches import batch_of, head_of

if TYPE_CHECKING:
    from ledger.domain.event_v1 import EventV1


SALTS = [bytes((number,)) * 32 for number in (1, 2, 3)]


def bound(**changes: Any) -> Binding:
    whole = {
        "verdict": Verdict.WITHIN_SCOPE, "mismatches": (), "flags": (Flag.DEMONSTRATION,), "agreement": b"\x05" * 32,
        "version": 2, "grant": 1, "duty": Duty.DELIVER, "responsible_post": b"\x06" * 32, "block": 7,
        "block_hash": b"\x07" * 32,
    }  # fmt: skip
    return Binding(**(whole | changes))


class One:
    """A store of one batch."""

    def __init__(self, batch: StoredBatch) -> None:
        self._batch = batch

    def batch(self, _index: int) -> StoredBatch:
        return self._batch


def stored(binding: Binding, said: EventV1) -> Any:
    head = head_of(bindings=(BoundAs.of(binding),))
    return One(StoredBatch(3, 1, head, [encode_event(said)], b"".join(SALTS), array("H", [0])))


@given(
    mismatches=st.lists(st.sampled_from(Mismatch), unique=True),
    flags=st.lists(st.sampled_from(Flag), unique=True),
    duty=st.sampled_from([Duty.DELIVER, Duty.USE_WITHIN_SCOPE, Duty.PROTECT, Duty.DISPOSE]),
    agreement=st.sampled_from(["", "05" * 32]),
    post=st.sampled_from([b"", b"\x06" * 32]),
    correlation=st.text("ab-1", max_size=5),
)
def test_row_says_what_event_and_binding_say(
    mismatches: list[Mismatch], flags: list[Flag], duty: Duty, agreement: str, post: bytes, correlation: str
) -> None:
    verdict = Verdict.MISMATCH if mismatches else Verdict.WITHIN_SCOPE
    held = bound(verdict=verdict, mismatches=tuple(mismatches), flags=tuple(flags), duty=duty, responsible_post=post)
    said = event(agreement=agreement, correlation=correlation)
    (row,) = fact_rows(3, 4, stored(held, said))
    for name in ("provider", "requester", "dataset", "purpose", "recipient", "outcome", "reporter", "occurred_at_ms"):
        assert getattr(row, name) == getattr(said, name)
    assert (row.event_id, row.kind, row.side, row.correlation) == (said.id, said.kind, said.side, said.correlation)
    assert (row.agreement.hex(), row.version, row.grant) == (said.agreement, held.version, held.grant)
    assert (row.verdict, row.mismatches, row.flags) == (held.verdict, held.mismatches, held.flags)
    assert (row.duty, bytes.fromhex(row.responsible_post)) == (held.duty, held.responsible_post)
    assert (row.leaf_index, row.seq, row.bound_block, row.accepted_at_ms) == (3, said.reporter_seq, 7, 99)
    assert (row.stream, row.bound_block_hash, row.commitment) == (
        b"\x08" * 32,
        b"\x07" * 32,
        commit_event(said, held, SALTS).root,
    )


def test_a_line_that_is_no_event_is_an_integrity_error() -> None:
    batch = batch_of(3, [b"{}"])
    with pytest.raises(IntegrityError, match="is no event"):
        fact_rows(3, 4, One(batch))  # type: ignore[arg-type]
