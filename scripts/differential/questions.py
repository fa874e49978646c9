"""Questions: proofs of trees of up to 2⁶² leaves, good ones and broken ones, all from one seed.

A tree of 2⁶² leaves is not hashed. Only the nodes on the way to what is proved are: whatever lies beside it is a
perfect subtree whose hash is drawn. So the product's own prover runs on it as on a log's tiles.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ledger.log.tree import consistency_proof, inclusion_proof, node_hash, root_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INCLUSION: Final = 0
CONSISTENCY: Final = 1
LARGEST: Final = 1 << 62
_BROKEN_OF_EACH: Final = 3


@dataclass(frozen=True, slots=True)
class Question:
    """A proof with what it is to show.

    Attributes:
        kind: INCLUSION or CONSISTENCY.
        first: The index, or the older size.
        second: The size, or the newer size.
        left: The leaf's hash, or the older root.
        right: The root, or the newer root.
        proof: The hashes.
        made: What was done to it: "good", or how it was broken.
    """

    kind: int
    first: int
    second: int
    left: bytes
    right: bytes
    proof: tuple[bytes, ...]
    made: str

    def encode(self) -> bytes:
        """Return the bytes that the Go program and the contract read."""
        head = bytes([self.kind]) + self.first.to_bytes(8, "big") + self.second.to_bytes(8, "big")
        return b"".join([head, len(self.proof).to_bytes(2, "big"), self.left, self.right, *self.proof])


class DrawnTree:
    """A NodeReader of a tree that is known where it is split, and drawn everywhere else."""

    def __init__(self, salt: bytes, splits: tuple[int, ...]) -> None:
        self._salt = salt
        self._splits = splits
        self._known: dict[tuple[int, int], bytes] = {}

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a perfect subtree."""
        found = self._known.get((level, index))
        if found is None:
            begin, end = index << level, (index + 1) << level
            if level and any(begin < split < end for split in self._splits):
                found = node_hash(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))
            else:
                found = sha256(b"%s %d %d" % (self._salt, level, index)).digest()
            self._known[level, index] = found
        return found


def questions(seed: int) -> Iterator[Question]:
    """Yield questions without end: each good proof, followed by ways in which it is broken."""
    draw = random.Random(seed)  # noqa: S311 - a seed that anyone can run again is the point.
    while True:
        good = _inclusion(draw) if draw.random() < 0.5 else _consistency(draw)
        yield good
        for _ in range(_BROKEN_OF_EACH):
            yield _broken(draw, good)


def _size(draw: random.Random) -> int:
    """Draw a size from 1 to 2⁶²: small ones, sizes at and around powers of two, and any."""
    match draw.randrange(4):
        case 0:
            return draw.randint(1, 70)
        case 1:
            return min(max(1, (1 << draw.randint(0, 62)) + draw.randint(-2, 2)), LARGEST)
        case 2:
            return draw.randint(1, 1 << draw.randint(1, 62))
        case _:
            # Sums of a few powers of two have long borders on the right, and holes in them.
            return min(max(1, sum(1 << draw.randint(0, 61) for _ in range(draw.randint(1, 6)))), LARGEST)


