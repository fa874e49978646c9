"""Compiled code hashes full bundles and tiles as the log's own code does."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import VerificationError
from ledger.log.client import hash_bundle
from ledger.log.tiles import TILE_WIDTH, encode_bundle
from ledger.log.tree import perfect_root
from ledger.native.tiles import NativeTiles
from tests.native.compiled import compiled


def native() -> NativeTiles:
    return NativeTiles(compiled())


def pieces(seed: int, shortest: int, longest: int) -> list[bytes]:
    drawn = Random(seed)
    return [drawn.randbytes(drawn.randint(shortest, longest)) for _ in range(TILE_WIDTH)]


@given(seed=st.integers(), longest=st.integers(0, 200))
def test_bundles_are_hashed_alike(seed: int, longest: int) -> None:
    bundle = encode_bundle(pieces(seed, 0, longest))
    assert native().hash_bundle(bundle) == hash_bundle(bundle)


def test_an_entry_of_the_greatest_length_is_hashed_alike() -> None:
    bundle = encode_bundle([b"x" * 65_535, *[b""] * (TILE_WIDTH - 1)])
    assert native().hash_bundle(bundle) == hash_bundle(bundle)


@given(count=st.sampled_from([0, 1, 255, 257]), cut=st.integers(1, 3))
def test_other_than_256_whole_entries_are_refused_by_both(count: int, cut: int) -> None:
    whole = encode_bundle([b"entry"] * TILE_WIDTH)
    for wrong in (encode_bundle([b"entry"] * count), whole[:-cut], whole + bytes(cut), whole[:-7] + b"\xff\xffentry"):
        for hashed in (native().hash_bundle, hash_bundle):
            with pytest.raises(VerificationError, match="bundle"):
                hashed(wrong)


@given(st.integers())
def test_tiles_have_the_same_root(seed: int) -> None:
    hashes = pieces(seed, 32, 32)
    assert native().tile_root(b"".join(hashes)) == perfect_root(hashes)


def test_a_partial_tile_has_no_root_here() -> None:
    with pytest.raises(ValueError, match="8160"):
        native().tile_root(bytes(32 * 255))
