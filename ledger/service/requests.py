"""The base of what use-cases are asked: closed, frozen, made from JSON or by keyword."""

from __future__ import annotations

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Arguments of one verb. Unknown fields are refused when it is made from JSON."""


class Nothing(Request, frozen=True, kw_only=True):
    """No arguments."""
