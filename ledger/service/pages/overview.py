"""The ledger in a few numbers, each with what it is a part of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.events import EntryPublished
from ledger.service.pages.notices import NoticeCounts, notice_counts
from ledger.service.registry_views import CATALOGUE

if TYPE_CHECKING:
    from ledger.service.index_rows import Counters
    from ledger.service.ports import BlockRef
    from ledger.service.services import Services


@dataclass(frozen=True, slots=True)
class Overview:
    """The public totals with their denominators, as of one block."""

    counters: Counters
    providing_agencies: int
    notices: NoticeCounts
    log_size: int
    anchored_size: int
    anchored_at: int
    block: BlockRef
    asked_at: int

    @property
    def not_anchored(self) -> int:
        """Entries that no anchor covers yet."""
        return self.log_size - self.anchored_size


def overview_page(services: Services) -> Overview:
    """Return the totals."""
    anchors = services.state.anchors()
    return Overview(
        counters=services.index.counters(),
        providing_agencies=len(_providing(services)),
        notices=notice_counts(services),
        log_size=services.log.size(),
        anchored_size=anchors[-1].event.size if anchors else 0,
        anchored_at=anchors[-1].timestamp if anchors else 0,
        block=services.state.final,
        asked_at=services.clock.now_ms() // 1000,
    )


def _providing(services: Services) -> set[bytes]:
    firsts = (services.state.history(CATALOGUE, dataset)[0].event for dataset in services.state.ids("dataset"))
    return {event.agency for event in firsts if isinstance(event, EntryPublished)}
