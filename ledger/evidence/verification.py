"""Which verification a file needs: that of one record, or of many events at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.evidence.events_file import BEGINNING
from ledger.evidence.events_run import EventsRun
from ledger.evidence.verifier import Run, report_of

if TYPE_CHECKING:
    from ledger.evidence.report import Report


def verify(evidence: bytes, trust_root: bytes) -> Report:
    """Check an evidence file against a trust root. Never raises."""
    return report_of((EventsRun if evidence.startswith(BEGINNING) else Run)(evidence, trust_root))
