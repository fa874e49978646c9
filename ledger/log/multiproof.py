"""One proof for many leaves of a tree: their RFC 6962 audit paths, each node once (docs/spec/evidence-batch-v1.md §3).

A multiproof holds the roots of the largest subtrees without any of the leaves, from left to right. It has exactly the
nodes that (indices, size) demand, so it has one form. From it follows the root, and each leaf's own audit path.

Example::

    root, paths = inclusion_proofs(reader, [3, 4, 700], size)
    proof = multiproof(paths, size)
    root, paths = open_multiproof({3: hash3, 4: hash4, 700: hash700}, size, proof)
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.log.tree import HASH_SIZE_BYTES, node_hash, split, subtree_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ledger.log.tree import NodeReader

_STEP: Final = "multiproof"
_MAX_SIZE: Final = 1 << 63


def multiproof(paths: Mapping[int, Sequence[bytes]], size: int) -> list[bytes]:
    """Return the multiproof of leaves out of their audit paths in the tree of ``size`` leaves.

    Args:
        paths: index → audit path, from `inclusion_proof`.
        size: of the tree that they all are paths in.

    Raises:
        InvalidInputError: no leaf, or one that is not below the size.
    """
    indices = sorted(paths)
    _check_indices(indices, size)
    proof: list[bytes] = []

    def walk(begin: int, end: int, wanted: Sequence[int], depth: int) -> None:
        if end - begin == 1:
            return
        middle = begin + split(end - begin)
        count = bisect_left(wanted, middle)
        for first, last, within, beside in (
            (begin, middle, wanted[:count], wanted[count:]),
            (middle, end, wanted[count:], wanted[:count]),
        ):
            if within:
                walk(first, last, within, depth + 1)
            else:
                proof.append(paths[beside[0]][-1 - depth])

    walk(0, size, indices, 0)
    return proof


def open_multiproof(
    leaves: Mapping[int, bytes], size: int, proof: Sequence[bytes]
) -> tuple[bytes, dict[int, list[bytes]]]:
    """Return the root that the leaves' hashes and the multiproof give, and each leaf's audit path in that tree.

    Raises:
        VerificationError: no leaf, an index outside the tree, a hash that is not 32 bytes, or a proof with other than
            the nodes that it needs.
    """
    indices = sorted(leaves)
    if not indices or not 0 <= indices[0] <= indices[-1] < size <= _MAX_SIZE:
        raise VerificationError(_STEP, f"its leaves are none, or outside a tree of {size} leaves")
    if any(len(value) != HASH_SIZE_BYTES for value in (*leaves.values(), *proof)):
        raise VerificationError(_STEP, f"a hash is not {HASH_SIZE_BYTES} bytes")
    given = iter(proof)
    root, paths = _paths(indices, size, leaves.__getitem__, lambda _begin, _end: _next(given))
    if next(given, None) is not None:
        raise VerificationError(_STEP, "it has more hashes than it needs")
    return root, paths


def inclusion_proofs(reader: NodeReader, indices: Iterable[int], size: int) -> tuple[bytes, dict[int, list[bytes]]]:
    """Return the root that the tree had when it held ``size`` leaves, and each leaf's audit path in it.

    Every node is read or hashed once, however many paths it is in. The root follows from the leaves and their paths:
    where it is the one that is known, each path leads there.

    Raises:
        InvalidInputError: no leaf, or one that is not below the size.
    """
    wanted = sorted(set(indices))
    _check_indices(wanted, size)
    return _paths(
        wanted, size, lambda index: reader.node(0, index), lambda begin, end: subtree_root(reader, begin, end)
    )


def _paths(
    indices: Sequence[int], size: int, leaf: Callable[[int], bytes], beside: Callable[[int, int], bytes]
) -> tuple[bytes, dict[int, list[bytes]]]:
    """Return root and audit paths; ``beside`` gives the roots of subtrees without any of the leaves, from the left."""
    paths: dict[int, list[bytes]] = {index: [] for index in indices}

    def walk(begin: int, end: int, wanted: Sequence[int]) -> bytes:
        if not wanted:
            return beside(begin, end)
        if end - begin == 1:
            return leaf(begin)
        middle = begin + split(end - begin)
        count = bisect_left(wanted, middle)
        left = walk(begin, middle, wanted[:count])
        right = walk(middle, end, wanted[count:])
        for index in wanted[:count]:
            paths[index].append(right)
        for index in wanted[count:]:
            paths[index].append(left)
        return node_hash(left, right)

    return walk(0, size, indices), paths


def _check_indices(indices: Sequence[int], size: int) -> None:
    if not indices or not 0 <= indices[0] <= indices[-1] < size:
        raise InvalidInputError("indices", str(indices[:5]), f"numbers of 0 to {size - 1}, at least one")


def _next(given: Iterator[bytes]) -> bytes:
    value = next(given, None)
    if value is None:
        raise VerificationError(_STEP, "it has fewer hashes than it needs")
    return value
