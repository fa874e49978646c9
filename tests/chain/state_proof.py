"""A verifier of Merkle-Patricia proofs for tests, written from the yellow paper with the rlp package."""

from __future__ import annotations

import rlp
from eth_hash.auto import keccak


def prove(root: bytes, key: bytes, nodes: tuple[bytes, ...]) -> bytes | None:
    """Return the value under keccak(key), or None if the proof shows that there is none."""
    path = [nibble for byte in keccak(key) for nibble in (byte >> 4, byte & 15)]
    known = {keccak(node): node for node in nodes}
    wanted: bytes | list[bytes] = root
    while True:
        node = rlp.decode(known[wanted]) if isinstance(wanted, bytes) else wanted
        if len(node) == 17:
            if not path:
                return node[16] or None
            wanted, path = node[path[0]], path[1:]
            if wanted == b"":
                return None
            continue
        nibbles = [nibble for byte in node[0] for nibble in (byte >> 4, byte & 15)]
        own = nibbles[1:] if nibbles[0] & 1 else nibbles[2:]
        if path[: len(own)] != own:
            return None
        path = path[len(own) :]
        if nibbles[0] & 2:
            return node[1] if not path else None
        wanted = node[1]


def account(root: bytes, address: bytes, nodes: tuple[bytes, ...]) -> tuple[int, int, bytes, bytes] | None:
    """Return nonce, balance, storage root and code hash of a proven account."""
    found = prove(root, address, nodes)
    if found is None:
        return None
    nonce, balance, storage, code = rlp.decode(found)
    return int.from_bytes(nonce, "big"), int.from_bytes(balance, "big"), storage, code
