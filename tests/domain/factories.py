"""Plain rows for tests: a whole value from the few fields that a test is about."""

from __future__ import annotations

from typing import Any

from ledger.domain.event_v1 import EventV1, complete_event

PROVIDER = "xroad:SAMPLE/GOV/10000001"
REQUESTER = "xroad:SAMPLE/GOV/10000002"
DATASET = f"{PROVIDER}#VEHICLES/vehicleByPlate"
REPORTER = f"gateway@{PROVIDER}"


def event(**stated: Any) -> EventV1:
    """A delivery by the provider at 1,000 s, with everything stated but the agreement."""
    values = {
        "id": "e-1",
        "kind": "DELIVERY",
        "side": "PROVIDER",
        "occurred_at_ms": 1_000_000,
        "provider": PROVIDER,
        "requester": REQUESTER,
        "dataset": DATASET,
        "purpose": "dpv:EnforceSecurity",
        "delivery": "INTERFACE",
        "recipient": REQUESTER,
        "outcome": "SUCCEEDED",
        **stated,
    }
    reporter = values.pop("reporter", REPORTER)
    return complete_event(values, reporter=reporter)
