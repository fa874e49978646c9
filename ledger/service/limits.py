"""What one request may ask for: the figures that clients are told and that the delivery layer holds to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain.canonical import MAX_ENTRY_BYTES, MAX_INTEGER
from ledger.domain.event_v1 import MAX_SOURCE_KEYS, MAX_SOURCE_TEXT
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.service.event_batches import MAX_BATCH_EVENTS
from ledger.service.event_states import RANGE_MAX
from ledger.service.paging import PAGE_LIMIT, PAGE_LIMIT_MAX
from ledger.service.requests import Nothing

if TYPE_CHECKING:
    from ledger.service.services import Services

BATCH_BODY_BYTES_MAX: Final = 16 << 20
"""Ten thousand events of 1.6 kB, after decoding: more should come in several batches, since one is held whole."""

REQUEST_BODY_BYTES_MAX: Final = 1 << 20
RPC_BODY_BYTES_MAX: Final = 1 << 20
EVIDENCE_AT_ONCE_MAX: Final = 4
"""Files that are made at once: each costs signatures and proofs, and the threads that make them also take events."""
RPC_AT_ONCE_MAX: Final = 8
STREAMS_AT_ONCE_MAX: Final = 256
"""Clients that follow the states of entries at once; each costs a connection and no memory that grows."""
IDEMPOTENCY_KEY_CHARS_MAX: Final = 200


def limits(services: Services, _request: Nothing) -> dict[str, object]:
    """Return the limits, with their units in their names."""
    settings = services.settings
    return {
        "batch_events_max": MAX_BATCH_EVENTS,
        "batch_body_bytes_max": BATCH_BODY_BYTES_MAX,
        "request_body_bytes_max": REQUEST_BODY_BYTES_MAX,
        "rpc_body_bytes_max": RPC_BODY_BYTES_MAX,
        "rpc_at_once_max": RPC_AT_ONCE_MAX,
        "streams_at_once_max": STREAMS_AT_ONCE_MAX,
        "state_range_max": RANGE_MAX,
        "evidence_at_once_max": EVIDENCE_AT_ONCE_MAX,
        "entry_bytes_max": MAX_ENTRY_BYTES,
        "integer_max": MAX_INTEGER,
        "source_keys_max": MAX_SOURCE_KEYS,
        "source_text_chars_max": MAX_SOURCE_TEXT,
        "idempotency_key_chars_max": IDEMPOTENCY_KEY_CHARS_MAX,
        "page_default": PAGE_LIMIT,
        "page_max": PAGE_LIMIT_MAX,
        "clock_skew_max_s": settings.clock_skew_max_s,
        "binding_age_max_s": settings.binding_age_max_s,
        "checkpoint_interval_ms": settings.checkpoint_interval_ms,
        "signature_ttl_s": settings.signature_ttl_s,
        "event_deadline_max_s": EVENT_DEADLINE_MAX_S,
    }
