"""The base of what use-cases are asked: closed, frozen, made from JSON or by keyword."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from ledger.domain.shape import misshapen


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
        raise misshapen(error, value, kind, "body") from error
