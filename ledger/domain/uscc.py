"""The unified social credit code (GB 32100-2015), the id of Chinese agencies: 18 characters, two check characters.

The last one (mod 31) is enforced. The organisation code's own (mod 11, position 17) is only a warning,
since codes in use break it.
"""

from __future__ import annotations

from typing import Final

from ledger.domain.errors import InvalidInputError

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH: Final = 18

_WEIGHTS: Final = tuple(pow(3, position, 31) for position in range(LENGTH - 1))
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)


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


def uscc_warnings(value: str) -> tuple[str, ...]:
    """Return what looks odd in a valid code: so far, an organisation code whose own check character is wrong."""
    organisation = value[8:16]
    total = sum(
        int(character, 36) * weight for character, weight in zip(organisation, _ORGANISATION_WEIGHTS, strict=True)
    )
    remainder = (11 - total % 11) % 11
    expected = "X" if remainder == 10 else str(remainder)
    if value[16] == expected:
        return ()
    return (f"organisation code {value[8:17]}: check character {expected} expected, {value[16]} found",)