def _below(draw: random.Random, end: int) -> int:
    """Draw from 0 to ``end`` - 1: the ends, neighbours of powers of two, and any."""
    match draw.randrange(4):
        case 0:
            return draw.choice([0, end - 1, end // 2, max(0, end - 2)])
        case 1:
            return min(max(0, (1 << draw.randint(0, end.bit_length())) + draw.randint(-2, 2)), end - 1)
        case _:
            return draw.randrange(end)


def _inclusion(draw: random.Random) -> Question:
    size = _size(draw)
    index = _below(draw, size)
    tree = DrawnTree(draw.randbytes(16), (index, index + 1))
    proof = tuple(inclusion_proof(tree, index, size))
    return Question(INCLUSION, index, size, tree.node(0, index), root_at(tree, size), proof, "good")


def _consistency(draw: random.Random) -> Question:
    new = _size(draw)
    old = 1 + _below(draw, new)
    tree = DrawnTree(draw.randbytes(16), (old,))
    proof = tuple(consistency_proof(tree, old, new))
    return Question(CONSISTENCY, old, new, root_at(tree, old), root_at(tree, new), proof, "good")


def _broken(draw: random.Random, good: Question) -> Question:
    name = draw.choice(tuple(_WAYS))
    return replace(_WAYS[name](draw, good), made=name)


def _flipped(draw: random.Random, value: bytes) -> bytes:
    bit = draw.randrange(256)
    return value[: bit // 8] + bytes([value[bit // 8] ^ 1 << bit % 8]) + value[bit // 8 + 1 :]


def _with_proof(good: Question, change: Callable[[list[bytes]], object]) -> Question:
    proof = list(good.proof)
    change(proof)
    return replace(good, proof=tuple(proof))


def _flip_hash(draw: random.Random, good: Question) -> Question:
    if not good.proof:
        return replace(good, right=_flipped(draw, good.right))
    place = draw.randrange(len(good.proof))
    return _with_proof(good, lambda proof: proof.__setitem__(place, _flipped(draw, proof[place])))


def _swap(draw: random.Random, good: Question) -> Question:
    if len(good.proof) < 2:
        return replace(good, left=good.right, right=good.left)
    one, other = draw.sample(range(len(good.proof)), 2)

    def swap(proof: list[bytes]) -> None:
        proof[one], proof[other] = proof[other], proof[one]

    return _with_proof(good, swap)


def _drop(draw: random.Random, good: Question) -> Question:
    if not good.proof:
        return replace(good, left=_flipped(draw, good.left))
    return _with_proof(good, lambda proof: proof.pop(draw.choice([0, -1, draw.randrange(len(proof))])))


def _add(draw: random.Random, good: Question) -> Question:
    value = draw.choice([draw.randbytes(32), good.left, good.right, *good.proof[-1:]])
    return _with_proof(
        good, lambda proof: proof.insert(draw.choice([0, len(proof), draw.randint(0, len(proof))]), value)
    )


def _moved(draw: random.Random, value: int) -> int:
    match draw.randrange(4):
        case 0:
            other = value + draw.choice([-2, -1, 1, 2])
        case 1:
            other = value ^ 1 << draw.randrange(62)
        case 2:
            other = draw.choice([value * 2, value // 2, value * 2 + 1])
        case _:
            other = _size(draw)
    return min(max(0, other), LARGEST)


def _second(draw: random.Random, good: Question) -> Question:
    return replace(good, second=_moved(draw, good.second))


def _first(draw: random.Random, good: Question) -> Question:
    # Older size 0 is the one question that the three answer differently by rule; it is asked by a test of its own.
    return replace(good, first=max(good.kind, _moved(draw, good.first)))


def _equal_sizes(_draw: random.Random, good: Question) -> Question:
    return replace(good, first=good.second)


_WAYS: Final[dict[str, Callable[[random.Random, Question], Question]]] = {
    "a bit of a hash": _flip_hash,
    "a bit of the first hash given": lambda draw, good: replace(good, left=_flipped(draw, good.left)),
    "a bit of the root": lambda draw, good: replace(good, right=_flipped(draw, good.right)),
    "hashes swapped": _swap,
    "a hash dropped": _drop,
    "a hash added": _add,
    "another first number": _first,
    "another size": _second,
    "sizes exchanged": lambda _draw, good: replace(good, first=good.second, second=max(good.kind, good.first)),
    "both numbers the same": _equal_sizes,
    "hashes exchanged": lambda _draw, good: replace(good, left=good.right, right=good.left),
    "the proof in reverse": lambda _draw, good: replace(good, proof=good.proof[::-1]),
    "no proof": lambda _draw, good: replace(good, proof=()),
    "another tree's root": lambda draw, good: replace(good, right=draw.randbytes(32)),
}
