"""Stored batches for tests: lines of any bytes, bound alike."""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING, Any

from ledger.domain.codes import Flag, Mismatch
from ledger.service.stored_batches import SALTS_BYTES, BatchHead, BoundAs, StoredBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

BOUND = BoundAs(
    agreement="05" * 32, version=2, grant=1, duty=3, responsible_post="06" * 32,
    mismatches=(Mismatch.OUTSIDE_WINDOW,), flags=(Flag.DEMONSTRATION,),
)  # fmt: skip


def head_of(**changes: Any) -> BatchHead:
    whole: dict[str, Any] = {
        "accepted_at_ms": 99, "agreement": "05" * 32, "bindings": (BOUND,), "block": 7, "block_hash": "07" * 32,
        "deadline": 1_900_000_000, "idempotency_key": "", "nonce": "1", "rejected": (), "reporter": "gateway@ods:A",
        "signature": "01" * 65, "signed": "02" * 32, "signer": "03" * 20, "stream": "08" * 32, "stream_salt": "c2Fs",
    }  # fmt: skip
    return BatchHead(**(whole | changes))


def batch_of(first: int, lines: Sequence[bytes], *, count: int | None = None, **changes: Any) -> StoredBatch:
    taken = len(lines) if count is None else count
    head = head_of(nonce=str(first), **changes)
    return StoredBatch(first, taken, head, list(lines), os.urandom(SALTS_BYTES * taken), array("H", [0] * taken))
