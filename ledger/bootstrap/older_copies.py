"""Asking those who may know better before a home writes: the chain, the store, the witnesses, a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from ledger.domain.errors import UnavailableError
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import parse_note
from ledger.log.storage.high_water import read_high_water
from ledger.service.older_copy import Known, check_newest

if TYPE_CHECKING:
    from ledger.log.storage import FolderLog
    from ledger.log.storage.published import Published
    from ledger.service.deployment import Deployment
    from ledger.service.ledger_state import LedgerState
    from ledger.settings import Settings
    from ledger.witnessing.client import Witnesses

_LOG = structlog.get_logger("home")


def check_outside(
    settings: Settings,
    deployment: Deployment,
    log: FolderLog,
    witnesses: Witnesses | None,
    published: Published,
    state: LedgerState,
) -> None:
    """Return if nobody outside the home knows more of its log than it holds.

    A witness or a store that does not answer cannot warn; that is told in the log, and its next answer tells.

    Raises:
        RestoredOlderCopyError: Somebody knows a later size.
        LogRewrittenError: Somebody knows another root.
        InvalidInputError: The high-water record cannot be read.
    """
    known = [
        Known(f"the chain (its anchor in block {anchored.block})", anchored.event.size, anchored.event.root)
        for anchored in state.anchors()[-1:]
    ]
    if settings.high_water_file is not None:
        recorded = read_high_water(settings.high_water_file, deployment.log_origin)
        if recorded is None:
            _LOG.warning("no_high_water_record", file=str(settings.high_water_file))
        else:
            known.append(Known(f"the high-water record {settings.high_water_file}", *recorded))
    try:
        shown = published.newest()
    except UnavailableError as error:
        shown = None
        _LOG.warning("log_store_not_asked", reason=error.explain())
    if shown is not None:
        known.append(Known("the store that the log is published in", shown.size, shown.root))
    if witnesses is not None:
        note = log.checkpoint()
        witnesses.ask(note, parse_checkpoint(parse_note(note).text), log)
        known += [Known(f"the witness {one.name}", one.size) for one in witnesses.standings()]
    check_newest(log, known)
