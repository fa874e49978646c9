"""Canonical bytes: RFC 8785 JCS, narrowed so that one value has exactly one spelling.

The subset (docs/spec/canonical.md): objects with printable ASCII keys, arrays, text in NFC, integers
|n| < 2^53, true, false and null. No floats, no duplicate keys, nesting to 32. Within this subset a JSON
writer that sorts keys gives RFC 8785 bytes, so a fast writer serves.

    encode({"b": 1, "a": "x"})          -> b'{"a":"x","b":1}'
    decode(b'{"a":1, "a":2}')           -> InvalidInputError naming $.a
    decode_canonical(b'{"a": 1}')       -> InvalidInputError (a space is not canonical)
"""

from __future__ import annotations

import json
import unicodedata
from typing import Final, TypeAlias

import msgspec

from ledger.domain.errors import InvalidInputError

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 32
MAX_ENTRY_BYTES: Final = 65_535
"""tlog-tiles writes an entry's length in 16 bits."""

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODER: Final = msgspec.json.Decoder()


def encode(value: object) -> bytes:
    """Return the canonical bytes of ``value``.

    Raises:
        InvalidInputError: the value is outside the subset; names the path, as ``$.grants[2].version``.
    """
    check(value)
    return _ENCODER.encode(value)


def encode_checked(value: object) -> bytes:
    """Return the canonical bytes of a value whose every part was checked before. The caller's duty."""
    return _ENCODER.encode(value)


def decode(data: bytes) -> Json:
    """Parse JSON that people and tools write: any white space and key order, but nothing ambiguous.

    Raises:
        InvalidInputError: not UTF-8 or JSON, or outside the subset; names the path.
    """
    try:
        value: Json = _DECODER.decode(data)
        check(value)
        if _ENCODER.encode(value) == data:  # Canonical already, so it can hold no duplicate key.
            return value
    except (msgspec.MsgspecError, UnicodeError, RecursionError, InvalidInputError):
        pass  # The slow parser below says what is wrong, and where.
    return _decode_slowly(data)


def decode_canonical(data: bytes) -> Json:
    """Parse bytes that must already be canonical.

    Raises:
        InvalidInputError: as `decode`, and whenever ``encode(result)`` would differ from ``data``.
    """
    value = decode(data)
    if _ENCODER.encode(value) != data:
        raise InvalidInputError("$", data, "canonical JSON (RFC 8785): no white space, sorted keys, shortest escapes")
    return value


def check(value: object) -> None:
    """Check that ``value`` is within the subset.

    Raises:
        InvalidInputError: names the first path that is not.
    """
    if not _is_plain(value, 0):
        _check(value, "$", 0)


def is_nfc(text: str) -> bool:
    """Say whether ``text`` is in Unicode Normalization Form C."""
    return text.isascii() or unicodedata.is_normalized("NFC", text)


class _Refused:
    """Stands for a token that the slow parser read but the subset does not allow."""

    __slots__ = ("allowed", "key", "text")

    def __init__(self, text: str, allowed: str, key: str = "") -> None:
        self.text = text
        self.allowed = allowed
        self.key = key


def _is_plain(value: object, depth: int) -> bool:
    """Say whether a value is surely within the subset, without a path to name; `_check` decides on all others."""
    # Exact types, since a subclass may behave in another way.
    if type(value) is str:
        return value.isascii() or _is_text(value)
    if type(value) is int:
        return -MAX_INTEGER <= value <= MAX_INTEGER
    if depth >= MAX_DEPTH:
        return False
    if type(value) is dict:
        for key, member in value.items():
            if type(key) is not str or not key.isascii() or not key.isprintable():
                return False
            if (type(member) is not str or not member.isascii()) and not _is_plain(member, depth + 1):
                return False
        return True
    if type(value) is list or type(value) is tuple:
        for member in value:
            if (type(member) is not str or not member.isascii()) and not _is_plain(member, depth + 1):
                return False
        return True
    return value is None or type(value) is bool


def _is_text(value: str) -> bool:
    """Say whether a text that is not ASCII is in NFC and has UTF-8 bytes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return unicodedata.is_normalized("NFC", value)


def _check(value: object, path: str, depth: int) -> None:
    if isinstance(value, str):
        if not is_nfc(value):
            raise InvalidInputError(path, value, "text in Unicode NFC")
        if not value.isascii():
            _check_utf8(value, path)
    elif value is None or isinstance(value, bool):
        return
    elif isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise InvalidInputError(path, value, "an integer with |n| < 2^53 (write larger ones as decimal text)")
    elif depth >= MAX_DEPTH:
        raise InvalidInputError(path, value, f"at most {MAX_DEPTH} levels")
    elif isinstance(value, dict):
        for key, member in value.items():
            if not isinstance(key, str) or not key.isascii() or not key.isprintable():
                raise InvalidInputError(path, key, "keys of printable ASCII")
            _check(member, f"{path}.{key}", depth + 1)
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            _check(member, f"{path}[{index}]", depth + 1)
    elif isinstance(value, _Refused):
        raise InvalidInputError(f"{path}.{value.key}" if value.key else path, value.text, value.allowed)
    else:
        raise InvalidInputError(path, value, "an object, array, text, integer, true, false or null")


def _check_utf8(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(path, text.encode(errors="replace"), "text without lone surrogates") from error


def _decode_slowly(data: bytes) -> Json:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"byte {error.start}", data[error.start : error.start + 4], "UTF-8") from error
    try:
        value: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_number,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise InvalidInputError("document", error.msg, f"JSON (see {place})") from error
    except RecursionError as error:
        raise InvalidInputError("$", "deeply nested JSON", f"at most {MAX_DEPTH} levels") from error
    check(value)
    return value


def _object(pairs: list[tuple[str, object]]) -> object:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            return _Refused(key, "each key once", key)
        members[key] = value
    return members


def _integer(text: str) -> object:
    if text == "-0" or len(text) > len(str(-MAX_INTEGER)):
        return _Refused(text, "an integer with |n| < 2^53 (write larger ones as decimal text)")
    return int(text)


def _number(text: str) -> object:
    return _Refused(text, "an integer (no fractions, exponents, NaN or Infinity)")
