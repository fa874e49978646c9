"""The state of a home in a few numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.service.anchoring import last_anchor
from ledger.service.requests import Nothing
from ledger.service.times import iso
from ledger.service.witnesses import witnesses_told

if TYPE_CHECKING:
    from ledger.service.services import Services


def status(services: Services, _request: Nothing) -> dict[str, object]:
    """Return what this home holds and how far its parts have come."""
    final = services.state.refresh()
    anchored = last_anchor(services)
    size = services.log.size()
    return {
        "home": str(services.home.path),
        "up": services.is_up,
        "older_copy": services.older_copy,
        "chain_id": services.deployment.chain_id,
        "demonstration": services.deployment.demonstration,
        "block": final.number,
        "block_hash": final.hash.hex(),
        "block_time": iso(final.timestamp),
        "agencies": len(services.state.ids("agency")),
        "posts": len(services.state.ids("post")),
        "datasets": len(services.state.ids("dataset")),
        "agreements": len(services.state.ids("agreement")),
        "assignments": len(services.state.ids("assignment")),
        "cases": len(services.state.ids("case")),
        "chain_events": services.state.count,
        "log_size": size,
        "log_origin": services.deployment.log_origin,
        "anchored_size": anchored.event.size if anchored else 0,
        "anchored_at": iso(anchored.timestamp) if anchored else "",
        "not_anchored": size - (anchored.event.size if anchored else 0),
        "batches_read_by": services.leaf_maker.code,
        "witnesses": witnesses_told(services.witnesses, size),
        "contracts": {
            name: "0x" + contract.address.hex() for name, contract in sorted(services.deployment.contracts.items())
        },
    }
