"""The RFC 6962 Merkle tree: hashes, roots, and proofs from any source of nodes.

Invariants:

* a leaf is hashed with prefix 0x00, an inner node with prefix 0x01, so neither can stand for the other;
* a node is named (level, index): it covers leaves ``index << level`` up to ``(index + 1) << level``, and
  only perfect subtrees have names, so a node's hash never changes once its last leaf is there;
* every proof is made from O(log n) named nodes, whatever holds them.

Example::

    root_of(leaf_hash(entry) for entry in entries)
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from ledger.domain.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HASH_SIZE_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()

_LEAF = b"\x00"
_NODE = b"\x01"


class NodeReader(Protocol):
    """Where the hashes of perfect subtrees come from: memory, tiles, a peer."""

    def node(self, level: int, index: int) -> bytes:
        """Return the hash over leaves ``index << level`` (included) to ``(index + 1) << level`` (not)."""
        ...


def leaf_hash(entry: bytes) -> bytes:
    """Return SHA-256(0x00 ‖ entry)."""
    return sha256(_LEAF + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Return the leaf hash of each entry."""
    return [sha256(_LEAF + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(_NODE + left + right).digest()


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a number of sibling hashes that is a power of two.

    Raises:
        InvalidInputError: the number of hashes is not a power of two.
    """
    count = len(hashes)
    if count == 0 or count & (count - 1):
        raise InvalidInputError(field="hashes", value=str(count), allowed="a power of two")
    level = list(hashes)
    while len(level) > 1:
        level = [sha256(_NODE + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the tree's root over the leaf hashes, in order."""
    level = list(leaf_hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        # A last one without a sibling goes up as it is: the split at the largest power of two, from below.
        alone = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(_NODE + left + right).digest() for left, right in pairs] + alone
    return level[0]


def fold(peaks: Sequence[bytes]) -> bytes:
    """Return the root over perfect subtrees given from left to right, each smaller than the one before."""
    if not peaks:
        return EMPTY_ROOT
    result = peaks[-1]
    for peak in reversed(peaks[:-1]):
        result = node_hash(peak, result)
    return result


def nodes_covering(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield (level, index) of the fewest perfect subtrees that tile leaves [begin, end), left to right."""
    while begin < end:
        align = (begin & -begin).bit_length() - 1 if begin else end.bit_length() - 1
        level = min(align, (end - begin).bit_length() - 1)
        yield level, begin >> level
        begin += 1 << level


def root_at(reader: NodeReader, size: int) -> bytes:
    """Return the root that the tree had when it held ``size`` leaves."""
    return subtree_root(reader, 0, size)


def inclusion_proof(reader: NodeReader, index: int, size: int) -> list[bytes]:
    """Return the RFC 6962 audit path of leaf ``index`` in the tree of ``size`` leaves, nearest sibling first.

    Raises:
        InvalidInputError: the index is not below the size.
    """
    if not 0 <= index < size:
        raise InvalidInputError(field="index", value=str(index), allowed=f"0 to {size - 1}")
    path = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + split(end - begin)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin = middle
    return [subtree_root(reader, first, last) for first, last in reversed(path)]


def consistency_proof(reader: NodeReader, old: int, new: int) -> list[bytes]:
    """Return the RFC 6962 proof that the tree of ``old`` leaves is a prefix of the one of ``new``.

    It is empty for equal sizes, and for ``old`` = 0, which proves nothing (the verifier refuses it).

    Raises:
        InvalidInputError: ``old`` is negative or above ``new``.
    """
    if not 0 <= old <= new:
        raise InvalidInputError(field="old", value=str(old), allowed=f"0 to {new}")
    if old in {0, new}:
        return []
    path = []
    begin, end = 0, new
    while end != old:
        middle = begin + split(end - begin)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin = middle
    if begin:
        path.append((begin, end))
    return [subtree_root(reader, first, last) for first, last in reversed(path)]


class HashList:
    """A NodeReader over leaf hashes in memory, for small trees (commitments, batches, tests)."""

    __slots__ = ("_levels",)

    def __init__(self, leaf_hashes: Iterable[bytes]) -> None:
        """Hash every perfect subtree of the leaves once."""
        levels = [list(leaf_hashes)]
        while len(levels[-1]) > 1:
            below = levels[-1]
            pairs = zip(below[::2], below[1::2], strict=False)
            levels.append([sha256(_NODE + left + right).digest() for left, right in pairs])
        self._levels = levels

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a perfect subtree."""
        return self._levels[level][index]


def split(count: int) -> int:
    """Return the largest power of two smaller than ``count`` (which is at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def subtree_root(reader: NodeReader, begin: int, end: int) -> bytes:
    """Return RFC 6962's MTH over leaves [begin, end), a subtree that RFC 6962's recursion reaches."""
    return fold([reader.node(level, index) for level, index in nodes_covering(begin, end)])
