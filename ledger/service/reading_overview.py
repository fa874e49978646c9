"""The ledger in a few public numbers, and whether this process can answer at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ledger.domain.errors import LedgerError
from ledger.service.anchoring import last_anchor
from ledger.service.paging import read_at
from ledger.service.reading_log import published
from ledger.service.requests import Nothing
from ledger.service.times import iso
from ledger.service.witnesses import barring, witnesses_told

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.service.services import Services

_BLOCKS_BEHIND_MAX: Final = 100
"""An index that follows takes a second for this many blocks; one further behind answers with old news."""


def overview(services: Services, _request: Nothing) -> dict[str, object]:
    """Return the public totals with their denominators. Sealed cases are in none of them."""
    anchored = last_anchor(services)
    anchored_size = anchored.event.size if anchored else 0
    size = services.log.size()
    deployment = services.deployment
    return {
        "chain_id": deployment.chain_id,
        "genesis_hash": deployment.genesis_hash.hex(),
        "demonstration": deployment.demonstration,
        "contracts": {name: "0x" + contract.address.hex() for name, contract in sorted(deployment.contracts.items())},
        "log_origin": deployment.log_origin,
        "log_vkey": deployment.log_vkey,
        "log_size": size,
        "checkpoint_size": published(services).size,
        "anchored_size": anchored_size,
        "anchored_at": iso(anchored.timestamp) if anchored else "",
        "not_anchored": size - anchored_size,
        "witnesses": witnesses_told(services.witnesses, size),
        "counters": msgspec.to_builtins(services.index.counters()),
        "verdicts": dict(services.index.verdict_counts()),
        "read_at": read_at(services),
    }


def readiness(services: Services) -> dict[str, Any]:
    """Check that the parts agree and answer: chain, log, index. Nothing is raised; what fails is told."""
    checks = [
        _check("chain", lambda: _chain(services)),
        _check("log", lambda: _log(services)),
        _check("index", lambda: _index(services)),
    ]
    is_ready = all(check["ok"] for check in checks)
    if services.witnesses is not None:
        checks.append(_check("witnesses", lambda: _witnesses(services)))
        # Silence is told, but no reason to take no events: they wait for their checkpoint. Contradiction is one.
        is_ready = is_ready and not barring(services.witnesses, services.log.size())
    return {"ready": is_ready, "checks": checks}


def _check(what: str, run: Callable[[], str]) -> dict[str, object]:
    try:
        reason = run()
    except LedgerError as error:
        reason = error.explain()
    return {"what": what, "ok": not reason, "reason": reason}


def _chain(services: Services) -> str:
    final = services.state.refresh()
    services.chain.nonce(services.keyring.address("relayer"))  # Asks the node, where the tip is known without it.
    bound = services.intake.last_block
    return "" if final.number >= bound else f"its tip {final.number} is below the bound block {bound}"


def _log(services: Services) -> str:
    size, anchored = services.log.size(), last_anchor(services)
    if anchored is not None and anchored.event.size > size:
        return f"it has {size} entries, and {anchored.event.size} are anchored"
    return "" if published(services).size <= size else "its checkpoint covers more than it has"


def _witnesses(services: Services) -> str:
    told = witnesses_told(services.witnesses, services.log.size())
    if told is None:
        return ""
    if told["alarm"]:
        return str(told["alarm"])
    if told["is_met"]:
        return ""
    failing = ", ".join(f"{one['name']} {one['problem']}" for one in told["witnesses"] if one["problem"])
    return f"too few cosigned for {told['unmet_for_s']} s; the checkpoint before stays published ({failing})"


def _index(services: Services) -> str:
    behind = services.state.final.number - services.index.cursor().number
    return "" if behind <= _BLOCKS_BEHIND_MAX else f"it is {behind} blocks behind"
