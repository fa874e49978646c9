"""The base of what use-cases are asked: closed, frozen, made from JSON or by keyword."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec

from ledger.domain.errors import InvalidInputError

_PATH: Final = re.compile(r" - at `\$\.?([^`]*)`")
_NAMED: Final = re.compile(r"field `([^`]*)`")


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of one verb. Unknown fields are refused when it is made from JSON."""


class Nothing(Request, frozen=True, kw_only=True):
    """No arguments."""


R = TypeVar("R", bound=Request)


def made_of(kind: type[R], value: object) -> R:
    """Return a request made from JSON values.

    Raises:
        InvalidInputError: A field is missing, unknown or of another type; it is named by its path.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        field, reason = field_in(str(error))
        raise InvalidInputError(field or "body", reason, f"the fields of {kind.__name__}") from error


def field_in(message: str) -> tuple[str, str]:
    """Return the path of the field that msgspec's message is about, and the message without it."""
    path = _PATH.search(message)
    named = _NAMED.search(message)
    parts = [part for part in (path[1] if path else "", named[1] if named else "") if part]
    return ".".join(parts), message[: path.start()] if path else message
