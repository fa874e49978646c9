"""A template gives the commitment of any event, byte for byte, and a leaf writer the leaf's encoding."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.binding import Binding
from ledger.domain.codes import Duty, Flag, Mismatch, Verdict
from ledger.domain.event_groups import commit_event
from ledger.domain.event_templates import template_of
from ledger.domain.leaf import LeafV1, LeafWriter, parse_leaf
from tests.domain.factories import event

HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
TEXT = st.text(max_size=20)


@given(
    claims=st.fixed_dictionaries({"purpose": st.sampled_from(["", "dpv:Marketing"]), "version": st.integers(0, 9)}),
    own=st.lists(
        st.fixed_dictionaries(
            {
                "id": st.text(min_size=1, max_size=20),
                "occurred_at_ms": st.integers(0, 2**53 - 1),
                "prev_hash": HEX,
                "reporter_seq": st.integers(0, 2**53 - 1),
                "size": st.integers(-1, 2**53 - 1),
                "correlation": TEXT,
                "source": st.dictionaries(st.sampled_from(["a", "b", "z-9"]), TEXT | st.integers(-9, 9), max_size=3),
            }
        ),
        min_size=1,
        max_size=4,
    ),
    mismatches=st.lists(st.sampled_from(Mismatch), unique=True, max_size=3),
    flags=st.lists(st.sampled_from(Flag), unique=True),
    salts=st.lists(st.binary(min_size=32, max_size=32), min_size=3, max_size=3, unique=True),
)
def test_roots_are_those_of_commit_event(
    claims: dict[str, Any],
    own: list[dict[str, Any]],
    mismatches: list[Mismatch],
    flags: list[Flag],
    salts: list[bytes],
) -> None:
    binding = Binding(
        Verdict.MISMATCH if mismatches else Verdict.WITHIN_SCOPE, tuple(mismatches), tuple(flags), b"\x05" * 32, 2, 1,
        Duty.DELIVER, b"\x06" * 32, 7, b"\x07" * 32,
    )  # fmt: skip
    first = event(**claims)
    template = template_of(first, binding)
    texts = tuple(b64encode(salt) for salt in salts)
    for changes in own:
        said = msgspec.structs.replace(first, **changes)
        assert template.root(said, (texts[0], texts[1], texts[2])) == commit_event(said, binding, salts).root


@given(
    commitments=st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=5),
    accepted_at_ms=st.integers(0, 2**53 - 10),
    block=st.integers(0, 2**53 - 1),
    block_hash=HEX,
    stream=HEX,
    prev=HEX,
    seq=st.integers(0, 2**53 - 10),
)
def test_a_leaf_writer_gives_the_leaves_of_a_stream(commitments: list[bytes], **of: Any) -> None:
    writer = LeafWriter(**of)
    for place, commitment in enumerate(commitments):
        leaf, digest = writer.next(commitment)
        seq = of["seq"] + place
        assert parse_leaf(leaf) == LeafV1(**of | {"seq": seq, "commitment": commitment.hex()})
        assert parse_leaf(leaf).hash() == digest
        of["prev"] = digest.hex()
