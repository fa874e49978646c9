"""What can be worked out of a batch without the ledger: by another process, while the ledger appends others.

`read_ahead` takes the usual body, NDJSON of canonical events that are all well formed and follow each other. It returns
all that the ledger needs to place and bind them: digests, pairing keys, fresh salts, the hashes of the two groups that
no binding enters, and the lines packed for the disk. Of any other body it returns None: then the ledger reads the body
itself and says what is wrong. Who signed a batch, the ledger checks itself, over the digests; so a reader that fails or
leaves something out slows a batch down, and one that lies of what stands behind a digest is found by ``fsck``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from ledger.domain.errors import LedgerError
from ledger.domain.event_templates import Exchange, exchange_of
from ledger.domain.event_v1 import check_claims, encode_event, read_line
from ledger.service.batch_events import check_count, check_head, parse_nonce
from ledger.service.batch_lines import PythonLines
from ledger.service.batch_wire import split_head
from ledger.service.event_batches import MAX_BATCH_EVENTS
from ledger.service.pieces import Pieces
from ledger.service.signed_requests import parse_hex
from ledger.service.stored_batches import SALTS_BYTES, pack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ledger.service.batch_events import BatchHead
    from ledger.service.batch_lines import TakeApart

_HASH: Final = 32


class ReadAhead(msgspec.Struct, frozen=True, gc=False):
    """A batch of well-formed events in their order."""

    reporter: str
    agreement: str
    nonce: str
    deadline: int
    signer: bytes
    signature: bytes
    count: int
    first_seq: int
    first_prev: str
    latest_ms: int
    """The latest time at which an event occurred."""
    kinds: list[bytes]
    """A line of each kind: of what events claim, and the second in which they occurred."""
    kind_of: bytes
    """For each event the place of its kind, as uint16 of this machine."""
    keys: bytes
    """Each event's pairing key, as uint64 of this machine."""
    digests: bytes
    salts: bytes
    others: bytes
    """For each event the hashes of its groups ``detail`` and ``exchange``."""
    ids: Pieces
    correlations: Pieces
    """Ids and correlations as JSON."""
    packed: bytes

    def is_whole(self) -> bool:
        """Say whether every part is of as many events as it says."""
        count = self.count
        return (
            0 < count <= MAX_BATCH_EVENTS
            and (len(self.signer), len(self.signature)) == (20, 65)
            and (len(self.kind_of), len(self.keys), len(self.digests)) == (2 * count, 8 * count, _HASH * count)
            and (len(self.salts), len(self.others)) == (SALTS_BYTES * count, 2 * _HASH * count)
            and self.ids.are(count)
            and self.correlations.are(count)
            and len(self.first_prev) == 2 * _HASH
            and self.first_prev.isascii()
            and self.nonce.isascii()
            and self.nonce.isdecimal()
            and max(memoryview(self.kind_of).cast("H")) < len(self.kinds)
        )


class BatchReader(Protocol):
    """Reads bodies in a process of its own."""

    def read(self, body: bytes) -> ReadAhead | None:
        """Return what `read_ahead` does; None also when no process is there to read it."""
        ...


def read_ahead(
    body: bytes,
    take_apart: TakeApart = PythonLines.of,
    random: Callable[[int], bytes] = os.urandom,
) -> ReadAhead | None:
    """Return what a body holds, None for any body but the usual.

    Args:
        body: NDJSON, decoded.
        take_apart: Takes the lines apart.
        random: Gives the salts.
    """
    try:
        head, text = split_head(body)
        if text.count(b"\n") > MAX_BATCH_EVENTS:
            return None
        return _read(head, text, take_apart, random)
    except LedgerError:
        return None


def _read(head: BatchHead, text: bytes, take_apart: TakeApart, random: Callable[[int], bytes]) -> ReadAhead | None:
    lines = take_apart(text)
    if lines is None:
        return None
    check_count(lines.count)
    check_head(head, lines.count)
    exchanges = _exchanges(head, lines.examples)
    if exchanges is None:
        return None
    salts = random(SALTS_BYTES * lines.count)
    committed = lines.commit(head.reporter, exchanges, salts)
    return ReadAhead(
        reporter=head.reporter,
        agreement=head.agreement,
        nonce=str(parse_nonce(head.nonce)),
        deadline=head.deadline,
        signer=parse_hex(head.signer, "signer", 20),
        signature=parse_hex(head.signature, "signature", 65),
        count=lines.count,
        first_seq=lines.first_seq,
        first_prev=lines.first_prev,
        latest_ms=lines.latest_ms,
        kinds=list(lines.examples),
        kind_of=lines.kind_of,
        keys=committed.keys,
        digests=lines.digests,
        salts=salts,
        others=committed.others,
        ids=committed.ids,
        correlations=committed.correlations,
        packed=pack(committed.lines),
    )


def _exchanges(head: BatchHead, examples: Sequence[bytes]) -> list[Exchange] | None:
    """Check what the events of each kind claim, and return what they have in common; None if it is not as stated."""
    found = []
    for line in examples:
        try:
            event = read_line(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return None
        if encode_event(event) != line or (event.reporter, event.agreement) != (head.reporter, head.agreement):
            return None
        check_claims(event)
        found.append(exchange_of(event))
    return found
