"""Commitments: what is opened is bound, what is withheld stays hidden, and each alteration is refused."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import canonical
from ledger.domain.commitment import Commitment, Opening, commit, parse_leaf, recommit, salt_text, verify_openings
from ledger.domain.errors import InvalidInputError, VerificationError
from tests.domain.strategies import json_values

names = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=8)
values = st.dictionaries(names, json_values, min_size=1, max_size=7)


def commitment_of(content: dict[str, object]) -> Commitment:
    salts = {name: hashlib.sha256(name.encode()).digest() for name in content}
    return commit(content, salts)  # type: ignore[arg-type]


@given(values, st.data())
def test_any_choice_of_groups_opens_to_its_values(content: dict[str, object], data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.sampled_from(sorted(content))))
    commitment = commitment_of(content)
    opened = verify_openings(commitment.root, commitment.disclose(chosen))
    assert opened == {name: content[name] for name in sorted(chosen)}


@given(values)
def test_stored_groups_give_the_same_commitment(content: dict[str, object]) -> None:
    commitment = commitment_of(content)
    assert recommit(commitment.by_name()) == commitment


@given(values, st.data())
def test_one_flipped_bit_in_an_opening_is_refused(content: dict[str, object], data: st.DataObject) -> None:
    commitment = commitment_of(content)
    opening = data.draw(st.sampled_from(commitment.disclose(commitment.by_name())))
    position = data.draw(st.integers(0, len(opening.leaf) * 8 - 1))
    leaf = bytearray(opening.leaf)
    leaf[position // 8] ^= 1 << position % 8
    with pytest.raises(VerificationError):
        verify_openings(commitment.root, [dataclasses.replace(opening, leaf=bytes(leaf))])


def test_root_is_rfc6962_over_salted_leaves() -> None:
    commitment = commit({"b": "x", "a": {"k": 1}}, {"a": b"\1" * 32, "b": b"\2" * 32})
    leaf_a = b'["' + salt_text(b"\1" * 32).encode() + b'","a",{"k":1}]'
    leaf_b = b'["' + salt_text(b"\2" * 32).encode() + b'","b","x"]'
    left, right = (hashlib.sha256(b"\0" + leaf).digest() for leaf in (leaf_a, leaf_b))
    assert commitment.leaves == (leaf_a, leaf_b)
    assert commitment.root == hashlib.sha256(b"\1" + left + right).digest()


def test_openings_out_of_order_or_twice_are_refused() -> None:
    openings = commitment_of({"a": 1, "b": 2}).disclose(["a", "b"])
    root = commitment_of({"a": 1, "b": 2}).root
    for bad in (openings[::-1], (openings[0], openings[0])):
        with pytest.raises(VerificationError, match="out of order"):
            verify_openings(root, bad)


def test_a_tree_that_names_a_group_twice_is_refused() -> None:
    leaf = commitment_of({"a": 1}).leaves[0]
    digest = hashlib.sha256(b"\0" + leaf).digest()
    root = hashlib.sha256(b"\1" + digest + digest).digest()
    with pytest.raises(VerificationError, match="out of order"):
        verify_openings(root, [Opening(leaf, 0, 2, (digest,)), Opening(leaf, 1, 2, (digest,))])


@pytest.mark.parametrize(
    ("content", "salts"),
    [
        ({}, {}),
        ({"a": 1}, {}),
        ({"a": 1}, {"a": b"\1" * 31}),
        ({"a": 1, "b": 2}, {"a": b"\1" * 32, "b": b"\1" * 32}),
        ({"": 1}, {"": b"\1" * 32}),
        ({"é": 1}, {"é": b"\1" * 32}),
        ({"a": 1.5}, {"a": b"\1" * 32}),
        ({"a": "e\u0301"}, {"a": b"\1" * 32}),
    ],
)
def test_commit_refuses_bad_groups(content: dict[str, object], salts: dict[str, bytes]) -> None:
    with pytest.raises(InvalidInputError):
        commit(content, salts)  # type: ignore[arg-type]


def test_disclose_refuses_an_unknown_group() -> None:
    with pytest.raises(InvalidInputError, match="nothing"):
        commitment_of({"a": 1}).disclose(["nothing"])


@pytest.mark.parametrize(
    "leaf",
    [
        b"",
        b"[]",
        b'{"a":1}',
        canonical.encode(["short", "a", 1]),
        canonical.encode([salt_text(b"\1" * 32), "a"]),
        canonical.encode([salt_text(b"\1" * 32), 1, 1]),
        canonical.encode([salt_text(b"\1" * 32)[:-2] + "F=", "a", 1]),
        b'["' + salt_text(b"\1" * 32).encode() + b'", "a",1]',
    ],
)
def test_parse_leaf_refuses_other_shapes(leaf: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_leaf(leaf)
