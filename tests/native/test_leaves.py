"""Compiled code makes the leaves and receipts that Python makes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.binding import Binding
from ledger.domain.codes import Duty, Flag, Mismatch, Verdict
from ledger.domain.event_templates import template_of
from ledger.domain.event_v1 import NO_HASH, encode_event, read_line
from ledger.log.tiles import decode_bundle
from ledger.log.tree import leaf_hash, root_of
from ledger.native.leaves import NativeLeaves
from ledger.service.block_view import BoundKind
from ledger.service.intake import Stream
from ledger.service.leaf_making import PythonLeaves
from ledger.service.placing import Placing
from ledger.service.ports import BlockRef
from ledger.service.read_ahead import ReadAhead, read_ahead
from ledger.service.stored_batches import BoundAs
from tests.native.compiled import compiled
from tests.native.signed import body_of
from tests.native.test_lines import events_of, random

NAMES = st.text("abc-09 /\u4e2d\u00e9", min_size=1, max_size=9).map(str.strip).filter(bool)


def read_of(changes: list[dict[str, Any]]) -> ReadAhead:
    read = read_ahead(body_of([encode_event(one) for one in events_of(changes)]), random=random)
    assert read is not None
    return read


def kinds_of(read: ReadAhead, mismatches: list[Mismatch]) -> list[BoundKind]:
    verdict = Verdict.MISMATCH if mismatches else Verdict.WITHIN_SCOPE
    binding = Binding(
        verdict,
        tuple(mismatches),
        (Flag.DEMONSTRATION,),
        b"\x05" * 32,
        2,
        1,
        Duty.DELIVER,
        b"\x06" * 32,
        7,
        b"\x07" * 32,
    )
    codes = tuple(code.value for code in mismatches)
    return [
        BoundKind(
            binding, BoundAs.of(binding), template_of(read_line(line), binding), verdict.value, codes,
            (Flag.DEMONSTRATION.value,),
        )
        for line in read.kinds
    ]  # fmt: skip


def native() -> NativeLeaves:
    return NativeLeaves(compiled())


@given(
    changes=st.lists(
        st.fixed_dictionaries(
            {"id": NAMES, "correlation": st.just("") | NAMES, "occurred_at_ms": st.integers(0, 5_000)},
            optional={"purpose": st.just("dpv:Marketing")},
        ),
        min_size=1,
        max_size=6,
    ),
    mismatches=st.lists(st.sampled_from(Mismatch), unique=True, max_size=3),
    first=st.integers(0, 2**40),
    seq=st.integers(0, 2**53 - 10),
    at=st.integers(0, 2**43),
    block=st.integers(0, 2**53 - 1),
)
def test_leaves_and_receipts_are_the_same(
    changes: list[dict[str, Any]], mismatches: list[Mismatch], first: int, seq: int, at: int, block: int
) -> None:
    read = read_of(changes)
    stream = Stream("gw@x", "", "salt", "ef" * 32, seq, bytes(32), "cd" * 32 if seq else NO_HASH)
    placing = Placing(at, BlockRef(block, b"\x08" * 32, 1_700_000_000), stream)
    kinds = kinds_of(read, mismatches)
    slow, fast = PythonLeaves().make(read, first, placing, kinds), native().make(read, first, placing, kinds)
    assert (fast.leaves.payload, fast.leaves.hashes) == (slow.leaves.payload, slow.leaves.hashes)
    assert fast.receipts == slow.receipts
    leaves = decode_bundle(fast.leaves.payload, read.count)
    assert b"".join(map(leaf_hash, leaves)) == fast.leaves.hashes
    receipts = msgspec.json.decode(b"[" + fast.receipts + b"]")
    assert [one["index"] for one in receipts] == list(range(first, first + read.count))
    assert [one["id"] for one in receipts] == [one["id"] for one in changes]


def test_the_longest_numbers_have_room() -> None:
    """Buffers are made for twenty digits, also where the format allows sixteen."""
    most = 2**64 - 10
    read = msgspec.structs.replace(read_of([{"id": "a"}, {"id": "b"}]), first_seq=most)
    stream = Stream("gw@x", "", "salt", "ef" * 32, most, bytes(32), "cd" * 32)
    placing = Placing(2**43, BlockRef(2**53, b"\x08" * 32, 1_700_000_000), stream)
    kinds = kinds_of(read, [])
    slow, fast = PythonLeaves().make(read, most, placing, kinds), native().make(read, most, placing, kinds)
    assert (fast.leaves.payload, fast.receipts) == (slow.leaves.payload, slow.receipts)


@given(st.integers(1, 70))
def test_roots_over_digests_are_those_of_the_tree(count: int) -> None:
    digests = [random(32 + place)[place:] for place in range(count)]
    assert native().root(b"".join(digests)) == root_of(digests) == PythonLeaves().root(b"".join(digests))


PARTS = ("kind_of", "keys", "digests", "salts", "others", "first_prev")


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("by", [-1, 1])
def test_a_reading_with_a_part_of_another_length_is_not_whole(name: str, by: int) -> None:
    """The compiled code trusts these lengths, so a reader that states others is not believed."""
    read = read_of([{}, {}])
    assert read.is_whole()
    part = getattr(read, name)
    other = part[:-1] if by < 0 else part + part[:1]
    assert not msgspec.structs.replace(read, **{name: other}).is_whole()


def test_a_reading_whose_pieces_or_kinds_do_not_exist_is_not_whole() -> None:
    read = read_of([{}, {}])
    ends = memoryview(read.ids.ends).cast("I").tolist()
    for wrong in (
        [ends[1], ends[0]],
        [ends[0], ends[1] + 1],
        [ends[0], ends[1] - 1],
        [2**32 - 1, ends[1]],
        ends[:1],
        [],
    ):
        other = type(read.ids)(read.ids.data, b"".join(one.to_bytes(4, "little") for one in wrong))
        assert not msgspec.structs.replace(read, ids=other).is_whole()
        assert not msgspec.structs.replace(read, correlations=other).is_whole()
    assert not msgspec.structs.replace(read, kind_of=b"\x01\x00\x00\x00").is_whole()
    assert not msgspec.structs.replace(read, count=0).is_whole()
    assert not msgspec.structs.replace(read, count=3).is_whole()
