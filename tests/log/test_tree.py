from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError
from ledger.log.tree import (
    EMPTY_ROOT,
    HashList,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    nodes_covering,
    perfect_root,
    root_at,
    root_of,
)

entries_lists = st.lists(st.binary(max_size=8), max_size=80)


def naive_root(entries: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return sha256(b"\x01" + naive_root(entries[:split]) + naive_root(entries[split:])).digest()


def test_hashes_are_those_of_the_standard() -> None:
    # The known values of RFC 6962 implementations for the empty tree and the empty leaf.
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node_hash(b"N123", b"N456").hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"


@given(entries_lists)
def test_root_equals_the_recursive_definition(entries: list[bytes]) -> None:
    hashes = [leaf_hash(entry) for entry in entries]
    assert root_of(hashes) == naive_root(entries)
    if entries:
        assert root_at(HashList(hashes), len(entries)) == naive_root(entries)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_nodes_covering_tile_the_range_in_order(first: int, second: int) -> None:
    begin, end = sorted((first, second))
    position = begin
    for level, index in nodes_covering(begin, end):
        assert index << level == position
        position = (index + 1) << level
    assert position == end


@pytest.mark.parametrize("count", [0, 3, 5])
def test_perfect_root_refuses_a_tree_that_is_not_perfect(count: int) -> None:
    with pytest.raises(InvalidInputError, match="power of two"):
        perfect_root([EMPTY_ROOT] * count)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_inclusion_proof_refuses_an_index_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(InvalidInputError, match="index"):
        inclusion_proof(HashList([EMPTY_ROOT] * 5), index, size)


@pytest.mark.parametrize(("old", "new"), [(6, 5), (-1, 5)])
def test_consistency_proof_refuses_a_shrinking_tree(old: int, new: int) -> None:
    with pytest.raises(InvalidInputError, match="old"):
        consistency_proof(HashList([EMPTY_ROOT] * 5), old, new)
