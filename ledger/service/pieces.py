"""Many pieces of bytes as one: cheap to hand on, and taken apart where they are needed."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces of bytes one after another, and where each ends, as uint32 of this machine."""

    data: bytes
    ends: bytes

    @classmethod
    def of(cls, pieces: Sequence[bytes]) -> Pieces:
        """Put pieces together."""
        return cls(b"".join(pieces), array("I", accumulate(map(len, pieces))).tobytes())

    def are(self, count: int) -> bool:
        """Say whether these are so many pieces, one after another."""
        ends = array("I")
        if len(self.ends) != count * ends.itemsize:
            return False
        ends.frombytes(self.ends)
        return ends[-1] == len(self.data) and all(one <= two for one, two in pairwise([0, *ends]))

    def each(self) -> list[bytes]:
        """Return the pieces."""
        ends = array("I")
        ends.frombytes(self.ends)
        return [self.data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def pieces(data: bytes, length: int) -> Iterable[bytes]:
    """Yield the pieces of ``length`` bytes, one after another."""
    return (data[start : start + length] for start in range(0, len(data), length))
