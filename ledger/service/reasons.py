"""Reasons, bases and certificates: a public code, or a private text behind a commitment.

On chain each is 32 bytes. ``scheme:value`` becomes the code's hash, and its text is public; any other
text is kept in the vault and only its commitment is published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.codes import Tier
from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import code_id
from ledger.domain.scalars import ZERO32
from ledger.service.documents import make_document
from ledger.service.profiles import keep

if TYPE_CHECKING:
    from ledger.service.services import Services


def commit_reason(services: Services, text: str, about: bytes, field: str, tier: Tier = Tier.PARTIES) -> bytes:
    """Return the 32 bytes that stand for a reason; 32 zero bytes for none.

    Args:
        services: The open stores.
        text: ``scheme:value`` or a private text.
        about: The id of the object that it is about.
        field: Its name in the document.
        tier: Who may read a private text.
    """
    if not text:
        return ZERO32
    try:
        code = code_id(text)
    except InvalidInputError:
        return keep(services, make_document("reason", tier, {field: text}, extra={"about": about.hex()}))
    keep(
        services,
        make_document("reason", Tier.PUBLIC, {"code": text}, texts={"code": [text]}, extra={"about": about.hex()}),
    )
    return code
