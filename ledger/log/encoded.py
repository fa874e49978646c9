"""Entries as they are written: one run of bytes, each entry after its length as a big-endian uint16, and their hashes.

It is the form of a journal's group and of an entry bundle, so whoever makes entries in it (in one go, perhaps not in
Python) has them kept and published by slices, and nothing looks at one of them again::

    entries = EncodedEntries(payload, hashes, count=256)
    first = log.append_encoded([entries])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain.errors import InvalidInputError
from ledger.log.tiles import encode_bundle
from ledger.log.tree import HASH_SIZE_BYTES, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Sequence

_LENGTH_BYTES: Final = 2


class EncodedEntries:
    """One or more entries with their leaf hashes. The lengths in it are known to be those of its entries."""

    __slots__ = ("_offsets", "count", "hashes", "payload")

    def __init__(self, payload: bytes, hashes: bytes, *, count: int) -> None:
        """Take entries that are encoded.

        Args:
            payload: each entry after its length.
            hashes: their RFC 6962 leaf hashes, one after another; they are not computed again.
            count: how many they are.

        Raises:
            InvalidInputError: no entry, or the payload or the hashes are not those of so many entries.
        """
        if count < 1:
            raise InvalidInputError("entries", "none", "at least one entry")
        if len(hashes) != count * HASH_SIZE_BYTES:
            raise InvalidInputError(
                "hashes", f"{len(hashes)} bytes", f"{HASH_SIZE_BYTES} for each of the {count} entries"
            )
        self.payload = payload
        self.hashes = hashes
        self.count = count
        self._offsets = _offsets(payload, count)

    @classmethod
    def of(cls, entries: Sequence[bytes], hashes: Sequence[bytes] | None = None) -> EncodedEntries:
        """Encode entries, and hash them unless their hashes are given.

        Raises:
            InvalidInputError: no entry, an entry over 65,535 bytes, or another number of hashes.
        """
        if hashes is None:
            hashes = [leaf_hash(entry) for entry in entries]
        elif len(hashes) != len(entries):
            raise InvalidInputError("hashes", len(hashes), f"one for each of the {len(entries)} entries")
        return cls(encode_bundle(entries), b"".join(hashes), count=len(entries))

    def payload_of(self, first: int, last: int) -> bytes:
        """Return the bytes of the entries [first, last) of these."""
        return self.payload[self._offsets[first] : self._offsets[last]]

    def hashes_of(self, first: int, last: int) -> bytes:
        """Return the hashes of the entries [first, last) of these."""
        return self.hashes[first * HASH_SIZE_BYTES : last * HASH_SIZE_BYTES]


def _offsets(payload: bytes, count: int) -> Sequence[int]:
    """Return where each entry's length stands, and the payload's end.

    Raises:
        InvalidInputError: the payload does not hold exactly so many entries.
    """
    total = len(payload)
    step = _LENGTH_BYTES + int.from_bytes(payload[:_LENGTH_BYTES], "big")
    if total == count * step and payload[::step] == payload[:1] * count and payload[1::step] == payload[1:2] * count:
        # All are of one length, as a batch's leaves mostly are.
        return range(0, total + 1, step)
    offsets = [0]
    position = 0
    try:
        for _ in range(count):
            position += _LENGTH_BYTES + (payload[position] << 8 | payload[position + 1])
            offsets.append(position)
    except IndexError:
        position = -1
    if position != total:
        raise InvalidInputError("payload", f"{total} bytes", f"{count} entries, each after its length")
    return offsets
