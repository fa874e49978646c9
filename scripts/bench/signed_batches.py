"""A reporter's signed batches, made quickly: what a load generator sends, at a few microseconds an event.

An event has every key of the format with short values, which makes about 530 bytes: a record of 400 bytes and what
binds it to its agreement and to the event before. Every event of a stream differs from the one before in its id,
correlation, number and the digest before it; the rest of its canonical bytes is made once.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain import canonical
from ledger.domain.event_v1 import NO_HASH, complete_event, encode_event
from ledger.domain.identifiers import post_id
from ledger.domain.records import EventBatch
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.domain.typed_data import digest as signing_digest
from ledger.log.tree import leaf_hash, root_of
from ledger.service.submission import domain_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.domain.canonical import Json
    from ledger.service.deployment import Deployment
    from ledger.service.ports import Signer

PROVIDER, REQUESTER = "ods:P01", "ods:R01"
DATASET: Final = f"{PROVIDER}#CARS"
PURPOSE: Final = "dpv:PublicHealth"
_ID, _CORRELATION, _SEQ = "@id@", "@correlation@", 123_454_321


def reporter_of(client: int) -> str:
    """Return a client's reporting post."""
    return f"gw-{client}@{PROVIDER}"


@dataclass(slots=True)
class Stream:
    """One reporter's stream: makes the batches that follow each other in it."""

    client: int
    agreement: str
    deployment: Deployment
    signer: Signer
    next_seq: int = 0
    last: str = NO_HASH

    def batches(self, size: int, count: int) -> Iterator[bytes]:
        """Yield the NDJSON bodies of the next batches."""
        parts = self._parts()
        for _ in range(count):
            yield self._body([self._line(parts) for _ in range(size)])

    def _line(self, parts: list[bytes]) -> bytes:
        number = b"%08d" % self.next_seq
        values = (number, number, self.last.encode(), b"%d" % self.next_seq)
        line = parts[0] + values[0] + parts[1] + values[1] + parts[2] + values[2] + parts[3] + values[3] + parts[4]
        self.next_seq += 1
        self.last = leaf_hash(line).hex()
        return line

    def _parts(self) -> list[bytes]:
        stated: dict[str, Json] = {
            "id": f"{self.client}-{_ID}",
            "kind": "DELIVERY",
            "side": "PROVIDER",
            "occurred_at_ms": time.time_ns() // 1_000_000,
            "provider": PROVIDER,
            "requester": REQUESTER,
            "agreement": self.agreement,
            "version": 1,
            "grant": 0,
            "dataset": DATASET,
            "purpose": PURPOSE,
            "delivery": "INTERFACE",
            "recipient": REQUESTER,
            "outcome": "SUCCEEDED",
            "size": 2003,
            "correlation": f"{self.client}-{_CORRELATION}",
            "prev_hash": "f" * 64,
            "reporter_seq": _SEQ,
        }
        rest = encode_event(complete_event(stated, reporter=reporter_of(self.client)))
        parts = []
        for mark in (_CORRELATION, _ID, "f" * 64, str(_SEQ)):
            before, rest = rest.split(mark.encode(), 1)
            parts.append(before)
        return [*parts, rest]

    def _body(self, lines: list[bytes]) -> bytes:
        nonce, deadline = secrets.randbits(128), int(time.time()) + EVENT_DEADLINE_MAX_S // 2
        record = EventBatch(
            post=post_id(reporter_of(self.client)),
            agreement=bytes.fromhex(self.agreement),
            count=len(lines),
            root=root_of([leaf_hash(line) for line in lines]),
            nonce=nonce,
            deadline=deadline,
        )
        signature = self.signer.sign_digest(signing_digest(domain_of(self.deployment, EventBatch), record))
        head = {
            "reporter": reporter_of(self.client),
            "agreement": self.agreement,
            "nonce": str(nonce),
            "deadline": deadline,
            "signer": "0x" + self.signer.address.hex(),
            "signature": "0x" + signature.hex(),
            "count": len(lines),
        }
        return b"\n".join([canonical.encode(head), *lines, b""])
