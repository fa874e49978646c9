"""Names for the 32-byte ids on chain: agencies, posts, datasets and codes.

The chain holds hashes; their texts are in the vault beside the documents that brought them. A text
proves itself, since hashing it must give the id, so the directory can be rebuilt and never trusted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain import identifiers
from ledger.domain.codes import Tier
from ledger.domain.errors import ConflictError, InvalidInputError, NotFoundError
from ledger.domain.text import is_like_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.service.ports import Vault, VaultDocument

NAMED_KINDS = ("agency", "post", "dataset", "agreement", "responsibility", "case", "reason")
_REFERRED_KINDS = ("agreement", "case")
_ID_DIGITS = 64
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
        self._references: dict[tuple[str, str], dict[bytes, None]] = {}
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
        if not isinstance(reference, str) or not isinstance(about, str) or document.kind not in _REFERRED_KINDS:
            return
        if not is_like_id(reference):  # What a person means by an id is never another object.
            self._references.setdefault((document.kind, reference), {})[bytes.fromhex(about)] = None

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

    def referred(self, reference: str, kind: str) -> bytes | None:
        """Return the id of the agreement or case whose documents were the first to bear this reference."""
        return next(iter(self._references.get((kind, reference), ())), None)

    def documents_about(self, identifier: bytes) -> list[VaultDocument]:
        """Return every document about an object, oldest first."""
        return self._documents.get(identifier, [])

    def resolve(self, text: str, known: Iterable[bytes], what: str) -> bytes:
        """Return the one id of ``known`` that a person means by ``text``.

        What looks like an id is never a reference. A reference is the first object of its kind that bore it and
        exists, so that nobody takes over a name that others already use.

        Args:
            text: The id in hex, a reference such as ``DSA-001``, or a prefix of the id of 8 digits or more.
            known: The ids to choose from.
            what: What is looked for: a kind of reference, or a word for the message.

        Raises:
            NotFoundError: No such object.
            ConflictError: The prefix fits several.
        """
        ids = list(known)
        if not is_like_id(text):
            found = [referred for referred in self._references.get((what, text), ()) if referred in ids][:1]
        elif len(digits := text.lower().removeprefix("0x")) == _ID_DIGITS:
            found = [whole] if (whole := bytes.fromhex(digits)) in ids else []
        else:
            found = [candidate for candidate in ids if candidate.hex().startswith(digits)]
        if not found:
            raise NotFoundError(what, text)
        if len(found) > 1:
            raise ConflictError(what, f"{text} begins {len(found)} ids; give more digits")
        return found[0]
