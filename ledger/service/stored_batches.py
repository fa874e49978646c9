"""An accepted batch as it is kept: what its reporter signed, and all that binds its events and opens its leaves.

A batch stands at the place of its events in the log: the first event is the leaf ``first``. Its lines are the
canonical bytes of every event that the reporter signed, those that were rejected included, since the signature is
over them all. The leaves' commitments follow from lines, salts and bindings, and are compared with the log.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import zstandard

from ledger.domain.binding import Binding
from ledger.domain.codes import Duty, Flag, Mismatch, Verdict
from ledger.domain.commitment import SALT_BYTES
from ledger.domain.event_groups import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SALTS_BYTES: Final = SALT_BYTES * len(GROUPS)
"""The salts of one event, for binding, detail and exchange, one after another."""


_MAX_UNPACKED_BYTES: Final = 1 << 30


class BoundAs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A binding without its block, which all events of a batch share."""

    agreement: str
    version: int
    grant: int
    duty: int
    responsible_post: str
    mismatches: tuple[Mismatch, ...]
    flags: tuple[Flag, ...]

    @classmethod
    def of(cls, binding: Binding) -> BoundAs:
        """Return it for a binding."""
        return cls(
            agreement=binding.agreement.hex(),
            version=binding.version,
            grant=binding.grant,
            duty=binding.duty.value,
            responsible_post=binding.responsible_post.hex(),
            mismatches=binding.mismatches,
            flags=binding.flags,
        )

    def binding(self, block: int, block_hash: bytes) -> Binding:
        """Return the binding at a block."""
        return Binding(
            verdict=Verdict.MISMATCH if self.mismatches else Verdict.WITHIN_SCOPE,
            mismatches=self.mismatches,
            flags=self.flags,
            agreement=bytes.fromhex(self.agreement),
            version=self.version,
            grant=self.grant,
            duty=Duty(self.duty),
            responsible_post=bytes.fromhex(self.responsible_post),
            block=block,
            block_hash=block_hash,
        )


class RejectedEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an event of an accepted batch is not in the log: the answer that a retry gets again."""

    place: int
    code: str
    field: str
    value: str
    allowed: str


class BatchHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a batch that is not for each event."""

    accepted_at_ms: int
    agreement: str
    bindings: tuple[BoundAs, ...]
    block: int
    block_hash: str
    deadline: int
    idempotency_key: str
    nonce: str
    rejected: tuple[RejectedEvent, ...]
    reporter: str
    signature: str
    signed: str
    signer: str
    stream: str
    stream_salt: str


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch of ``count`` accepted events, the first ones of its lines."""

    first: int
    count: int
    head: BatchHead
    lines: Sequence[bytes]
    salts: bytes = field(repr=False)
    bound: array[int]
    """For each accepted event the place of its binding in ``head.bindings``."""
    packed: bytes = field(default=b"", repr=False)
    """The lines as `pack_lines` packs them, where they were packed before; ``lines`` may then be empty."""

    @property
    def end(self) -> int:
        """The index after its last accepted event."""
        return self.first + self.count

    def raw_salts_of(self, place: int) -> list[bytes]:
        """Return an event's three salts, for binding, detail and exchange."""
        start = place * SALTS_BYTES
        return [self.salts[at : at + SALT_BYTES] for at in range(start, start + SALTS_BYTES, SALT_BYTES)]

    def binding_of(self, place: int) -> Binding:
        """Return an event's binding."""
        return self.head.bindings[self.bound[place]].binding(self.head.block, bytes.fromhex(self.head.block_hash))


class EventStore(Protocol):
    """The vault of events: batches in the order of the log, durable before any leaf commits to them."""

    def append(self, batches: Sequence[StoredBatch]) -> None:
        """Store batches that follow the last one, with one sync; on disk when it returns."""
        ...

    def batch(self, index: int) -> StoredBatch:
        """Return the batch that holds the event of a leaf.

        Raises:
            NotFoundError: there is none.
            IntegrityError: it was altered on disk.
        """
        ...

    def batches(self, first: int) -> Iterator[StoredBatch]:
        """Yield the batches from the one that holds leaf ``first`` on."""
        ...

    def end(self) -> int:
        """Return the index after the last event that is kept."""
        ...

    def recover(self, size: int) -> None:
        """Go on after a failed write: what no leaf below ``size`` needs is cut off."""
        ...

    def defects(self) -> Iterator[tuple[str, str]]:
        """Yield each file whose frames do not hold together, with the reason."""
        ...

    def close(self) -> None: ...


def pack_lines(lines: Sequence[bytes]) -> bytes:
    """Return a batch's lines as they are kept. Other threads run meanwhile."""
    return pack(joined_lines(lines))


def joined_lines(lines: Sequence[bytes]) -> bytes:
    """Return how many lines there are, the length of each as uint32, and all of them."""
    lengths = struct.pack(f">{len(lines) + 1}I", len(lines), *map(len, lines))
    return lengths + b"".join(lines)


def pack(joined: bytes) -> bytes:
    """Return `joined_lines` packed by zstd. Other threads run meanwhile."""
    return zstandard.ZstdCompressor(level=1).compress(joined)


def unpack_lines(packed: bytes) -> list[bytes]:
    """Return the lines again.

    Raises:
        ValueError: The bytes are no packed lines.
        zstandard.ZstdError: They are not packed by zstd.
    """
    if not 0 < zstandard.frame_content_size(packed) <= _MAX_UNPACKED_BYTES:
        raise ValueError("its lines have no length that is allowed")
    data = zstandard.ZstdDecompressor().decompress(packed)
    (count,) = struct.unpack_from(">I", data)
    position = 4 * (count + 1)
    if position > len(data):
        raise ValueError("its lines have other lengths than stated")
    lengths = struct.unpack_from(f">{count}I", data, 4)
    if position + sum(lengths) != len(data):
        raise ValueError("its lines have other lengths than stated")
    lines = []
    for length in lengths:
        lines.append(data[position : position + length])
        position += length
    return lines
