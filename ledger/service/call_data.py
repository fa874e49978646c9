"""Call data of the contracts' functions that take a signed record.

The tuple types come from the record classes, the same source as the EIP-712 types, so a call cannot
carry other fields than those that were signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from eth_abi.abi import encode

from ledger.domain.keccak import keccak256_text
from ledger.domain.record import ArrayType, FieldType, Record, RecordType, shape
from ledger.domain.scalars import Scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

SELECTOR_BYTES: Final = 4


def abi_type(field_type: FieldType) -> str:
    """Return a field's type as the ABI writes it, records as tuples."""
    match field_type:
        case Scalar():
            return field_type.solidity
        case ArrayType():
            return abi_type(field_type.element) + "[]"
        case RecordType():
            return tuple_type(field_type.record)


def tuple_type(record: type[Record]) -> str:
    """Return a record's ABI tuple: ``(bytes32,uint32)``."""
    return "(" + ",".join(abi_type(field.type) for field in shape(record)) + ")"


def tuple_value(record: Record) -> tuple[object, ...]:
    """Return a record's fields as nested tuples."""
    return tuple(_value(getattr(record, field.name)) for field in shape(type(record)))


def call_data(function: str, arguments: Sequence[tuple[str, object]]) -> bytes:
    """Return selector and encoded arguments, given as (ABI type, value) pairs; a record may stand as value."""
    types = [kind for kind, _ in arguments]
    values = [_value(value) for _, value in arguments]
    selector = keccak256_text(f"{function}({','.join(types)})")[:SELECTOR_BYTES]
    return selector + encode(types, values)


def _value(value: object) -> object:
    match value:
        case Record():
            return tuple_value(value)
        case tuple():
            return tuple(_value(element) for element in value)
        case _:
            return value
