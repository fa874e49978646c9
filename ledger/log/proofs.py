"""Checks of RFC 6962 proofs (RFC 9162 §2.1.3.2 and §2.1.4.2); every refusal is a VerificationError.

A proof is hostile bytes. Nothing here trusts a length: each hash must be 32 bytes, and the proof must have
exactly the number of hashes that the two numbers given with it demand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.errors import VerificationError
from ledger.log.tree import HASH_SIZE_BYTES, node_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAX_SIZE = 1 << 63
"""Sizes travel as uint64 on chain; a tree of more than 2⁶³ leaves is refused long before it is hashed."""

_INCLUSION = "inclusion"
_CONSISTENCY = "consistency"


def root_from_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that the audit path leads to.

    Raises:
        VerificationError: the index is outside the tree, a hash is not 32 bytes, or the proof's length is not
            the one that (index, size) demands.
    """
    _check_length(_INCLUSION, "leaf hash", leaf_hash)
    for position, value in enumerate(proof):
        _check_length(_INCLUSION, f"proof[{position}]", value)
    if not 0 <= index < size <= _MAX_SIZE:
        raise VerificationError(step=_INCLUSION, reason=f"index {index} is outside a tree of {size} leaves")
    inner = (index ^ (size - 1)).bit_length()
    border = (index >> inner).bit_count()
    _check_count(_INCLUSION, len(proof), inner + border)
    result = leaf_hash
    for level in range(inner):
        is_right = index >> level & 1
        result = node_hash(proof[level], result) if is_right else node_hash(result, proof[level])
    for left in proof[inner:]:
        result = node_hash(left, result)
    return result


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return if the leaf is at ``index`` in the tree of ``size`` leaves with this root.

    Raises:
        VerificationError: it is not shown to be there.
    """
    _check_length(_INCLUSION, "root", root)
    found = root_from_inclusion(leaf_hash, index, size, proof)
    if found != root:
        raise VerificationError(step=_INCLUSION, reason=f"the proof leads to root {found.hex()}, not {root.hex()}")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Return if the tree of ``size1`` leaves is a prefix of the tree of ``size2``.

    Size 0 is refused: every tree extends the empty one, so such a "proof" shows nothing. The same size with the
    same root and an empty proof holds whatever the root is, since nothing is hashed.

    Raises:
        VerificationError: it is not shown to be a prefix.
    """
    if 0 < size1 == size2 <= _MAX_SIZE and not proof and root1 == root2:
        return
    _check_length(_CONSISTENCY, "root1", root1)
    _check_length(_CONSISTENCY, "root2", root2)
    for position, value in enumerate(proof):
        _check_length(_CONSISTENCY, f"proof[{position}]", value)
    if not 0 < size1 <= size2 <= _MAX_SIZE:
        raise VerificationError(step=_CONSISTENCY, reason=f"sizes {size1} and {size2} are not 0 < size1 <= size2")
    if size1 == size2:
        _check_count(_CONSISTENCY, len(proof), 0)
        raise VerificationError(
            step=_CONSISTENCY,
            reason=f"one size {size1} has two roots, {root1.hex()} and {root2.hex()}",
        )
    shift = (size1 & -size1).bit_length() - 1
    inner = ((size1 - 1) ^ (size2 - 1)).bit_length() - shift
    border = ((size1 - 1) >> (inner + shift)).bit_count()
    is_perfect = size1 == 1 << shift
    _check_count(_CONSISTENCY, len(proof), inner + border + (0 if is_perfect else 1))
    seed, path = (root1, proof) if is_perfect else (proof[0], proof[1:])
    mask = (size1 - 1) >> shift
    old = new = seed
    for level, value in enumerate(path):
        if level >= inner or mask >> level & 1:
            old = node_hash(value, old)
            new = node_hash(value, new)
        else:
            new = node_hash(new, value)
    if old != root1:
        raise VerificationError(step=_CONSISTENCY, reason=f"the proof leads to root1 {old.hex()}, not {root1.hex()}")
    if new != root2:
        raise VerificationError(step=_CONSISTENCY, reason=f"the proof leads to root2 {new.hex()}, not {root2.hex()}")


def _check_length(step: str, name: str, value: bytes) -> None:
    if len(value) != HASH_SIZE_BYTES:
        raise VerificationError(step=step, reason=f"{name} has {len(value)} bytes, not {HASH_SIZE_BYTES}")


def _check_count(step: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise VerificationError(step=step, reason=f"the proof has {found} hashes, not {wanted}")
