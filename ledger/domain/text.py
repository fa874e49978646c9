"""Which text may name something: one spelling, nothing invisible, nothing that reorders what people read.

A name is NFC, trimmed, without control, format, private-use, surrogate or unassigned characters and
without line or paragraph separators. It is otherwise plain text: ``<b>`` or ``../x`` in a name is kept
as written, because names are escaped wherever they are shown and never used as paths.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from ledger.domain.errors import InvalidInputError

_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Zero-width joiners are format characters, yet some scripts cannot be spelt without them.
_JOINERS: Final = frozenset("\u200c\u200d")


def check_name(text: str, field: str, *, max_length: int = 400) -> str:
    """Return ``text`` when it may name something.

    Raises:
        InvalidInputError: empty, too long, untrimmed, not NFC, or with a character outside the rule.
    """
    if not text or len(text) > max_length:
        raise InvalidInputError(field, text[:80], f"1 to {max_length} characters")
    if text.isascii() and text.isprintable():
        if text[0] == " " or text[-1] == " ":
            raise InvalidInputError(field, text, "text without spaces at its ends")
        return text
    for character in text:
        if unicodedata.category(character) in _REFUSED_CATEGORIES and character not in _JOINERS:
            raise InvalidInputError(
                field, ascii(text), f"no control, format or unassigned character (U+{ord(character):04X})"
            )
    if text.strip() != text:
        raise InvalidInputError(field, text, "text without spaces at its ends")
    if not unicodedata.is_normalized("NFC", text):
        raise InvalidInputError(field, text, "text in Unicode NFC")
    return text


def normalise_name(text: str) -> str:
    """Return ``text`` in NFC, trimmed, with each run of white space as one space: for importers only."""
    return unicodedata.normalize("NFC", " ".join(text.split()))
