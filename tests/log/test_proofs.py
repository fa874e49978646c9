from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import VerificationError
from ledger.log.proofs import root_from_inclusion, verify_consistency, verify_inclusion
from ledger.log.tree import HashList, consistency_proof, inclusion_proof, leaf_hash, root_at

SIZE = 70
HASHES = [leaf_hash(index.to_bytes(2, "big")) for index in range(SIZE)]
TREE = HashList(HASHES)
ROOTS = [root_at(TREE, size) for size in range(SIZE + 1)]

sizes = st.integers(1, SIZE)


def test_every_inclusion_proof_of_every_size_verifies() -> None:
    for size in range(1, SIZE + 1):
        for index in range(size):
            proof = inclusion_proof(TREE, index, size)
            assert root_from_inclusion(HASHES[index], index, size, proof) == ROOTS[size]


def test_every_consistency_proof_of_every_pair_of_sizes_verifies() -> None:
    checked = 0
    for new in range(1, SIZE + 1):
        for old in range(1, new + 1):
            verify_consistency(old, new, consistency_proof(TREE, old, new), ROOTS[old], ROOTS[new])
            checked += 1
    assert checked == SIZE * (SIZE + 1) // 2


@given(sizes, st.data())
def test_altered_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(TREE, index, size)
    leaf, root = HASHES[index], ROOTS[size]
    verify_inclusion(leaf, index, size, proof, root)
    hashes = [leaf, root, *proof]
    altered = data.draw(st.integers(0, len(hashes) - 1))
    hashes[altered] = _flip(hashes[altered], data.draw(st.integers(0, 255)))
    with pytest.raises(VerificationError):
        verify_inclusion(hashes[0], index, size, hashes[2:], hashes[1])
    for wrong in ([*proof, leaf], [leaf, *proof], proof[:-1] if proof else [leaf]):
        with pytest.raises(VerificationError, match="hashes, not"):
            verify_inclusion(leaf, index, size, wrong, root)
    other = data.draw(st.integers(0, SIZE).filter(lambda value: value != index))
    with pytest.raises(VerificationError):
        verify_inclusion(leaf, other, size, proof, root)


@given(sizes, sizes, st.data())
def test_altered_consistency_proof_is_refused(first: int, second: int, data: st.DataObject) -> None:
    old, new = sorted((first, second))
    proof = consistency_proof(TREE, old, new)
    hashes = [ROOTS[old], ROOTS[new], *proof]
    altered = data.draw(st.integers(0, len(hashes) - 1))
    hashes[altered] = _flip(hashes[altered], data.draw(st.integers(0, 255)))
    with pytest.raises(VerificationError):
        verify_consistency(old, new, hashes[2:], hashes[0], hashes[1])
    for wrong in ([*proof, HASHES[0]], [HASHES[0], *proof]):
        with pytest.raises(VerificationError):
            verify_consistency(old, new, wrong, ROOTS[old], ROOTS[new])
    if proof:
        with pytest.raises(VerificationError, match="hashes, not"):
            verify_consistency(old, new, proof[1:], ROOTS[old], ROOTS[new])


@given(st.lists(st.binary(max_size=40), max_size=9), st.integers(-2, 2**64), st.integers(-2, 2**64))
def test_random_proof_is_refused_and_nothing_else_escapes(proof: list[bytes], one: int, two: int) -> None:
    with pytest.raises(VerificationError):
        verify_inclusion(HASHES[0], one, two, proof, b"\x00" * 32)
    with pytest.raises(VerificationError):
        verify_consistency(one, two, proof, b"\x01" * 32, b"\x02" * 32)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_hash_of_another_length_is_refused_by_length(length: int) -> None:
    wrong = b"\x00" * length
    proof = inclusion_proof(TREE, 3, 5)
    with pytest.raises(VerificationError, match=f"leaf hash has {length} bytes"):
        verify_inclusion(wrong, 3, 5, proof, ROOTS[5])
    with pytest.raises(VerificationError, match=f"root has {length} bytes"):
        verify_inclusion(HASHES[3], 3, 5, proof, wrong)
    with pytest.raises(VerificationError, match=rf"proof\[0\] has {length} bytes"):
        verify_inclusion(HASHES[3], 3, 5, [wrong, *proof[1:]], ROOTS[5])
    with pytest.raises(VerificationError, match=f"root2 has {length} bytes"):
        verify_consistency(3, 5, consistency_proof(TREE, 3, 5), ROOTS[3], wrong)


@pytest.mark.parametrize("new", [0, 1, 5])
def test_consistency_from_size_zero_is_refused(new: int) -> None:
    with pytest.raises(VerificationError, match="0 < size1"):
        verify_consistency(0, new, [], ROOTS[0], ROOTS[new])


def test_two_roots_of_one_size_are_refused() -> None:
    with pytest.raises(VerificationError, match="one size 5 has two roots"):
        verify_consistency(5, 5, [], ROOTS[5], ROOTS[6])


def _flip(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big")
