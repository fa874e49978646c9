"""The published RFC 6962 vectors (transparency-dev/merkle) against the Python verifier: all 196.

143 have only 32-byte hashes. The other 53 are refused by length, save ``LENGTH_DOES_NOT_MATTER``.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.errors import VerificationError
from ledger.log.proofs import verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.external

LENGTH_DOES_NOT_MATTER = "consistency/additional/sizes-are-equal-one-and-proof-is-empty"
"""A good vector with 12-byte roots: the same size and root with an empty proof, so that nothing is hashed."""

REFUSED_BY_LENGTH = {
    *(
        f"consistency/{case}/{kind}"
        for case in (1, 2, 3, 4)
        for kind in ("preceding-garbage", "trailing-garbage", "wrong-root1", "wrong-root2")
    ),
    *(
        f"inclusion/{case}/{kind}"
        for case in (0, 1, 2, 3, 4)
        for kind in ("preceding-garbage", "trailing-garbage", "wrong-leaf")
    ),
    *(f"inclusion/additional/{case}/{kind}" for case in (0, 1, 2, 3) for kind in ("empty-root", "random-leaf")),
    "consistency/additional/roots-do-not-match-and-sizes-are-zero",
    "consistency/additional/roots-do-not-not-match-and-sizes-are-one",
    "consistency/additional/size1-is-greater-than-size2",
    "consistency/additional/size1-is-greater-than-size2-again",
    "consistency/additional/size1-is-zero-and-does-not-equal-size2",
    "consistency/additional/size1-is-zero-and-size2-is-not-zero",
    "consistency/additional/sizes-are-equal-one-but-roots-are-not",
    "consistency/additional/sizes-are-equal-zero-and-proof-is-empty",
    "consistency/additional/sizes-are-equal-zero-but-roots-are-not",
    "consistency/additional/sizes-do-not-watch-and-proof-is-empty",
    "inclusion/single-entry/empty-leaf",
    "inclusion/single-entry/empty-root",
    "inclusion/single-entry/empty-root-and-leaf",
}

_LENGTH = re.compile(r"has \d+ bytes, not 32")


@pytest.fixture
def vectors(external: Path) -> dict[str, dict[str, Any]]:
    """Every vector by its path without the ending."""
    testdata = external / "vectors" / "rfc6962" / "testdata"
    return {
        str(path.relative_to(testdata).with_suffix("")): json.loads(path.read_text())
        for path in sorted(testdata.rglob("*.json"))
    }


def test_all_196_vectors_are_decided_as_published(vectors: dict[str, dict[str, Any]]) -> None:
    assert sum("leafIdx" in vector for vector in vectors.values()) == 98
    assert sum("size1" in vector for vector in vectors.values()) == 98
    decided = {name: refusal(vector) is not None for name, vector in vectors.items()}
    assert decided == {name: vector["wantErr"] for name, vector in vectors.items()}


def test_vectors_with_hashes_of_other_lengths_are_refused_by_length(vectors: dict[str, dict[str, Any]]) -> None:
    others = {name for name, vector in vectors.items() if any(len(value) != 32 for value in hashes(vector))}
    assert len(others) == 53
    assert others == REFUSED_BY_LENGTH | {LENGTH_DOES_NOT_MATTER}
    for name in REFUSED_BY_LENGTH:
        assert _LENGTH.search(refusal(vectors[name]) or ""), name
    assert refusal(vectors[LENGTH_DOES_NOT_MATTER]) is None


def refusal(vector: dict[str, Any]) -> str | None:
    """Return why the verifier refuses the vector, or None."""
    proof = [decode(text) for text in vector["proof"] or []]
    try:
        if "leafIdx" in vector:
            leaf, root = decode(vector["leafHash"]), decode(vector["root"])
            verify_inclusion(leaf, vector["leafIdx"], vector["treeSize"], proof, root)
        else:
            root1, root2 = decode(vector["root1"]), decode(vector["root2"])
            verify_consistency(vector["size1"], vector["size2"], proof, root1, root2)
    except VerificationError as error:
        return error.reason
    return None


def hashes(vector: dict[str, Any]) -> list[bytes]:
    """Return every hash in the vector."""
    texts = [
        *(vector["proof"] or []),
        *(vector[key] for key in ("root", "leafHash", "root1", "root2") if key in vector),
    ]
    return [decode(text) for text in texts]


def decode(text: str | None) -> bytes:
    """Return the bytes of a hash; ``null`` is the empty one."""
    return base64.b64decode(text or "", validate=True)
