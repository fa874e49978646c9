"""A contract's refusal in words: ids by their texts, roles and steps by their names.

The error keeps the contract's own values, which programs read; the words are for people, and only say what this home
knows.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ledger.domain.codes import CaseStep, PostRole
from ledger.domain.errors import RefusedError
from ledger.domain.scalars import WORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.service.services import Services

_ROLES: Final = frozenset({"roles", "anyOfRoles", "allRoles", "allowed"})
_STEPS: Final = frozenset({"step", "next"})


@contextmanager
def in_words(services: Services) -> Iterator[None]:
    """Give a refusal that passes the words for its values."""
    try:
        yield
    except RefusedError as error:
        tell(services, error)
        raise


def tell(services: Services, error: RefusedError) -> RefusedError:
    """Give a refusal the words for its values, and return it."""
    named = ((name, _word(services, name, value)) for name, value in error.arguments.items())
    error.words = {name: word for name, word in named if word}
    return error


def _word(services: Services, name: str, value: object) -> str:
    if name in _ROLES and isinstance(value, int):
        known = [role.name for role in PostRole if role & value and role.name]
        return " | ".join(known) or "none"
    if name in _STEPS and isinstance(value, int):
        return next((step.name for step in CaseStep if step == value), "none" if value == 0 else "")
    if isinstance(value, str) and len(value) == 2 + 2 * WORD_BYTES and value.startswith("0x"):
        identifier = bytes.fromhex(value[2:])
        return services.directory.text(identifier) if services.directory.knows(identifier) else ""
    return ""
