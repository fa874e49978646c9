"""Signed records: one class gives the type string, the digest and the ABI bytes that others compute alike."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from eth_abi.abi import encode as abi_encode
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import abi, records, typed_data
from ledger.domain.errors import InvalidInputError
from ledger.domain.record import ArrayType, FieldType, Record, RecordType, shape
from tests.domain.strategies import addresses, records_of

ALL = list(records.CONTRACTS)


def eth_abi_type(field_type: FieldType) -> str:
    if isinstance(field_type, ArrayType):
        return eth_abi_type(field_type.element) + "[]"
    if isinstance(field_type, RecordType):
        return "(" + ",".join(eth_abi_type(field.type) for field in shape(field_type.record)) + ")"
    return field_type.solidity


def plain(value: object) -> Any:
    if isinstance(value, Record):
        return tuple(plain(getattr(value, field.name)) for field in shape(type(value)))
    if isinstance(value, tuple):
        return [plain(element) for element in value]
    return value


def full_digest(request: dict[str, Any]) -> bytes:
    """The digest as eth-account computes it from the wallet request."""
    integers = _integers(request["message"], request["primaryType"], request["types"])
    message = encode_typed_data(full_message={**request, "message": integers})
    return keccak(b"\x19" + message.version + message.header + message.body)


def _integers(value: Any, kind: str, types: dict[str, Any]) -> Any:
    if kind.endswith("[]"):
        return [_integers(element, kind[:-2], types) for element in value]
    if kind in types:
        return {member["name"]: _integers(value[member["name"]], member["type"], types) for member in types[kind]}
    return int(value) if kind.startswith("uint") else value


@given(st.sampled_from(ALL).flatmap(records_of), st.integers(0, 2**53), addresses)
def test_digest_equals_eth_account(record: Record, chain_id: int, contract: bytes) -> None:
    domain = typed_data.Domain(chain_id, contract)
    assert typed_data.digest(domain, record) == full_digest(typed_data.as_json(domain, record))


@pytest.mark.parametrize("record", [records.Terms, records.Grant, records.Propose])
@given(st.data())
def test_nested_digests_equal_eth_account(record: type[Record], data: st.DataObject) -> None:
    value = data.draw(records_of(record))
    domain = typed_data.Domain(1, b"\1" * 20)
    assert typed_data.digest(domain, value) == full_digest(typed_data.as_json(domain, value))


@given(st.sampled_from([*ALL, records.Terms, records.Grant]).flatmap(records_of))
def test_abi_bytes_equal_eth_abi_and_decode_back(record: Record) -> None:
    fields = shape(type(record))
    wanted = abi_encode([eth_abi_type(field.type) for field in fields], plain(record))
    assert abi.encode(record) == wanted
    assert abi.decode(type(record), wanted) == record


@given(records_of(records.Propose), st.data())
def test_decode_refuses_altered_abi_bytes_or_gives_another_record(record: records.Propose, data: st.DataObject) -> None:
    encoded = bytearray(abi.encode(record))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    try:
        other = abi.decode(records.Propose, bytes(encoded))
    except InvalidInputError:
        return
    assert other != record
    assert abi.encode(other) == bytes(encoded)


@pytest.mark.parametrize("cut", [0, 1, 31, 32, 33])
def test_decode_refuses_truncated_and_overlong_bytes(cut: int) -> None:
    terms = records.Terms(b"\1" * 32, 1, b"\2" * 32, (b"\2" * 32,), b"\0" * 32, b"\0" * 32, 0, ())
    encoded = abi.encode(terms)
    with pytest.raises(InvalidInputError):
        abi.decode(records.Terms, encoded[: len(encoded) - cut - 1])
    with pytest.raises(InvalidInputError):
        abi.decode(records.Terms, encoded + bytes(cut + 1))


def test_decode_refuses_a_length_that_no_data_can_fill() -> None:
    terms = records.Terms(b"\1" * 32, 1, b"\2" * 32, (), b"\0" * 32, b"\0" * 32, 0, ())
    encoded = bytearray(abi.encode(terms))
    encoded[8 * 32 : 9 * 32] = b"\xff" * 32
    with pytest.raises(InvalidInputError, match="length"):
        abi.decode(records.Terms, bytes(encoded))


def test_type_strings_read_as_in_the_contracts() -> None:
    grant = (
        "Grant(bytes32 dataset,uint32 datasetVersion,bytes32 recipient,bytes32 purpose,"
        "uint8 delivery,uint64 validFrom,uint64 validTo)"
    )
    terms = (
        "Terms(bytes32 agreement,uint32 version,bytes32 provider,bytes32[] parties,"
        "bytes32 text,bytes32 review,uint64 reviewValidUntil,Grant[] grants)"
    )
    assert typed_data.type_string(records.Grant) == grant
    assert typed_data.type_string(records.Terms) == terms + grant
    assert (
        typed_data.type_string(records.Propose)
        == "Propose(bytes32 post,Terms terms,uint256 nonce,uint64 deadline)" + grant + terms
    )
    assert typed_data.type_hash(records.Grant) == keccak(text=grant)


@pytest.mark.parametrize("record", ALL)
def test_signed_records_start_with_the_actor_and_end_with_nonce_and_deadline(record: type[Record]) -> None:
    names = [field.name for field in shape(record)]
    assert names[0] in {"post", "agency"}
    assert names[-2:] == ["nonce", "deadline"]
    assert all(field.default is dataclasses.MISSING for field in dataclasses.fields(record))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("post", b"\0" * 31),
        ("post", "0x" + "00" * 32),
        ("version", -1),
        ("version", 2**32),
        ("version", True),
        ("version", 1.0),
        ("nonce", 2**256),
        ("deadline", 2**64),
    ],
)
def test_a_value_out_of_range_makes_no_record(field: str, value: object) -> None:
    good = {
        "post": b"\0" * 32,
        "agreement": b"\0" * 32,
        "version": 1,
        "terms_hash": b"\0" * 32,
        "nonce": 0,
        "deadline": 0,
    }
    with pytest.raises(InvalidInputError, match=f"Sign.{field}"):
        records.Sign(**{**good, field: value})  # type: ignore[arg-type]


def test_nested_values_are_checked() -> None:
    with pytest.raises(InvalidInputError, match=r"parties\[1\]"):
        records.Terms(b"\1" * 32, 1, b"\2" * 32, (b"\2" * 32, b""), b"\0" * 32, b"\0" * 32, 0, ())
    with pytest.raises(InvalidInputError, match="grants"):
        records.Terms(b"\1" * 32, 1, b"\2" * 32, (), b"\0" * 32, b"\0" * 32, 0, [])  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match=r"grants\[0\]"):
        records.Terms(b"\1" * 32, 1, b"\2" * 32, (), b"\0" * 32, b"\0" * 32, 0, (1,))  # type: ignore[arg-type]
