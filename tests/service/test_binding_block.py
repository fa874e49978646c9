"""A binding is of what the chain had recorded by its block, whatever the ledger has taken in since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ledger.domain.codes import Mismatch
from ledger.service.asking_proof import rebind
from ledger.service.block_view import BlockView
from ledger.service.event_documents import event_of, opened
from tests.browser import sample_ledger
from tests.browser.sample_ledger import AUTHORITY

if TYPE_CHECKING:
    from pathlib import Path


def test_binding_leaves_out_what_was_recorded_after_its_block(tmp_path: Path) -> None:
    sample = sample_ledger.make(tmp_path)
    services = sample.services
    try:
        reported = event_of(opened(services, 0)[1])
        event = msgspec.structs.replace(reported, occurred_at_ms=(services.now_s() + 3_600) * 1_000)
        before = services.state.refresh()
        services.dispatch(
            "agreement.terminate",
            {"agreement": sample.agreement, "post": f"supervision@{AUTHORITY}", "reason": "law:ended"},
        )
        after = services.state.refresh()
        assert after.number > before.number
        late = BlockView(services, before).bind(event)
        assert rebind(services, event, late) == late
        assert late.block == before.number
        newest = BlockView(services, after).bind(event)
        assert rebind(services, event, newest) == newest
        assert (Mismatch.TERMINATED in late.mismatches, Mismatch.TERMINATED in newest.mismatches) == (False, True)
    finally:
        services.close()
