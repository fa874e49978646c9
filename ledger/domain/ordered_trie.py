"""The root of a block's transaction or receipt trie, from its items alone.

The trie maps RLP(index) to item. A block's whole trie is always built at once here, so the nodes are made from the
sorted keys downwards; they are kept only where a proof is to be made of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain import rlp
from ledger.domain.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EMPTY_TRIE_ROOT", "ordered_trie_nodes", "ordered_trie_root"]

EMPTY_TRIE_ROOT: Final = keccak256(b"\x80")

_EMPTY: Final = b"\x80"


def ordered_trie_root(items: Sequence[bytes]) -> bytes:
    """Return the Merkle-Patricia root over items keyed by their index, as headers carry it."""
    if not items:
        return EMPTY_TRIE_ROOT
    entries = sorted((_nibbles(rlp.encode_int(index)), item) for index, item in enumerate(items))
    return keccak256(_node(entries, 0, len(entries), 0, None))


def ordered_trie_nodes(items: Sequence[bytes]) -> list[bytes]:
    """Return the nodes of that trie which others refer to by hash, in no order that counts; the root is among them."""
    kept: list[bytes] = []
    entries = sorted((_nibbles(rlp.encode_int(index)), item) for index, item in enumerate(items))
    if entries:
        kept.append(_node(entries, 0, len(entries), 0, kept))
    return kept


def _nibbles(key: bytes) -> bytes:
    return bytes(nibble for byte in key for nibble in (byte >> 4, byte & 15))


def _node(entries: list[tuple[bytes, bytes]], start: int, end: int, depth: int, kept: list[bytes] | None) -> bytes:
    """Return the RLP of the node over ``entries[start:end]``, which share their first ``depth`` nibbles."""
    first_key, first_item = entries[start]
    if end - start == 1:
        return rlp.encode_list([rlp.encode_bytes(_path(first_key[depth:], leaf=True)), rlp.encode_bytes(first_item)])
    last_key = entries[end - 1][0]
    shared = depth
    while first_key[shared] == last_key[shared]:
        shared += 1
    if shared > depth:
        child = _reference(_node(entries, start, end, shared, kept), kept)
        return rlp.encode_list([rlp.encode_bytes(_path(first_key[depth:shared], leaf=False)), child])
    # No RLP(index) is a prefix of another, so a branch never holds a value of its own.
    children = [_EMPTY] * 17
    begin = start
    while begin < end:
        nibble = entries[begin][0][depth]
        stop = begin + 1
        while stop < end and entries[stop][0][depth] == nibble:
            stop += 1
        children[nibble] = _reference(_node(entries, begin, stop, depth + 1, kept), kept)
        begin = stop
    return rlp.encode_list(children)


def _reference(node: bytes, kept: list[bytes] | None) -> bytes:
    if len(node) < 32:
        return node
    if kept is not None:
        kept.append(node)
    return rlp.encode_bytes(keccak256(node))


def _path(nibbles: bytes, *, leaf: bool) -> bytes:
    """Return the hex-prefix encoding of a path."""
    flag = 2 if leaf else 0
    padded = bytes((flag + 1,)) + nibbles if len(nibbles) % 2 else bytes((flag, 0)) + nibbles
    return bytes(high << 4 | low for high, low in zip(padded[::2], padded[1::2], strict=True))
