"""The dates of a version's terms as its draft states them, for the people who sign.

The chain holds instants. What a signer means are legal dates in a zone; they are told only where they give
exactly the instants on chain, so that a text that says something else is never what a signer reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.errors import InvalidInputError
from ledger.domain.legal_time import window_end, window_start
from ledger.domain.scalars import OPEN_END
from ledger.service.documents import values_of

if TYPE_CHECKING:
    from ledger.domain.agreement_state import AgreementVersion
    from ledger.service.services import Services


def stated_dates(services: Services, version: AgreementVersion) -> dict[str, object]:
    """Return ``zone``, ``windows`` (``starts`` and ``ends`` of each grant) and ``review_valid_until``.

    What the text does not state, or states otherwise than the chain, is empty; an ``ends`` of an open end too.
    """
    document = services.directory.public_document(version.terms.text)
    text = values_of(document) if document is not None else {}
    zone = text.get("zone")
    grants = text.get("grants")
    stated = list(grants) if isinstance(grants, list | tuple) else []
    on_chain = version.terms.grants
    stated = stated if len(stated) == len(on_chain) else [None] * len(on_chain)
    until = text.get("security_review")
    return {
        "zone": zone if isinstance(zone, str) else "",
        "windows": [
            _window(found, zone, grant.valid_from, grant.valid_to)
            for found, grant in zip(stated, on_chain, strict=True)
        ],
        "review_valid_until": until if _ends_at(until, zone, version.terms.review_valid_until) else "",
    }


def _window(grant: object, zone: object, valid_from: int, valid_to: int) -> dict[str, object]:
    starts, ends = (grant.get("starts"), grant.get("ends")) if isinstance(grant, dict) else (None, None)
    if not (_starts_at(starts, zone, valid_from) and _ends_at(ends, zone, valid_to)):
        return {"starts": "", "ends": ""}
    return {"starts": starts, "ends": ends or ""}


def _starts_at(text: object, zone: object, seconds: int) -> bool:
    if not isinstance(text, str) or not isinstance(zone, str):
        return False
    try:
        return window_start(text, zone=zone) == seconds
    except InvalidInputError:
        return False


def _ends_at(text: object, zone: object, seconds: int) -> bool:
    if text is None:
        return seconds >= OPEN_END
    if not isinstance(text, str) or not isinstance(zone, str):
        return False
    try:
        return window_end(text, zone=zone) == seconds
    except InvalidInputError:
        return False
