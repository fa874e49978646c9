"""What can be worked out of a batch without the ledger: by another process, while the ledger appends others.

`read_ahead` takes the usual body, NDJSON of canonical events that are all well formed, follow each other and are
signed as stated. It returns all that the ledger needs to place and bind them: digests, pairing keys, fresh salts, the
hashes of the two groups that no binding enters, and the lines packed for the disk. Of any other body it returns None:
then the ledger reads the body itself and says what is wrong. So a reader that fails or lies by leaving out slows a
batch down; it is a process of the ledger's own, started from the ledger's own program, and is trusted like it.
"""

from __future__ import annotations

import os
from array import array
from base64 import b64encode
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from ledger.domain.commitment import SALT_BYTES
from ledger.domain.errors import LedgerError
from ledger.domain.event_templates import Exchange, exchange_of
from ledger.domain.event_v1 import check_claims, check_own, claims_of
from ledger.domain.typed_data import Domain
from ledger.domain.typed_data import digest as signing_digest
from ledger.log.tree import leaf_hash
from ledger.service.batch_wire import NDJSON, parse_batch_bytes
from ledger.service.event_batches import batch_record
from ledger.service.intake import pairing_keys
from ledger.service.signatures import recover
from ledger.service.stored_batches import SALTS_BYTES, pack_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.event_v1 import EventV1
    from ledger.service.event_batches import SignedBatch

_encode: Final = msgspec.json.Encoder(order="sorted").encode
_MAX_KINDS: Final = 4_096


class ReadAhead(msgspec.Struct, frozen=True, gc=False):
    """A batch of well-formed events in their order, signed as stated."""

    reporter: str
    agreement: str
    nonce: str
    deadline: int
    signer: bytes
    signature: bytes
    signed: bytes
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
    ids: list[bytes]
    correlations: list[bytes]
    """Ids and correlations as JSON."""
    packed: bytes


class BatchReader(Protocol):
    """Reads bodies in a process of its own."""

    def read(self, body: bytes) -> ReadAhead | None:
        """Return what `read_ahead` does; None also when no process is there to read it."""
        ...


def read_ahead(body: bytes, domain: Domain) -> ReadAhead | None:
    """Return what a body holds, None for any body but the usual.

    Args:
        body: NDJSON, decoded.
        domain: The EIP-712 domain in which batches are signed.
    """
    try:
        batch = parse_batch_bytes(body, media_type=NDJSON)
        if batch.rejected or not batch.lines or len(batch.lines) != len(batch.events):
            return None
        return _read(batch, domain)
    except LedgerError:
        return None


def _read(batch: SignedBatch, domain: Domain) -> ReadAhead | None:
    events, lines = batch.events, batch.lines
    digests = [leaf_hash(line) for line in lines]
    signed = signing_digest(domain, batch_record(batch, digests))
    if recover(signed, batch.signature) != batch.signer or not _follow(events, digests):
        return None
    places: dict[tuple[tuple[object, ...], int], int] = {}
    exchanges: list[Exchange] = []
    kinds: list[bytes] = []
    kind_of = array("H")
    count = len(events)
    salts = os.urandom(SALTS_BYTES * count)
    texts = [b64encode(salts[start : start + SALT_BYTES]) for start in range(0, len(salts), SALT_BYTES)]
    others: list[bytes] = []
    for event, line, detail_salt, exchange_salt in zip(events, lines, texts[1::3], texts[2::3], strict=True):
        key = (claims_of(event), event.occurred_at_ms // 1000)
        place = places.get(key)
        if place is None:
            check_claims(event)
            if (event.reporter, event.agreement) != (batch.reporter, batch.agreement) or len(kinds) == _MAX_KINDS:
                return None
            place = places[key] = len(kinds)
            kinds.append(line)
            exchanges.append(exchange_of(event))
        check_own(event)
        kind_of.append(place)
        others.append(exchanges[place].hashes(event, detail_salt, exchange_salt))
    return ReadAhead(
        reporter=batch.reporter,
        agreement=batch.agreement,
        nonce=str(batch.nonce),
        deadline=batch.deadline,
        signer=batch.signer,
        signature=batch.signature,
        signed=signed,
        count=count,
        first_seq=events[0].reporter_seq,
        first_prev=events[0].prev_hash,
        latest_ms=max(event.occurred_at_ms for event in events),
        kinds=kinds,
        kind_of=kind_of.tobytes(),
        keys=array("Q", pairing_keys(events)).tobytes(),
        digests=b"".join(digests),
        salts=salts,
        others=b"".join(others),
        ids=[_encode(event.id) for event in events],
        correlations=[_encode(event.correlation) for event in events],
        packed=pack_lines(lines),
    )


def _follow(events: Sequence[EventV1], digests: Sequence[bytes]) -> bool:
    """Say whether the events follow each other, wherever the first one stands."""
    first = events[0].reporter_seq
    if [event.reporter_seq for event in events] != list(range(first, first + len(events))):
        return False
    return [event.prev_hash for event in events[1:]] == [digest.hex() for digest in digests[:-1]]
