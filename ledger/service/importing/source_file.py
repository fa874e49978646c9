"""The outer shape that all import files share: a JSON list, an object that holds one, or one object a line.

Every record keeps its number, counted from 1, so that a rejection can be found in the file. Numbers with a
fraction stay decimal text, since no signed value of ours is a float. Duplicate keys and integers from 2^53 on are
refused, because two readers could see two different records.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, Generic, TypeAlias, TypeVar

from ledger.domain.canonical import MAX_INTEGER
from ledger.domain.errors import InvalidInputError
from ledger.domain.text import normalise_name

Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | None"
Record: TypeAlias = "dict[str, Value]"
Parsed = TypeVar("Parsed")
_SHOWN: Final = 60
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that was not imported: its number in the file, the field at fault and the reason."""

    record: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Accepted(Generic[Parsed]):
    """A record that can be imported, with its number in the file."""

    record: int
    value: Parsed


def read_records(data: bytes, member: str) -> list[Record | Rejection]:
    """Return the file's records in order; what is not an object is rejected in its place.

    Args:
        data: The file's bytes, UTF-8.
        member: The key under which an outer object holds the list, as ``agreements``.

    Raises:
        InvalidInputError: The file as a whole is not UTF-8, not JSON, or holds no list of records.
    """
    text = _text(data)
    if not text.strip():
        raise InvalidInputError("file", "", "a JSON document with records; the file is empty")
    try:
        outer = _parse(text)
    except json.JSONDecodeError as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2 or not lines[0].lstrip().startswith("{") or not lines[0].rstrip().endswith("}"):
            place = f"line {error.lineno} column {error.colno}"
            raise InvalidInputError("file", error.msg, f"JSON (see {place})") from error
        return [parse_line(number, line) for number, line in enumerate(lines, start=1)]
    if isinstance(outer, dict) and member in outer:
        outer = outer[member]
    if not isinstance(outer, list):
        raise InvalidInputError("file", type(outer).__name__, f"a list of records, or an object with {member!r}")
    return [_record(number, item) for number, item in enumerate(outer, start=1)]


def text_of(record: Record, field: str, *, required: bool = False) -> str:
    """Return a text field in NFC and trimmed, ``""`` where it is absent or null and not required.

    Raises:
        InvalidInputError: It is required and missing, or is not text.
    """
    value = record.get(field)
    if value is None or value == "":
        if required:
            raise InvalidInputError(field, value, "a text; the field is missing or empty")
        return ""
    if not isinstance(value, str):
        raise InvalidInputError(field, _shown(value), "a text")
    return normalise_name(value)


def texts_of(record: Record, field: str, *, required: bool = False) -> list[str]:
    """Return a list of texts without repetitions; one text alone counts as a list of it.

    Raises:
        InvalidInputError: It is required and empty, or holds something else than text.
    """
    value = record.get(field)
    if isinstance(value, str):
        value = [value] if value.strip() else []
    if value is None:
        value = []
    if not isinstance(value, list):
        raise InvalidInputError(field, _shown(value), "a list of texts")
    texts: list[str] = []
    for index, item in enumerate(value):
        if not isinstance(item, str) or not item.strip():
            raise InvalidInputError(f"{field}[{index}]", _shown(item), "a text that is not empty")
        name = normalise_name(item)
        if name not in texts:
            texts.append(name)
    if required and not texts:
        raise InvalidInputError(field, _shown(record.get(field)), "at least one entry")
    return texts


def integer_of(record: Record, field: str, *, required: bool = False) -> int | None:
    """Return an integer field, None where it is absent.

    Raises:
        InvalidInputError: It is required and missing, or is not an integer below 2^53.
    """
    value = record.get(field)
    if value is None and not required:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInputError(field, _shown(value), "an integer below 2^53")
    return value


class _DuplicateKeyError(ValueError):
    """A record says the same key twice."""


class _LargeInteger(str):
    """The digits of an integer that readers of JSON do not all read alike."""

    __slots__ = ()


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"byte {error.start}", data[error.start : error.start + 4].hex(), "UTF-8") from error


def _parse(text: str) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=str,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except RecursionError as error:
        raise InvalidInputError("file", "deeply nested JSON", "records of a few levels") from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise InvalidInputError("file", str(error), "numbers and keys that every reader reads alike") from error


def _object(pairs: list[tuple[str, object]]) -> object:
    members: dict[str, object] = {}
    for key, value in pairs:
        if key in members:
            # Kept as a marker, so that only the record that says it twice is rejected.
            return _DuplicateKeyError(key)
        members[key] = value
    return members


def _integer(text: str) -> int | _LargeInteger:
    if len(text) > len(str(-MAX_INTEGER)):
        return _LargeInteger(text)
    number = int(text)
    return number if -MAX_INTEGER <= number <= MAX_INTEGER else _LargeInteger(text)


def _refuse_constant(text: str) -> object:
    raise ValueError(f"{text} is no number")


def parse_line(number: int, line: str) -> Record | Rejection:
    """Return the record of one line, or why it is none."""
    try:
        return _record(number, _parse(line))
    except json.JSONDecodeError as error:
        return Rejection(number, f"column {error.colno}", f"not JSON: {error.msg}")
    except InvalidInputError as error:
        return Rejection(number, error.field, error.reason())


def _record(number: int, item: object) -> Record | Rejection:
    fault = _find_fault(item, "record")
    if fault is not None:
        return Rejection(number, *fault)
    if not isinstance(item, dict):
        return Rejection(number, "record", f"not an object but {type(item).__name__}")
    return item


def _find_fault(item: object, path: str) -> tuple[str, str] | None:
    """Return the field and what no record may hold: a key said twice, or half a character."""
    if isinstance(item, _DuplicateKeyError):
        return str(item), f"the key {str(item)!r} stands twice"
    if isinstance(item, _LargeInteger):
        return path, f"{_shown(str(item))} is not allowed; wanted: an integer with |n| < 2^53"
    if isinstance(item, str):
        return (path, "half of a surrogate pair, which is no character") if _SURROGATE.search(item) else None
    parts: list[tuple[str, object]] = []
    if isinstance(item, dict):
        parts = [(key, part) for key, value in item.items() for part in (key, value)]
    elif isinstance(item, list):
        parts = [(path, part) for part in item]
    return next((found for key, part in parts if (found := _find_fault(part, ascii(key)[1:-1])) is not None), None)


def _shown(value: object) -> str:
    return repr(value)[:_SHOWN]
