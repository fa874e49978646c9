"""What the public may read of a name: agencies, posts and datasets by their published profiles, never persons.

`public_values` is the one gate of the public pages to the vault's documents: whatever is not of the public
tier has no values here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ledger.domain.codes import Tier
from ledger.domain.errors import InvalidInputError
from ledger.domain.identifiers import parse_agency, parse_dataset
from ledger.domain.scalars import ZERO32
from ledger.service import registry_views
from ledger.service.documents import values_of

if TYPE_CHECKING:
    from ledger.service.services import Services


@dataclass(frozen=True, slots=True)
class Name:
    """An object's id on chain in hex, its text id, its two published names, and what to call it without them.

    ``of`` is the agency of a post.
    """

    id: str
    text: str
    zh: str
    en: str
    plain: str
    of: Name | None = None


def public_values(services: Services, commitment: bytes) -> dict[str, object]:
    """Return the values of a document of the public tier; none for any other document, or where it is not here."""
    document = services.directory.document(commitment)
    if document is None or document.tier != Tier.PUBLIC.value:
        return {}
    return values_of(document)


def agency_name(services: Services, agency: bytes) -> Name:
    """Return an agency's name."""
    state = registry_views.find_agency(services, agency)
    text = services.directory.text(agency)
    return _name(services, agency, state.profile if state else ZERO32, _agency_plain(text))


def post_name(services: Services, post: bytes) -> Name:
    """Return a post's name, with that of its agency."""
    state = registry_views.find_post(services, post)
    if state is None:
        return _name(services, post, ZERO32, services.directory.text(post))
    named = _name(services, post, state.profile, services.directory.text(post).partition("@")[0])
    return replace(named, of=agency_name(services, state.agency))


def dataset_name(services: Services, dataset: bytes, version: int = 0) -> Name:
    """Return a dataset's name as one version of its entry gives it; version 0 is the newest."""
    entries = registry_views.entries_of(services, dataset)
    entry = next((known for known in entries if known.version == version), entries[-1] if entries else None)
    plain = services.directory.text(dataset)
    try:
        plain = parse_dataset(plain).code
    except InvalidInputError:
        plain = dataset.hex()
    return _name(services, dataset, entry.content if entry else ZERO32, plain)


def code_text(services: Services, code: bytes) -> str:
    """Return the text of a public code (a purpose, law or reason); empty where none is stated or it is not public."""
    return services.directory.text(code) if code != ZERO32 and services.directory.knows(code) else ""


def _agency_plain(text: str) -> str:
    try:
        return parse_agency(text).name
    except InvalidInputError:
        return text


def _name(services: Services, identifier: bytes, profile: bytes, plain: str) -> Name:
    values = public_values(services, profile)
    return Name(
        id=identifier.hex(),
        text=services.directory.text(identifier),
        zh=str(values.get("name_zh", "")),
        en=str(values.get("name_en", "")),
        plain=plain,
    )
