"""Signed transactions as bytes: reading them strictly, and rebuilding them from a node's JSON.

Types 0 (with EIP-155), 1 and 2 are what a London chain takes. ``parse`` recovers the sender, so a transaction that
parses was signed by the account it names for the chain it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import coincurve

from ledger.chain.rpc import from_quantity, unhex
from ledger.domain import rlp
from ledger.domain.errors import InvalidInputError
from ledger.domain.keccak import keccak256

__all__ = ["AccessList", "Transaction", "encode_json", "parse", "recover"]

AccessList = tuple[tuple[bytes, tuple[bytes, ...]], ...]

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_NONCE_MAX: Final = 2**63 - 1
"""EIP-2681 allows 2**64 - 2; SQLite's integers end here, and no account sends that many."""
_UINT256_MAX: Final = 2**256 - 1
_FIELDS: Final = {0: 9, 1: 11, 2: 12}


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction and all that its bytes say."""

    raw: bytes
    hash: bytes
    type: int
    chain_id: int
    sender: bytes
    nonce: int
    gas: int
    fee_max: int
    tip_max: int
    to: bytes
    value: int
    data: bytes
    access_list: AccessList
    v: int
    r: int
    s: int

    @property
    def is_creation(self) -> bool:
        """It would create a contract."""
        return not self.to

    def intrinsic_gas(self) -> int:
        """Return what a London chain charges before the first instruction runs."""
        zeros = self.data.count(0)
        gas = 21_000 + 4 * zeros + 16 * (len(self.data) - zeros) + (32_000 if self.is_creation else 0)
        return gas + sum(2_400 + 1_900 * len(keys) for _, keys in self.access_list)


def parse(raw: bytes) -> Transaction:
    """Return the transaction that these bytes are, its sender recovered.

    Raises:
        InvalidInputError: They are no canonical transaction of type 0, 1 or 2, are not bound to a chain id, or carry
            no valid low-s signature.
    """
    if not raw:
        raise InvalidInputError("raw_transaction", raw, "a signed transaction")
    kind = 0 if raw[0] >= 0xC0 else raw[0]
    if kind not in _FIELDS or (kind == 0 and raw[0] < 0xC0):
        raise InvalidInputError("raw_transaction", raw[:1], "a transaction of type 0, 1 or 2")
    try:
        fields = rlp.decode(raw if kind == 0 else raw[1:])
        if not isinstance(fields, list) or len(fields) != _FIELDS[kind]:
            raise ValueError(f"a transaction of type {kind} has {_FIELDS[kind]} fields")
        return _legacy(raw, fields) if kind == 0 else _typed(raw, kind, fields)
    except ValueError as error:
        raise InvalidInputError("raw_transaction", raw, f"a signed transaction; {error}") from error


def _legacy(raw: bytes, fields: list[rlp.RLP]) -> Transaction:
    v, r, s = (_scalar(field) for field in fields[6:])
    if v < 35:
        raise ValueError("it is not bound to a chain id (EIP-155)")
    chain_id, parity = divmod(v - 35, 2)
    unsigned = [rlp.encode(field) for field in fields[:6]]
    digest = keccak256(rlp.encode_list([*unsigned, rlp.encode_int(chain_id), b"\x80", b"\x80"]))
    price = _scalar(fields[1])
    return Transaction(
        raw=raw,
        hash=keccak256(raw),
        type=0,
        chain_id=chain_id,
        sender=_sender(digest, parity, r, s),
        nonce=_nonce(fields[0]),
        gas=_scalar(fields[2]),
        fee_max=price,
        tip_max=price,
        to=_to(fields[3]),
        value=_scalar(fields[4]),
        data=_bytes(fields[5]),
        access_list=(),
        v=v,
        r=r,
        s=s,
    )


def _typed(raw: bytes, kind: int, fields: list[rlp.RLP]) -> Transaction:
    parity, r, s = (_scalar(field) for field in fields[-3:])
    if parity > 1:
        raise ValueError("the signature's parity is 0 or 1")
    digest = keccak256(bytes((kind,)) + rlp.encode_list([rlp.encode(field) for field in fields[:-3]]))
    tip, fee = (_scalar(fields[2]), _scalar(fields[2 if kind == 1 else 3]))
    if tip > fee:
        raise ValueError("its tip is above its fee")
    gas, to, value, data, access = fields[-8:-3]
    return Transaction(
        raw=raw,
        hash=keccak256(raw),
        type=kind,
        chain_id=_scalar(fields[0]),
        sender=_sender(digest, parity, r, s),
        nonce=_nonce(fields[1]),
        gas=_scalar(gas),
        fee_max=fee,
        tip_max=tip,
        to=_to(to),
        value=_scalar(value),
        data=_bytes(data),
        access_list=_access_list(access),
        v=parity,
        r=r,
        s=s,
    )


def _scalar(field: rlp.RLP) -> int:
    number = rlp.to_int(field)
    if number > _UINT256_MAX:
        raise ValueError("a number is above 256 bits")
    return number


def _nonce(field: rlp.RLP) -> int:
    number = rlp.to_int(field)
    if number > _NONCE_MAX:
        raise ValueError("its nonce is too large")
    return number


def _bytes(field: rlp.RLP) -> bytes:
    if isinstance(field, list):
        raise ValueError("a list stands where bytes were due")
    return field


def _to(field: rlp.RLP) -> bytes:
    address = _bytes(field)
    if len(address) not in {0, 20}:
        raise ValueError("its recipient is no address")
    return address


def _access_list(field: rlp.RLP) -> AccessList:
    if not isinstance(field, list):
        raise ValueError("its access list is no list")
    entries: list[tuple[bytes, tuple[bytes, ...]]] = []
    for entry in field:
        if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[1], list):
            raise ValueError("its access list is malformed")
        address, keys = _bytes(entry[0]), tuple(_bytes(key) for key in entry[1])
        if len(address) != 20 or any(len(key) != 32 for key in keys):
            raise ValueError("its access list is malformed")
        entries.append((address, keys))
    return tuple(entries)


def _sender(digest: bytes, parity: int, r: int, s: int) -> bytes:
    if not 0 < r < _ORDER or not 0 < s <= _ORDER // 2:
        raise ValueError("its signature is not a low-s secp256k1 signature (EIP-2)")
    return recover(digest, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((parity,)))


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the address whose key made this signature (r, s and a parity of 0, 1, 27 or 28).

    Raises:
        ValueError: No key can have made it.
    """
    if len(signature) != 65:
        raise ValueError("a signature has 65 bytes")
    parity = signature[64] - 27 if signature[64] >= 27 else signature[64]
    if parity not in {0, 1}:
        raise ValueError("the signature's parity is neither 0 nor 1")
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature[:64] + bytes((parity,)), digest, hasher=None)
    except Exception as error:
        # coincurve raises bare Exceptions for points that are not on the curve.
        raise ValueError("the signature belongs to no key") from error
    return keccak256(key.format(compressed=False)[1:])[12:]


