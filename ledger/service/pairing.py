"""Whether the other side of an exchange was told, by somebody who speaks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain.codes import Side
from ledger.domain.identifiers import parse_post
from ledger.service.index_rows import FactFilter

if TYPE_CHECKING:
    from ledger.domain.event_v1 import EventV1
    from ledger.service.index_rows import FactRow
    from ledger.service.services import Services

_PAGE: Final = 200


def is_paired(services: Services, event: EventV1) -> bool:
    """Say whether the other side of the event's exchange was reported by who speaks for it.

    That is a post of the other side's agency, or one that was entrusted with recording under the event's own
    agreement. A record that names other parties, or nobody on its side, is of another exchange: whoever may
    report anything could else make a one-sided report look answered.

    Raises:
        UnavailableError: The index is too far behind to tell.
    """
    other = Side.CONSUMER if event.side is Side.PROVIDER else Side.PROVIDER
    services.indexing.catch_up_soon()
    after = ""
    while True:
        page = services.index.facts(FactFilter(correlation=event.correlation), after, _PAGE)
        if any(_tells(row, event, other) for row in page.rows):
            return True
        if not page.next:
            return False
        after = page.next


def _tells(row: FactRow, event: EventV1, other: Side) -> bool:
    if (row.side, row.provider, row.requester) != (other.value, event.provider, event.requester):
        return False
    party = row.provider if other is Side.PROVIDER else row.requester
    # Others were let in only as entrusted under the agreement that the event names.
    return bool(party) and (str(parse_post(row.reporter).agency) == party or row.agreement.hex() == event.agreement)
