"""ABI encoding of records, and strict decoding: bytes that another encoder would write differently are refused.

encode(grant)          -> abi.encode of the struct's fields, as for one struct parameter's tuple
decode(Grant, data)    -> the record, or InvalidInputError
"""

from __future__ import annotations

from typing import TypeVar

from ledger.domain.errors import InvalidInputError
from ledger.domain.record import ArrayType, FieldType, Record, RecordType, is_dynamic, shape
from ledger.domain.scalars import WORD_BYTES, Scalar, decode_word, encode_word

R = TypeVar("R", bound=Record)

_MAX_ELEMENTS = 65_536


def encode(record: Record) -> bytes:
    """Return the ABI encoding of a record's fields as a tuple."""
    return encode_values([(field.type, getattr(record, field.name)) for field in shape(type(record))])


def decode(record: type[R], data: bytes) -> R:
    """Decode what `encode` writes.

    Raises:
        InvalidInputError: a value out of range, an offset that a plain encoder would not write, or bytes left over.
    """
    fields = shape(record)
    values = decode_values([(field.name, field.type) for field in fields], data, record.__name__)
    return record(*values)


def encode_values(values: list[tuple[FieldType, object]]) -> bytes:
    """Return the ABI encoding of typed values as a tuple: heads, then tails."""
    heads: list[bytes | None] = []
    tails: list[bytes] = []
    for field_type, value in values:
        if is_dynamic(field_type):
            heads.append(None)
            tails.append(_encode(field_type, value))
        else:
            heads.append(_encode(field_type, value))
    offset = sum(WORD_BYTES if head is None else len(head) for head in heads)
    encoded: list[bytes] = []
    remaining = iter(tails)
    for head in heads:
        if head is None:
            encoded.append(offset.to_bytes(WORD_BYTES, "big"))
            offset += len(next(remaining))
        else:
            encoded.append(head)
    return b"".join(encoded + tails)


def decode_values(fields: list[tuple[str, FieldType]], data: bytes, path: str) -> list[object]:
    """Decode a tuple of named, typed values that fills ``data`` exactly.

    Raises:
        InvalidInputError: as `decode`.
    """
    values, end = _decode_tuple(fields, data, 0, path)
    if end != len(data):
        raise InvalidInputError(path, data, f"{end} bytes, not {len(data)}")
    return values


def static_size(field_type: FieldType) -> int:
    """Return the bytes that a value takes in the head: one word behind an offset, all its words otherwise."""
    if isinstance(field_type, RecordType) and not is_dynamic(field_type):
        return sum(static_size(field.type) for field in shape(field_type.record))
    return WORD_BYTES


def _encode(field_type: FieldType, value: object) -> bytes:
    match field_type:
        case Scalar():
            if not isinstance(value, bytes | int):
                raise InvalidInputError(field_type.solidity, value, "bytes or an integer")
            return encode_word(value)
        case ArrayType():
            if not isinstance(value, tuple):
                raise InvalidInputError("array", value, "a tuple")
            elements = encode_values([(field_type.element, element) for element in value])
            return len(value).to_bytes(WORD_BYTES, "big") + elements
        case RecordType():
            if not isinstance(value, field_type.record):
                raise InvalidInputError("record", value, f"a {field_type.record.__name__}")
            return encode(value)


def _decode_tuple(fields: list[tuple[str, FieldType]], data: bytes, start: int, path: str) -> tuple[list[object], int]:
    """Return the values of a tuple that starts at ``start``, and where its bytes end."""
    cursor = start
    end = start + sum(static_size(field_type) for _, field_type in fields)
    values: list[object] = []
    for name, field_type in fields:
        where = f"{path}.{name}"
        if is_dynamic(field_type):
            offset = int.from_bytes(_word(data, cursor, where), "big")
            if start + offset != end:  # Tails follow each other without gaps, in order.
                raise InvalidInputError(where, offset, f"the offset {end - start}")
            value, end = _decode(field_type, data, end, where)
        else:
            value, _ = _decode(field_type, data, cursor, where)
        values.append(value)
        cursor += static_size(field_type)
    return values, end


def _decode(field_type: FieldType, data: bytes, start: int, path: str) -> tuple[object, int]:
    match field_type:
        case Scalar():
            return decode_word(field_type, _word(data, start, path), path), start + WORD_BYTES
        case ArrayType():
            count = int.from_bytes(_word(data, start, path), "big")
            if count > _MAX_ELEMENTS or count * static_size(field_type.element) > len(data) - start - WORD_BYTES:
                raise InvalidInputError(path, count, "a length that fits the data")
            names = [(f"[{index}]", field_type.element) for index in range(count)]
            values, end = _decode_tuple(names, data, start + WORD_BYTES, path)
            return tuple(values), end
        case RecordType():
            fields = [(field.name, field.type) for field in shape(field_type.record)]
            values, end = _decode_tuple(fields, data, start, path)
            return field_type.record(*values), end


def _word(data: bytes, start: int, path: str) -> bytes:
    word = data[start : start + WORD_BYTES]
    if len(word) != WORD_BYTES:
        raise InvalidInputError(path, f"{len(data)} bytes", f"at least {start + WORD_BYTES} bytes")
    return word
