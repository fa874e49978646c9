"""Plain rows for tests: a whole value from the few fields that a test is about."""

from __future__ import annotations

from typing import Any

from ledger.domain.event_log import Event, Recorded
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


class Ledger:
    """Records events one block after another, ten seconds apart, as the chain would."""

    def __init__(self, start: int = 1_000) -> None:
        self.block = 0
        self.time = start
        self.recorded: list[Recorded[Event]] = []

    def add(self, made: Event, *, at: int | None = None) -> Recorded[Event]:
        """Put an event into a block of its own."""
        self.block += 1
        self.time = at if at is not None else self.time + 10
        one = Recorded(made, self.block, hash32(self.block), self.time, hash32(self.block + 1), 0, 0, b"\x11" * 20)
        self.recorded.append(one)
        return one


def hash32(number: int) -> bytes:
    """Any distinct 32 bytes."""
    return number.to_bytes(32, "big")
