"""Names for the 32-byte ids on chain: agencies, posts, datasets and codes.

The chain holds hashes; their texts are in the vault beside the documents that brought them. A text
proves itself, since hashing it must give the id, so the directory can be rebuilt and never trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain import identifiers
from ledger.domain.codes import Tier
from ledger.domain.errors import ConflictError, InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.service.ports import Vault, VaultDocument

NAMED_KINDS = ("agency", "post", "dataset", "agreement", "responsibility", "case", "reason")
_SHORTEST_PREFIX = 8
_HASHERS = {
    "agency": identifiers.agency_id,
    "post": identifiers.post_id,
    "dataset": identifiers.dataset_id,
    "code": identifiers.code_id,
}


def check_text(kind: str, text: str, field: str) -> None:
    """Check that a text is one that the directory can learn.

    Raises:
        InvalidInputError: An unknown kind, or no text id of it.
    """
    hasher = _HASHERS.get(kind)
    if hasher is None:
        raise InvalidInputError(field, kind, "texts of the kinds " + ", ".join(_HASHERS))
    try:
        hasher(text)
    except InvalidInputError as error:
        raise InvalidInputError(field, error.value, error.allowed) from error


class Directory:
    """Text ids by their hashes, with the profile of each where one is known."""

    def __init__(self, vault: Vault) -> None:
        self._texts: dict[bytes, str] = {}
        self._profiles: dict[bytes, VaultDocument] = {}
        self._references: dict[str, bytes] = {}
        self._documents: dict[bytes, list[VaultDocument]] = {}
        for kind in NAMED_KINDS:
            for document in vault.iterate(kind):
                self.learn(document)

    def learn(self, document: VaultDocument) -> None:
        """Take the texts of one more document."""
        texts = document.extra.get("texts", {})
        if isinstance(texts, dict):
            for kind, some in texts.items():
                for text in some:
                    self._texts[_HASHERS[kind](text)] = text
        about = document.extra.get("about")
        if isinstance(about, str):
            key = bytes.fromhex(about)
            self._documents.setdefault(key, []).append(document)
            self._profiles[document.commitment] = document
        reference = document.extra.get("reference")
        if isinstance(reference, str) and isinstance(about, str):
            # The first one keeps a reference: nobody takes over a name that others already use.
            self._references.setdefault(reference, bytes.fromhex(about))

    def text(self, identifier: bytes) -> str:
        """Return the text that hashes to ``identifier``, or its hex where nobody told it."""
        return self._texts.get(identifier) or identifier.hex()

    def knows(self, identifier: bytes) -> bool:
        """Say whether the text of an id is known."""
        return identifier in self._texts

    def document(self, commitment: bytes) -> VaultDocument | None:
        """Return the document behind a commitment of a named kind."""
        return self._profiles.get(commitment)

    def public_document(self, commitment: bytes) -> VaultDocument | None:
        """Return the document behind a commitment if anyone may read it.

        A commitment on chain can be repeated in another record by somebody who cannot open it; so what a
        record shows is decided by the document's own tier, never by where its commitment stands.
        """
        document = self._profiles.get(commitment)
        return document if document is not None and document.tier == Tier.PUBLIC else None

    def referred(self, reference: str) -> bytes | None:
        """Return the id of the object whose documents bear this reference."""
        return self._references.get(reference)

    def documents_about(self, identifier: bytes) -> list[VaultDocument]:
        """Return every document about an object, oldest first."""
        return self._documents.get(identifier, [])

    def resolve(self, text: str, known: Iterable[bytes], what: str) -> bytes:
        """Return the one id of ``known`` that a person means by ``text``.

        Args:
            text: A reference such as ``DSA-001``, the id in hex, or a prefix of it of 8 digits or more.
            known: The ids to choose from.
            what: What is looked for, for the message.

        Raises:
            NotFoundError: No such object.
            ConflictError: The prefix fits several.
        """
        if (referred := self._references.get(text)) is not None:
            return referred
        digits = text.lower().removeprefix("0x")
        if len(digits) < _SHORTEST_PREFIX or set(digits) - set("0123456789abcdef"):
            raise NotFoundError(what, text)
        found = [candidate for candidate in known if candidate.hex().startswith(digits)]
        if not found:
            raise NotFoundError(what, text)
        if len(found) > 1:
            raise ConflictError(what, f"{text} begins {len(found)} ids; give more digits")
        return found[0]
