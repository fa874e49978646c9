"""A filter never loses a key, and lets few others pass."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ledger.store.key_filter import KeyFilter

KEYS = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50)


@given(first=KEYS, second=KEYS)
def test_what_is_held_passes_and_so_does_the_other_side_of_its_exchange(first: list[int], second: list[int]) -> None:
    held = KeyFilter([np.array(first, np.uint64)], count=len(first))
    held.add(np.array(second, np.uint64))
    for key in (*first, *second):
        both = np.array([key, key ^ 1], np.uint64)
        assert held.passing(both).tolist() == both.tolist()


def test_few_others_pass_and_a_full_one_says_so() -> None:
    drawn = np.random.default_rng(7)
    keys = drawn.integers(0, 2**63, 300_000, np.uint64) * np.uint64(2)
    held = KeyFilter(np.array_split(keys, 7), count=len(keys))
    assert held.passing(keys).tolist() == keys.tolist()
    others = drawn.integers(0, 2**63, 100_000, np.uint64) * np.uint64(2)
    assert len(held.passing(others)) < 1_000
    assert not held.is_full()
    held.add(drawn.integers(0, 2**63, 150_001, np.uint64))
    assert held.is_full()


def test_an_empty_one_lets_nothing_pass() -> None:
    assert KeyFilter().passing(np.array([0, 1, 2**64 - 1], np.uint64)).tolist() == []
