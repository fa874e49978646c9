"""The base of signed records and event records, and the shape that is read from their annotations.

One frozen class says a signed shape once: its field names and scalars give the EIP-712 type, the ABI
encoding, the event's topics and the schema. Python names are the Solidity names in snake case.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import GenericAlias
from typing import Any, Final, TypeAlias, get_args, get_origin, get_type_hints

from ledger.domain.errors import InvalidInputError
from ledger.domain.scalars import Indexed, Scalar, check_scalar


@dataclass(frozen=True, slots=True)
class Record:
    """A closed record: every field is checked when it is made, so a record that exists is in range.

    Raises:
        InvalidInputError: a field of another type, length or range; names ``Class.field``.
    """

    def __post_init__(self) -> None:
        name = type(self).__name__
        for field in shape(type(self)):
            _check(field.type, getattr(self, field.name), f"{name}.{field.name}")


@dataclass(frozen=True, slots=True)
class ArrayType:
    """A dynamic array."""

    element: FieldType


@dataclass(frozen=True, slots=True)
class RecordType:
    """A nested record."""

    record: type[Record]


FieldType: TypeAlias = Scalar | ArrayType | RecordType


@dataclass(frozen=True, slots=True)
class FieldShape:
    """One field: its Python and Solidity names, its type, and whether an event carries it as a topic."""

    name: str
    solidity_name: str
    type: FieldType
    indexed: bool


_shapes: Final[dict[type[Record], tuple[FieldShape, ...]]] = {}


def shape(record: type[Record]) -> tuple[FieldShape, ...]:
    """Return the fields of a record class in their order, which is the wire.

    Raises:
        TypeError: an annotation that is neither a scalar, a tuple of one type, nor a record. The author's fault.
    """
    known = _shapes.get(record)
    if known is None:
        hints = get_type_hints(record, include_extras=True)
        known = tuple(_field(record, field.name, hints[field.name]) for field in dataclasses.fields(record))
        _shapes[record] = known
    return known


def solidity_name(name: str) -> str:
    """Return the Solidity spelling of a Python name: ``valid_from`` → ``validFrom``."""
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def is_dynamic(field_type: FieldType) -> bool:
    """Say whether the ABI places a value of this type behind an offset."""
    match field_type:
        case Scalar():
            return False
        case ArrayType():
            return True
        case RecordType():
            return any(is_dynamic(field.type) for field in shape(field_type.record))


def _field(record: type[Record], name: str, hint: Any) -> FieldShape:
    indexed = any(isinstance(extra, Indexed) for extra in getattr(hint, "__metadata__", ()))
    return FieldShape(name, solidity_name(name), _field_type(record, name, hint), indexed)


def _field_type(record: type[Record], name: str, hint: Any) -> FieldType:
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Scalar):
            return extra
    if get_origin(hint) is tuple or isinstance(hint, GenericAlias):
        arguments = get_args(hint)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return ArrayType(_field_type(record, name, arguments[0]))
    elif isinstance(hint, type) and issubclass(hint, Record):
        return RecordType(hint)
    raise TypeError(f"{record.__name__}.{name} has no Solidity type: {hint!r}")


def _check(field_type: FieldType, value: object, path: str) -> None:
    match field_type:
        case Scalar():
            check_scalar(field_type, value, path)
        case ArrayType():
            if not isinstance(value, tuple):
                raise InvalidInputError(path, value, "a tuple")
            for index, element in enumerate(value):
                _check(field_type.element, element, f"{path}[{index}]")
        case RecordType():
            if type(value) is not field_type.record:
                raise InvalidInputError(path, value, f"a {field_type.record.__name__}")
