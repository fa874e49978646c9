"""Merkle-Patricia tries built from their definition: slow, plain, and not the product's code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain import rlp
from ledger.domain.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Mapping


class Trie:
    """A whole trie: its root, and every node that is named by hash."""

    def __init__(self, entries: Mapping[bytes, bytes]) -> None:
        self.nodes: list[bytes] = []
        top = self._build({_nibbles(key): value for key, value in entries.items()})
        self.root = keccak256(rlp.encode(top))
        self.nodes.append(rlp.encode(top))

    def _build(self, entries: Mapping[str, bytes]) -> rlp.RLP:
        if not entries:
            return b""
        if len(entries) == 1:
            ((path, value),) = entries.items()
            return [_compact(path, is_leaf=True), value]
        shared = _common(list(entries))
        if shared:
            below = {path[len(shared) :]: value for path, value in entries.items()}
            return [_compact(shared, is_leaf=False), self._named(self._build(below))]
        branch: list[rlp.RLP] = []
        for nibble in "0123456789abcdef":
            below = {path[1:]: value for path, value in entries.items() if path[:1] == nibble}
            branch.append(self._named(self._build(below)) if below else b"")
        return [*branch, entries.get("", b"")]

    def _named(self, node: rlp.RLP) -> rlp.RLP:
        encoded = rlp.encode(node)
        if len(encoded) < 32:
            return node
        self.nodes.append(encoded)
        return keccak256(encoded)


def secure(entries: Mapping[bytes, bytes]) -> Trie:
    """Return the trie of hashed keys, as state and storage have it."""
    return Trie({keccak256(key): value for key, value in entries.items()})


def ordered(items: list[bytes]) -> Trie:
    """Return the trie of items by their place, as transactions and receipts have it."""
    return Trie({rlp.encode_int(place): item for place, item in enumerate(items)})


def _nibbles(key: bytes) -> str:
    return key.hex()


def _common(paths: list[str]) -> str:
    first, last = min(paths), max(paths)
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return first[:length]


def _compact(path: str, *, is_leaf: bool) -> bytes:
    flag = 2 if is_leaf else 0
    text = f"{flag + 1:x}{path}" if len(path) % 2 else f"{flag:x}0{path}"
    return bytes.fromhex(text)