def encode_json(found: dict[str, Any]) -> bytes:
    """Return the raw bytes of a transaction that a node shows as JSON; the caller compares the hash.

    Raises:
        UnavailableError: A field is missing or malformed.
        ValueError: Its type is not 0, 1 or 2.
    """
    kind = from_quantity(found.get("type") or "0x0")
    if kind not in _FIELDS:
        raise ValueError(f"transaction type {kind} is not read here")
    to = rlp.encode_bytes(unhex(found["to"]) if found.get("to") else b"")
    gas, value, nonce = (rlp.encode_int(from_quantity(found.get(name))) for name in ("gas", "value", "nonce"))
    data = rlp.encode_bytes(unhex(found.get("input")))
    r, s = (rlp.encode_int(from_quantity(found.get(name))) for name in ("r", "s"))
    if kind == 0:
        price, v = (rlp.encode_int(from_quantity(found.get(name))) for name in ("gasPrice", "v"))
        return rlp.encode_list([nonce, price, gas, to, value, data, v, r, s])
    chain_id = rlp.encode_int(from_quantity(found.get("chainId")))
    parity = rlp.encode_int(from_quantity(found.get("yParity") or found.get("v")))
    access: rlp.RLP = [
        [unhex(entry["address"]), [unhex(key) for key in entry["storageKeys"]]]
        for entry in found.get("accessList") or ()
    ]
    names = ("gasPrice",) if kind == 1 else ("maxPriorityFeePerGas", "maxFeePerGas")
    fees = [rlp.encode_int(from_quantity(found.get(name))) for name in names]
    body = [chain_id, nonce, *fees, gas, to, value, data, rlp.encode(access), parity, r, s]
    return bytes((kind,)) + rlp.encode_list(body)
