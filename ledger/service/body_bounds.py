"""How many values a body may hold, counted before anything is made of them.

A parser makes an object of some hundred bytes of a value that takes one byte on the wire, and a compressed body has
millions of such values in a kilobyte. So the values are counted first, in the bytes themselves.
"""

from __future__ import annotations

from typing import Final

from ledger.domain.errors import InvalidInputError

MAX_VALUES: Final = 1_000_000
"""Of one body: 10,000 events with every field and some of their source's."""

_ARRAY, _MAP, _TAG = 4, 5, 6
_LENGTH_BYTES: Final = {24: 1, 25: 2, 26: 4, 27: 8}


def check_json_values(body: bytes) -> None:
    """Count commas and openings, of which a JSON text has at least one for each value but the first.

    Raises:
        InvalidInputError: There are too many.
    """
    values = body.count(b",") + body.count(b"[") + body.count(b"{")
    if values > MAX_VALUES:
        raise InvalidInputError("body", f"{values} values", f"at most {MAX_VALUES}; send events as lines")


def check_cbor_values(body: bytes) -> None:
    """Count the items of a CBOR body from their heads (RFC 8949 section 3); what is in strings is passed over.

    Raises:
        InvalidInputError: There are too many, or the body ends within one, or has indefinite lengths.
    """
    position, left, seen, size = 0, 1, 0, len(body)
    while left:
        if position >= size:
            raise InvalidInputError("body", body[:40], "CBOR that ends where it says")
        first = body[position]
        major, short = first >> 5, first & 31
        position += 1
        count = short
        if short >= 24:
            width = _LENGTH_BYTES.get(short)
            if width is None:
                raise InvalidInputError("body", body[:40], "CBOR with definite lengths")
            count = int.from_bytes(body[position : position + width], "big")
            position += width
        left -= 1
        if major in {2, 3}:
            position += count
        elif major == _ARRAY:
            left += count
        elif major == _MAP:
            left += 2 * count
        elif major == _TAG:
            left += 1
        seen += 1
        if seen + left > MAX_VALUES:
            raise InvalidInputError("body", f"{seen + left} values", f"at most {MAX_VALUES}; send byte strings")
