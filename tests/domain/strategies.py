"""Hypothesis strategies for the domain's values."""

from __future__ import annotations

import unicodedata
from typing import Any, TypeVar

from hypothesis import strategies as st

from ledger.domain.canonical import MAX_INTEGER
from ledger.domain.record import ArrayType, FieldType, Record, RecordType, shape
from ledger.domain.scalars import Scalar

R = TypeVar("R", bound=Record)

nfc_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(
    lambda text: unicodedata.normalize("NFC", text)
)
keys = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
integers = st.integers(-MAX_INTEGER, MAX_INTEGER)
json_values = st.recursive(
    st.none() | st.booleans() | integers | nfc_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)
json_objects = st.dictionaries(keys, json_values, max_size=6)
bytes32 = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20)


def field_values(field_type: FieldType) -> st.SearchStrategy[Any]:
    """Values of a field's type, with 0, the largest and the largest but one."""
    match field_type:
        case Scalar():
            match field_type.solidity:
                case "bytes32":
                    return bytes32
                case "address":
                    return addresses
                case "bool":
                    return st.booleans()
            top = 2**field_type.bits - 1
            return st.integers(0, top) | st.sampled_from([0, top, top - 1])
        case ArrayType():
            return st.lists(field_values(field_type.element), max_size=4).map(tuple)
        case RecordType():
            return records_of(field_type.record)


def records_of(record: type[R]) -> st.SearchStrategy[R]:
    """Records of a class."""
    return st.tuples(*(field_values(field.type) for field in shape(record))).map(lambda values: record(*values))
