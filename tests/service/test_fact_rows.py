"""A fact's row says what the event and its binding say; a document that holds none is an integrity error."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.binding import Binding
from ledger.domain.codes import Duty, Flag, Mismatch, Verdict
from ledger.domain.errors import IntegrityError
from ledger.domain.event_groups import commit_event
from ledger.domain.leaf import LeafV1
from ledger.service.event_documents import binding_of, event_of
from ledger.service.fact_rows import fact_row
from ledger.service.ports import VaultDocument
from tests.domain.factories import event

SALTS = [bytes((number,)) * 32 for number in (1, 2, 3)]


def bound(**changes: Any) -> Binding:
    whole = {
        "verdict": Verdict.WITHIN_SCOPE, "mismatches": (), "flags": (Flag.DEMONSTRATION,), "agreement": b"\x05" * 32,
        "version": 2, "grant": 1, "duty": Duty.DELIVER, "responsible_post": b"\x06" * 32, "block": 7,
        "block_hash": b"\x07" * 32,
    }  # fmt: skip
    return Binding(**(whole | changes))


def pair(binding: Binding, **stated: Any) -> tuple[LeafV1, VaultDocument]:
    made = commit_event(event(**stated), binding, SALTS)
    leaf = LeafV1(
        accepted_at_ms=99, block=7, block_hash="07" * 32, commitment=made.root.hex(), prev="00" * 32, seq=4,
        stream="08" * 32,
    )  # fmt: skip
    return leaf, VaultDocument(made.root, "event", "PARTIES", made.by_name(), {})


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
    binding = bound(verdict=verdict, mismatches=tuple(mismatches), flags=tuple(flags), duty=duty, responsible_post=post)
    leaf, document = pair(binding, agreement=agreement, correlation=correlation)
    row, said, held = fact_row(3, leaf, document), event_of(document), binding_of(document)
    for name in ("provider", "requester", "dataset", "purpose", "recipient", "outcome", "reporter", "occurred_at_ms"):
        assert getattr(row, name) == getattr(said, name)
    assert (row.event_id, row.kind, row.side, row.correlation) == (said.id, said.kind, said.side, said.correlation)
    assert (row.agreement.hex(), row.version, row.grant) == (said.agreement, held.version, held.grant)
    assert (row.verdict, row.mismatches, row.flags) == (held.verdict, held.mismatches, held.flags)
    assert (row.duty, bytes.fromhex(row.responsible_post)) == (held.duty, held.responsible_post)
    assert (row.leaf_index, row.seq, row.bound_block, row.accepted_at_ms) == (3, 4, 7, 99)
    assert (row.stream, row.bound_block_hash, row.commitment) == (b"\x08" * 32, b"\x07" * 32, document.commitment)


def test_document_of_another_leaf_is_an_integrity_error() -> None:
    leaf, _ = pair(bound())
    _, other = pair(bound(), id="e-2")
    with pytest.raises(IntegrityError, match="commits to"):
        fact_row(0, leaf, other)


@pytest.mark.parametrize(
    ("group", "key", "value"),
    [
        ("exchange", "kind", "GOSSIP"), ("exchange", "occurred_at_ms", "now"), ("exchange", "occurred_at_ms", -1),
        ("binding", "verdict", ["FINE"]), ("binding", "agreement", "05"), ("binding", "duty", "REST"),
        ("binding", "flags", None), ("detail", "correlation", 5),
    ],
)  # fmt: skip
def test_document_that_holds_no_event_is_an_integrity_error(group: str, key: str, value: Any) -> None:
    leaf, document = pair(bound())
    salt, members = document.groups[group]
    assert isinstance(members, dict)
    for changed in ({**members, key: value}, {name: one for name, one in members.items() if name != key}):
        altered = dataclasses.replace(document, groups={**document.groups, group: (salt, changed)})
        with pytest.raises(IntegrityError, match="holds no event"):
            fact_row(0, leaf, altered)
