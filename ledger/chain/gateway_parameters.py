"""JSON-RPC parameters as values, or the fault that says what was due."""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = [
    "INVALID_PARAMS",
    "Fault",
    "as_bytes",
    "as_object",
    "as_quantity",
    "as_slot",
    "as_topics",
    "parameter",
]

INVALID_PARAMS: Final = -32602
_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")


class Fault(Exception):  # noqa: N818 - an answer, not an error of ours
    """A JSON-RPC error to answer with."""

    def __init__(self, number: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.number = number
        self.message = message
        self.data = data


def parameter(params: list[Any], place: int) -> Any:
    """Return one parameter."""
    if len(params) <= place:
        raise Fault(INVALID_PARAMS, f"parameter {place + 1} is missing")
    return params[place]


def as_object(value: Any) -> dict[str, Any]:
    """Return a parameter that is an object."""
    if not isinstance(value, dict):
        raise Fault(INVALID_PARAMS, "an object is due")
    return value


def as_bytes(text: Any, size: int | None) -> bytes:
    """Return hex data of this size, or of any if ``size`` is None."""
    if isinstance(text, str) and text.startswith("0x"):
        try:
            data = bytes.fromhex(text[2:])
        except ValueError:
            data = None
        if data is not None and size in {None, len(data)}:
            return data
    raise Fault(INVALID_PARAMS, "hex data is due" if size is None else f"{size} bytes of hex data are due")


def as_quantity(text: Any) -> int:
    """Return a hex quantity of at most 256 bits."""
    if isinstance(text, str) and _QUANTITY.fullmatch(text):
        return int(text, 16)
    raise Fault(INVALID_PARAMS, "a hex quantity is due")


def as_slot(text: Any) -> bytes:
    """Return a storage slot as 32 bytes."""
    return as_quantity(text).to_bytes(32, "big")


def as_topics(given: Any) -> list[frozenset[bytes] | None]:
    """Return for each place of a log filter the topics allowed there, or None for any."""
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > 4:
        raise Fault(INVALID_PARAMS, "topics are a list of up to four")
    wanted: list[frozenset[bytes] | None] = []
    for one in given:
        if one is None:
            wanted.append(None)
        else:
            wanted.append(frozenset(as_bytes(topic, 32) for topic in (one if isinstance(one, list) else [one])))
    return wanted
