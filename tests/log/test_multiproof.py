"""One proof for many leaves: the same root and paths as one by one, in one form only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.multiproof import inclusion_proofs, multiproof, open_multiproof
from ledger.log.tree import HashList, inclusion_proof, leaf_hash, root_of

HASHES = [leaf_hash(b"%d" % index) for index in range(300)]


def made(indices: set[int], size: int) -> tuple[dict[int, bytes], dict[int, list[bytes]], list[bytes]]:
    tree = HashList(HASHES[:size])
    paths = {index: inclusion_proof(tree, index, size) for index in indices}
    return {index: HASHES[index] for index in indices}, paths, multiproof(paths, size)


@st.composite
def chosen(draw: st.DrawFn) -> tuple[set[int], int]:
    size = draw(st.integers(1, 300))
    return draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=20)), size


@given(chosen())
def test_it_gives_the_root_and_each_leafs_own_path(case: tuple[set[int], int]) -> None:
    indices, size = case
    leaves, paths, proof = made(indices, size)
    assert open_multiproof(leaves, size, proof) == (root_of(HASHES[:size]), paths)
    assert len(proof) <= sum(map(len, paths.values()))
    assert len(set(proof)) == len(proof)


@given(chosen(), st.data())
def test_any_other_proof_gives_another_root_or_is_refused(case: tuple[set[int], int], data: st.DataObject) -> None:
    indices, size = case
    leaves, _, proof = made(indices, size)
    place = data.draw(st.integers(0, len(proof)))
    with pytest.raises(VerificationError, match="hashes than it needs"):
        open_multiproof(leaves, size, [*proof[:place], bytes(32), *proof[place:]])
    if proof:
        gone = place % len(proof)
        with pytest.raises(VerificationError, match="fewer hashes"):
            open_multiproof(leaves, size, proof[:gone] + proof[gone + 1 :])
        altered = [*proof[:gone], bytes(32), *proof[gone + 1 :]]
        assert open_multiproof(leaves, size, altered)[0] != root_of(HASHES[:size])
    other = {**leaves, min(leaves): bytes(32)}
    assert open_multiproof(other, size, proof)[0] != root_of(HASHES[:size])


def test_a_run_of_leaves_shares_its_nodes() -> None:
    _, paths, proof = made(set(range(17, 217)), 300)
    assert (len(proof), sum(map(len, paths.values()))) == (7, 1800)


@pytest.mark.parametrize(
    ("leaves", "size", "proof"),
    [
        ({}, 4, []),
        ({4: bytes(32)}, 4, [bytes(32), bytes(32)]),
        ({-1: bytes(32)}, 4, [bytes(32), bytes(32)]),
        ({0: bytes(31)}, 2, [bytes(32)]),
        ({0: bytes(32)}, 2, [bytes(33)]),
        ({0: bytes(32)}, 2**63 + 1, [bytes(32)] * 64),
    ],
)
def test_what_is_no_proof_is_refused(leaves: dict[int, bytes], size: int, proof: list[bytes]) -> None:
    with pytest.raises(VerificationError):
        open_multiproof(leaves, size, proof)


@pytest.mark.parametrize("paths", [{}, {3: []}])
def test_no_proof_is_made_of_leaves_outside_the_tree(paths: dict[int, list[bytes]]) -> None:
    with pytest.raises(InvalidInputError):
        multiproof(paths, 3)


@given(chosen())
def test_paths_of_many_leaves_are_those_of_each(case: tuple[set[int], int]) -> None:
    indices, size = case
    root, paths = inclusion_proofs(HashList(HASHES), indices, size)
    assert root == root_of(HASHES[:size])
    assert paths == {index: inclusion_proof(HashList(HASHES), index, size) for index in indices}


class Counting:
    """A tree that counts what is read of it."""

    def __init__(self) -> None:
        self.tree = HashList(HASHES)
        self.read: list[tuple[int, int]] = []

    def node(self, level: int, index: int) -> bytes:
        self.read.append((level, index))
        return self.tree.node(level, index)


def test_paths_of_many_leaves_read_no_node_twice() -> None:
    tree = Counting()
    inclusion_proofs(tree, range(17, 217), 300)
    assert len(tree.read) == len(set(tree.read)) < 220


@pytest.mark.parametrize(("indices", "size"), [([], 5), ([-1, 2], 5), ([5], 5), ([0], 0)])
def test_paths_of_no_leaf_or_one_outside_the_tree_are_refused(indices: list[int], size: int) -> None:
    with pytest.raises(InvalidInputError, match="indices"):
        inclusion_proofs(HashList(HASHES), indices, size)
