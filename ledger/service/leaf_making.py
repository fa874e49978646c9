"""The leaves and receipts of a batch that was read ahead: the part of appending that costs most, behind a port.

`PythonLeaves` makes them with the product's own templates, `ledger.native` with compiled code; both answer the same,
and pass the same tests.
"""

from __future__ import annotations

from array import array
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from ledger.domain.commitment import SALT_BYTES
from ledger.log.encoded import EncodedEntries
from ledger.log.tree import root_of
from ledger.service.pieces import pieces
from ledger.service.stored_batches import SALTS_BYTES
from ledger.service.times import iso_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.service.block_view import BoundKind
    from ledger.service.placing import Placing
    from ledger.service.read_ahead import ReadAhead

_HASH: Final = 32
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class MadeLeaves:
    """A batch's leaves, and its receipts as JSON objects with commas between."""

    leaves: EncodedEntries
    receipts: bytes


class LeafMaker(Protocol):
    """Makes leaves and receipts."""

    @property
    def code(self) -> str:
        """What does it: ``compiled`` or ``python``."""
        ...

    def root(self, digests: bytes) -> bytes:
        """Return the RFC 6962 root over some digests, one after another."""
        ...

    def make(self, read: ReadAhead, first: int, placing: Placing, kinds: Sequence[BoundKind]) -> MadeLeaves:
        """Return the leaves of a batch at its place.

        Args:
            read: The batch.
            first: The index of its first leaf.
            placing: Its place.
            kinds: How the events of each of its kinds are bound.
        """
        ...


class PythonLeaves:
    """`LeafMaker` by the product's own templates."""

    code: Final = "python"

    def root(self, digests: bytes) -> bytes:
        """Return the RFC 6962 root over some digests."""
        return root_of(pieces(digests, _HASH))

    def make(self, read: ReadAhead, first: int, placing: Placing, kinds: Sequence[BoundKind]) -> MadeLeaves:
        """Return the leaves of a batch at its place; see `LeafMaker`."""
        writer = placing.leaves()
        kind_of = array("H")
        kind_of.frombytes(read.kind_of)
        ids = read.ids.each()
        leaves: list[bytes] = []
        hashes: list[bytes] = []
        for kind, seq, event_id, prev, salts, others in zip(
            kind_of,
            range(read.first_seq, read.first_seq + read.count),
            ids,
            _before_each(read),
            pieces(read.salts, SALTS_BYTES),
            pieces(read.others, 2 * _HASH),
            strict=True,
        ):
            salt = b64encode(salts[:SALT_BYTES])
            leaf, digest = writer.next(kinds[kind].template.root_with(salt, event_id, prev, seq, others))
            leaves.append(leaf)
            hashes.append(digest)
        shared, ends = receipt_shared(placing), [receipt_end(kind) for kind in kinds]
        receipts = [
            b'{"index":%d,"id":%b,"leaf_hash":"%b%b%d,"correlation":%b%b'
            % (first + place, event_id, digest.hex().encode(), shared, read.first_seq + place, correlation, ends[kind])
            for place, (event_id, digest, correlation, kind) in enumerate(
                zip(ids, hashes, read.correlations.each(), kind_of, strict=True)
            )
        ]
        return MadeLeaves(EncodedEntries.of(leaves, hashes), b",".join(receipts))


def receipt_shared(placing: Placing) -> bytes:
    """Return what the receipts of a batch share, from the end of the leaf's hash on."""
    return b'","accepted_at_ms":%d,"accepted_at":"%b","block":%d,"block_hash":"%b","reporter_seq":' % (
        placing.accepted_at_ms,
        iso_ms(placing.accepted_at_ms).encode(),
        placing.block.number,
        placing.block.hash.hex().encode(),
    )


def receipt_end(kind: BoundKind) -> bytes:
    """Return the end of a receipt: how its event is bound."""
    return b',"verdict":%b,"mismatches":%b,"flags":%b}' % (
        _encode(kind.verdict),
        _encode(kind.mismatches),
        _encode(kind.flags),
    )


def _before_each(read: ReadAhead) -> Iterator[bytes]:
    """Yield for each event the digest of the one before in hex."""
    yield read.first_prev.encode()
    text = read.digests.hex().encode()
    for start in range(0, len(text) - 2 * _HASH, 2 * _HASH):
        yield text[start : start + 2 * _HASH]
