"""Public names of agencies, posts and datasets, in Chinese and English, as committed to on chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain.codes import Tier
from ledger.domain.text import check_name
from ledger.service.documents import make_document, values_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ledger.service.ports import VaultDocument
    from ledger.service.services import Services

DEMONSTRATION: Final = "Signed with generated keys for a demonstration; the bodies named have signed nothing."
"""What a profile or a text states, under its commitment, when ``--demo-keys`` made its keys."""


def make_profile(
    kind: str, identifier: bytes, text: str, names: Mapping[str, str], *, texts: Mapping[str, Iterable[str]]
) -> VaultDocument:
    """Return a public profile document of an agency, a post or a dataset.

    Args:
        kind: ``agency``, ``post`` or ``dataset``.
        identifier: The object's id on chain.
        text: Its text id.
        names: Further public fields, the names among them; empty ones are left out.
        texts: The text ids that it brings to the directory.

    Raises:
        InvalidInputError: A name that may name nothing.
    """
    stated = {field: check_name(value, field) for field, value in names.items() if value}
    return make_document(kind, Tier.PUBLIC, {"id": text, **stated}, texts=texts, extra={"about": identifier.hex()})


def keep(services: Services, document: VaultDocument) -> bytes:
    """Put a document on disk, let the directory learn it, and return its commitment."""
    services.vault.put([document])
    services.directory.learn(document)
    return document.commitment


def names_of(services: Services, commitment: bytes) -> dict[str, str]:
    """Return name_zh and name_en of a profile, empty where not stated."""
    document = services.directory.public_document(commitment)
    values = values_of(document) if document is not None else {}
    return {name: str(values.get(name, "")) for name in ("name_zh", "name_en")}


def demonstration_mark(demonstration: bool) -> dict[str, str]:
    """Return the field that marks a profile as a demonstration's, or none."""
    return {"demonstration": DEMONSTRATION} if demonstration else {}


def is_marked(services: Services, commitment: bytes) -> bool:
    """Say whether a profile was made for a demonstration, or stands in a home that is one as a whole."""
    if services.deployment.demonstration:
        return True
    document = services.directory.public_document(commitment)
    return document is not None and "demonstration" in values_of(document)
