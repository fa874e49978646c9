"""Merkle-Patricia proofs: what stands under a key, or that nothing does, from the nodes on its path.

A proof of several keys is one list of nodes in the order in which walking the keys one after another first meets them.
So the list is determined by root and keys: a node that is missing, altered, needless or out of place refuses the proof.

    proof = TrieProof(root, nodes)
    proof.get(key)         # the value, or None: the trie holds nothing under the key
    proof.check_used([key])   # nothing in the list is needless
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain import rlp
from ledger.domain.errors import VerificationError
from ledger.domain.keccak import keccak256
from ledger.domain.scalars import WORD_BYTES
from ledger.evidence.kept import keep

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EMPTY_ROOT: Final = keccak256(b"\x80")
"""The root of a trie that holds nothing; its proof has no nodes."""

_BRANCH: Final = 17
_SHORT: Final = 2
_VALUES: Final = bytes(int(chr(code), 16) if chr(code) in "0123456789abcdef" else 0 for code in range(256))
"""From the ASCII code of a hexadecimal digit to its value: much the fastest way to nibbles."""
_STEP: Final = "trie proof"

_decoded: Final = keep(rlp.decode)
"""A node's items, which nobody changes."""


class TrieProof:
    """Nodes under one root, walked by key."""

    __slots__ = ("_decoded", "_known", "_met", "_nodes", "_root", "_what")

    def __init__(self, root: bytes, nodes: Sequence[bytes], what: str = "trie") -> None:
        self._root = root
        self._nodes = nodes
        self._known = {keccak256(node): node for node in nodes}
        self._decoded: dict[bytes, rlp.RLP] = {}
        self._met: dict[bytes, None] = {}
        self._what = what

    def get(self, key: bytes) -> bytes | None:
        """Return the value under a key, None if the trie holds nothing there.

        Raises:
            VerificationError: The nodes do not lead from the root to an answer.
        """
        if self._root == EMPTY_ROOT:
            return None
        path = nibbles(key)
        node = self._node(self._root)
        place = 0
        while True:
            if not isinstance(node, list):
                raise self._refused("a node is no list")
            if len(node) == _BRANCH:
                if place == len(path):
                    return self._value(node[16])
                child = node[path[place]]
                place += 1
            elif len(node) == _SHORT:
                own, is_leaf = self._path(node[0])
                if is_leaf:
                    return self._value(node[1]) if path[place:] == own else None
                if not own:
                    raise self._refused("an extension without a path")
                if path[place : place + len(own)] != own:
                    return None
                place += len(own)
                child = node[1]
            else:
                raise self._refused("a node with neither 2 nor 17 items")
            if child == b"":
                return None
            # A node of fewer than 32 bytes stands in its parent; any other is named by its hash.
            node = child if isinstance(child, list) else self._node(child)

    def met_nodes(self) -> list[bytes]:
        """Return the nodes met so far, in the order in which they were."""
        return [self._known[reference] for reference in self._met]

    def check_used(self, keys: Iterable[bytes]) -> None:
        """Return if the nodes are just those that walking the keys meets, in the order in which it does.

        Raises:
            VerificationError: A node is missing or needless, stands twice or stands elsewhere.
        """
        self._met = {}
        for key in keys:
            self.get(key)
        if list(self._met) != [keccak256(node) for node in self._nodes]:
            raise self._refused("it holds needless nodes, or nodes out of order")

    def _node(self, reference: bytes) -> rlp.RLP:
        decoded = self._decoded.get(reference)
        if decoded is not None:
            self._met[reference] = None
            return decoded
        raw = self._known.get(reference)
        if raw is None or len(reference) != WORD_BYTES:
            raise self._refused(f"no node has the hash {reference.hex()}")
        try:
            node = _decoded(raw)
        except ValueError as error:
            raise self._refused(str(error)) from error
        self._decoded[reference] = node
        self._met[reference] = None
        return node

    def _path(self, encoded: rlp.RLP) -> tuple[bytes, bool]:
        """Return the nibbles of a hex-prefix path, and whether it ends in a leaf."""
        if not isinstance(encoded, bytes) or not encoded or encoded[0] >> 4 > 3:
            raise self._refused("a path is not hex-prefix encoded")
        flag = encoded[0] >> 4
        if flag & 1:
            return nibbles(encoded)[1:], flag >= 2
        if encoded[0] & 15:
            raise self._refused("a path is not hex-prefix encoded")
        return nibbles(encoded[1:]), flag >= 2

    def _value(self, value: rlp.RLP) -> bytes | None:
        if isinstance(value, list):
            raise self._refused("a list stands where a value was due")
        return value or None

    def _refused(self, reason: str) -> VerificationError:
        return VerificationError(_STEP, f"the proof in the {self._what} does not hold: {reason}")


def nibbles(data: bytes) -> bytes:
    """Return the half-bytes, one a byte."""
    return data.hex().encode("ascii").translate(_VALUES)


def select_nodes(root: bytes, nodes: Iterable[bytes], keys: Iterable[bytes]) -> list[bytes]:
    """Return, out of a heap of nodes, the proof of the keys in their order.

    Raises:
        VerificationError: The heap lacks a node.
    """
    heap = list(nodes)
    proof = TrieProof(root, heap)
    for key in keys:
        proof.get(key)
    return proof.met_nodes()
