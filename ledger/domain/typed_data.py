"""EIP-712 from record classes: type string, type hash, struct hash, domain separator and digest.

domain = Domain(chain_id=…, verifying_contract=…)
digest(domain, Sign(post=…, agreement=…, …))      # what the post's key signs
as_json(domain, record)                           # what a browser wallet is asked to sign
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ledger.domain.keccak import keccak256, keccak256_text
from ledger.domain.record import ArrayType, FieldType, Record, RecordType, shape
from ledger.domain.scalars import WORD_BYTES, Scalar, encode_word

if TYPE_CHECKING:
    from ledger.domain.canonical import Json

NAME: Final = "Quanze"
VERSION: Final = "1"

_DOMAIN_FIELDS: Final = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
)
_DOMAIN_TYPE_HASH: Final = keccak256_text(
    "EIP712Domain(" + ",".join(f"{kind} {name}" for name, kind in _DOMAIN_FIELDS) + ")"
)

_type_hashes: Final[dict[type[Record], bytes]] = {}


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a signature counts: one deployment's contract on one chain."""

    chain_id: int
    verifying_contract: bytes

    def separator(self) -> bytes:
        """Return the EIP-712 domain separator."""
        return _separator(self.chain_id, self.verifying_contract)


def type_string(record: type[Record]) -> str:
    """Return ``encodeType``: the record's own type, then the types it uses, by name."""
    used: dict[str, type[Record]] = {}
    _collect(record, used)
    others = sorted(name for name in used if name != record.__name__)
    return _own_type(record) + "".join(_own_type(used[name]) for name in others)


def type_hash(record: type[Record]) -> bytes:
    """Return keccak256 of the type string."""
    known = _type_hashes.get(record)
    if known is None:
        known = _type_hashes[record] = keccak256_text(type_string(record))
    return known


def struct_hash(record: Record) -> bytes:
    """Return EIP-712's ``hashStruct``."""
    parts = [type_hash(type(record))]
    parts += [_encode(field.type, getattr(record, field.name)) for field in shape(type(record))]
    return keccak256(b"".join(parts))


def digest(domain: Domain, record: Record) -> bytes:
    """Return the 32 bytes that a key signs for ``record`` in ``domain``."""
    return keccak256(b"\x19\x01" + domain.separator() + struct_hash(record))


def as_json(domain: Domain, record: Record) -> dict[str, Json]:
    """Return the ``eth_signTypedData_v4`` request; integers travel as decimal text, bytes as 0x hex."""
    used: dict[str, type[Record]] = {}
    _collect(type(record), used)
    types: dict[str, Json] = {"EIP712Domain": [{"name": name, "type": kind} for name, kind in _DOMAIN_FIELDS]}
    for name, used_record in used.items():
        types[name] = [{"name": field.solidity_name, "type": type_name(field.type)} for field in shape(used_record)]
    return {
        "types": types,
        "primaryType": type(record).__name__,
        "domain": {
            "name": NAME,
            "version": VERSION,
            "chainId": domain.chain_id,
            "verifyingContract": "0x" + domain.verifying_contract.hex(),
        },
        "message": _message(record),
    }


def type_name(field_type: FieldType) -> str:
    """Return a field's type as EIP-712 writes it: ``bytes32``, ``Grant[]``."""
    match field_type:
        case Scalar():
            return field_type.solidity
        case ArrayType():
            return type_name(field_type.element) + "[]"
        case RecordType():
            return field_type.record.__name__


@lru_cache(maxsize=256)
def _separator(chain_id: int, verifying_contract: bytes) -> bytes:
    return keccak256(
        _DOMAIN_TYPE_HASH
        + keccak256_text(NAME)
        + keccak256_text(VERSION)
        + chain_id.to_bytes(WORD_BYTES, "big")
        + verifying_contract.rjust(WORD_BYTES, b"\0")
    )


def _own_type(record: type[Record]) -> str:
    fields = ",".join(f"{type_name(field.type)} {field.solidity_name}" for field in shape(record))
    return f"{record.__name__}({fields})"


def _collect(record: type[Record], used: dict[str, type[Record]]) -> None:
    if record.__name__ in used:
        return
    used[record.__name__] = record
    for field in shape(record):
        field_type = field.type
        while isinstance(field_type, ArrayType):
            field_type = field_type.element
        if isinstance(field_type, RecordType):
            _collect(field_type.record, used)


def _encode(field_type: FieldType, value: object) -> bytes:
    match field_type:
        case Scalar():
            return encode_word(value)  # type: ignore[arg-type]  # The record checked it when it was made.
        case ArrayType():
            elements = (_encode(field_type.element, element) for element in value)  # type: ignore[attr-defined]
            return keccak256(b"".join(elements))
        case RecordType():
            return struct_hash(value)  # type: ignore[arg-type]


def _message(record: Record) -> dict[str, Json]:
    return {field.solidity_name: _json(getattr(record, field.name)) for field in shape(type(record))}


def _json(value: object) -> Json:
    match value:
        case bool():
            return value
        case int():
            return str(value)
        case bytes():
            return "0x" + value.hex()
        case tuple():
            return [_json(element) for element in value]
        case Record():
            return _message(value)
        case _:
            raise TypeError(f"no JSON form for {type(value).__name__}")
