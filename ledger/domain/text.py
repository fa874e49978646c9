"""Which text may name something: one spelling, nothing invisible, nothing that reorders what people read.

A name is NFC, trimmed, without control, format, private-use, surrogate or unassigned characters and
without line or paragraph separators. It is otherwise plain text: ``<b>`` or ``../x`` in a name is kept
as written, because names are escaped wherever they are shown and never used as paths.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ledger.domain.errors import InvalidInputError

_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Zero-width joiners are format characters, yet some scripts cannot be spelt without them.
_JOINERS: Final = frozenset("\u200c\u200d")
_MAX_REFERENCE: Final = 100

ID_DIGITS: Final = 8
"""How many hexadecimal digits of an id are enough to name its object."""
_ID: Final = re.compile(rf"(0x)?[0-9a-f]{{{ID_DIGITS},}}", re.IGNORECASE | re.ASCII)


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


def is_like_id(text: str) -> bool:
    """Say whether people may mean an id, or the digits that one begins with, by ``text``."""
    return _ID.fullmatch(text) is not None


def check_reference(text: str, field: str = "reference") -> str:
    """Return ``text`` when people may call an object by it, beside its id.

    Raises:
        InvalidInputError: As ``check_name``; or it looks like the id of another object.
    """
    if is_like_id(text):
        raise InvalidInputError(field, text, f"text that no id could begin with: {ID_DIGITS} hexadecimal digits do")
    return check_name(text, field, max_length=_MAX_REFERENCE)


def normalise_name(text: str) -> str:
    """Return ``text`` in NFC, trimmed, with each run of white space as one space: for importers only."""
    return unicodedata.normalize("NFC", " ".join(text.split()))
