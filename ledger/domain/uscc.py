"""The unified social credit code (GB 32100-2015), the id of Chinese agencies: 18 characters, two check characters.

The last one (mod 31) is enforced. The organisation code's own (mod 11, position 17) is not, since codes in use
break it.
"""

from __future__ import annotations

from typing import Final

from ledger.domain.errors import InvalidInputError

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH: Final = 18

_WEIGHTS: Final = tuple(pow(3, position, 31) for position in range(LENGTH - 1))


def uscc_check_character(body: str) -> str:
    """Return the 18th character for the first 17.

    Raises:
        InvalidInputError: not 17 characters of the alphabet.
    """
    if len(body) != LENGTH - 1 or any(character not in ALPHABET for character in body):
        raise InvalidInputError("uscc", body, f"17 characters of {ALPHABET}")
    total = sum(ALPHABET.index(character) * weight for character, weight in zip(body, _WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def check_uscc(value: str, field: str) -> None:
    """Check length, alphabet and check character.

    Raises:
        InvalidInputError: names the character that was expected.
    """
    if len(value) != LENGTH or any(character not in ALPHABET for character in value):
        raise InvalidInputError(field, value, f"18 characters of {ALPHABET}")
    expected = uscc_check_character(value[:-1])
    if value[-1] != expected:
        raise InvalidInputError(field, value, f"check character {expected} in place of {value[-1]}")
