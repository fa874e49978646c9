"""Who may report an event: its own agency's side, a side that names nobody, or one that was entrusted, and when."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.domain import events
from ledger.domain.codes import Duty, PostRole, ResponsibilityRole
from ledger.domain.event_v1 import EventV1, complete_event
from ledger.domain.identifiers import duty_key, parse_post
from ledger.domain.reporting import MAY_REPORT, Standing, standing
from ledger.domain.scalars import OPEN_END
from tests.domain.factories import Ledger, hash32

OWN, OTHER = "xroad:SAMPLE/GOV/1", "xroad:SAMPLE/GOV/2"
POST = parse_post(f"gateway@{OWN}")
ABOUT, BY, BASIS = hash32(7), hash32(2), hash32(3)
RECORD = int(Duty.RECORD)


def event(**stated: Any) -> EventV1:
    usual = {"id": "1", "kind": "DELIVERY", "side": "PROVIDER", "occurred_at_ms": 1, "provider": OWN}
    return complete_event({**usual, **stated}, reporter=str(POST))


def entrusting(role: ResponsibilityRole = ResponsibilityRole.ENTRUSTED, assignee: bytes = POST.id) -> Ledger:
    """Return the duty's history: assigned in one block, accepted in the next."""
    ledger = Ledger()
    ledger.add(
        events.ResponsibilityAssigned(
            hash32(1), ABOUT, RECORD, BY, 2, assignee, int(role), 0, 0, OPEN_END, BASIS, bytes(32)
        )
    )
    ledger.add(events.ResponsibilityAccepted(hash32(1), ABOUT, RECORD, assignee))
    return ledger


def found(stated: EventV1, ledger: Ledger | None = None, *, block: int = 2**32, time: int = 5_000) -> Standing | None:
    history = {duty_key(RECORD, ABOUT): ledger.recorded} if ledger is not None else {}
    return standing(stated, POST, lambda key: history.get(key, []), block=block, time=time)


def test_a_reporter_tells_its_own_side_or_one_that_names_nobody() -> None:
    assert MAY_REPORT == PostRole.REPORTER | PostRole.PLATFORM_OPERATOR
    assert found(event()) is Standing.OWN
    assert found(event(provider="")) is Standing.NOBODY
    assert found(event(provider=OTHER)) is None
    assert found(event(side="CONSUMER", provider=OWN, requester=OTHER)) is None
    assert found(event(side="CONSUMER", provider=OTHER, requester=OWN)) is Standing.OWN


def test_an_entrusted_reporter_tells_anothers_side_of_that_agreement_alone() -> None:
    told = event(provider=OTHER, agreement=ABOUT.hex())
    assert found(told, entrusting()) is Standing.ENTRUSTED
    assert found(event(provider=OTHER), entrusting()) is None
    assert found(event(provider=OTHER, agreement=hash32(8).hex()), entrusting()) is None
    assert found(told, entrusting(ResponsibilityRole.LEAD)) is None
    assert found(told, entrusting(assignee=hash32(60))) is None


@pytest.mark.parametrize(("block", "right"), [(0, Standing.ENTRUSTED), (-1, None)])
def test_what_was_recorded_after_the_bound_block_entrusts_nobody(block: int, right: Standing | None) -> None:
    """Another thread has read an acceptance of the duty that the bound block's evidence will not hold."""
    ledger = entrusting()
    bound = ledger.recorded[-1].block + block
    assert found(event(provider=OTHER, agreement=ABOUT.hex()), ledger, block=bound) is right
