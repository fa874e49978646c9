"""The explorer's two languages: choosing one, and putting a message or a code into it.

A key or code that the tables do not hold is a bug that a test finds, and a page fails on it: nothing is ever
shown in the wrong language for want of a text.
"""

from __future__ import annotations

from typing import Final, Literal

from api.explorer.code_names import CODE_NAMES
from api.explorer.messages import MESSAGES

Language = Literal["en", "zh"]

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
HTML_LANGUAGE: Final[dict[Language, str]] = {"en": "en", "zh": "zh-Hans"}


class UnknownMessageError(KeyError):
    """A page asked for a message or a code that the tables do not hold: a fault of ours."""


def translate(language: Language, key: str, **values: object) -> str:
    """Return the message ``key`` in ``language`` with ``values`` filled in.

    Raises:
        UnknownMessageError: the key is not in the table.
    """
    try:
        pair = MESSAGES[key]
    except KeyError as missing:
        raise UnknownMessageError(key) from missing
    text = pair[0] if language == "en" else pair[1]
    return text.format(**values) if values else text


def code_name(language: Language, kind: str, code: str) -> str:
    """Return a code of the ledger in words.

    Raises:
        UnknownMessageError: the code is not in the table of its kind.
    """
    try:
        pair = CODE_NAMES[kind][code]
    except KeyError as missing:
        raise UnknownMessageError(f"{kind}.{code}") from missing
    return pair[0] if language == "en" else pair[1]


def asked_language(wanted: str | None) -> Language | None:
    """Return the language that an address asks for, None where it asks for none that there is."""
    if wanted in {"en", "zh"}:
        return "en" if wanted == "en" else "zh"
    return None


def choose_language(wanted: str | None, accept_language: str) -> Language:
    """Return the language asked for, else the better of the two in ``Accept-Language``, else Chinese."""
    asked = asked_language(wanted)
    if asked is not None:
        return asked
    best: tuple[float, Language] = (0.0, "zh")
    for part in accept_language.split(","):
        tag, _, quality = part.strip().partition(";q=")
        primary = tag.split("-")[0].lower()
        if primary not in {"en", "zh"}:
            continue
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if weight > best[0]:
            best = (weight, "en" if primary == "en" else "zh")
    return best[1]
