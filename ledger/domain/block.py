"""Headers and receipts in consensus form, read strictly from their bytes.

header = decode_header(raw)     # header.hash is what parents, seals and leaves name it by
receipt = decode_receipt(raw)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.domain import rlp
from ledger.domain.keccak import keccak256
from ledger.domain.scalars import WORD_BYTES

__all__ = ["Header", "Log", "Receipt", "decode_header", "decode_receipt"]

Log = tuple[bytes, tuple[bytes, ...], bytes]
"""Address, topics and data."""

_FIELDS_MIN: Final = 15
_SIZES: Final = {0: 32, 3: 32, 4: 32, 5: 32, 6: 256}
"""Bytes of the fields that have one size: parent, state, transactions and receipts root, bloom."""


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header that we use, and its bytes."""

    rlp: bytes
    hash: bytes
    parent_hash: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    bloom: bytes
    number: int
    gas_used: int
    timestamp: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt in consensus form."""

    type: int
    status: int
    cumulative_gas: int
    bloom: bytes
    logs: tuple[Log, ...]


def decode_header(raw: bytes) -> Header:
    """Return the header that these bytes are.

    Raises:
        ValueError: They are no header.
    """
    fields = rlp.decode(raw)
    if not isinstance(fields, list) or len(fields) < _FIELDS_MIN:
        raise ValueError("a header has at least fifteen fields")
    flat = [field for field in fields if isinstance(field, bytes)]
    if len(flat) != len(fields):
        raise ValueError("a header holds no lists")
    if any(len(flat[place]) != size for place, size in _SIZES.items()):
        raise ValueError("a hash, root or bloom of the header has another size")
    return Header(
        rlp=raw,
        hash=keccak256(raw),
        parent_hash=flat[0],
        state_root=flat[3],
        transactions_root=flat[4],
        receipts_root=flat[5],
        bloom=flat[6],
        number=rlp.to_int(flat[8]),
        gas_used=rlp.to_int(flat[10]),
        timestamp=rlp.to_int(flat[11]),
    )


def decode_receipt(raw: bytes) -> Receipt:
    """Return the receipt that these bytes are.

    Raises:
        ValueError: They are no receipt.
    """
    kind = raw[0] if raw and raw[0] < 0xC0 else 0
    fields = rlp.decode(raw[1:] if kind else raw)
    match fields:
        case [bytes(status), bytes(gas), bytes(bloom), list(logs)]:
            return Receipt(kind, rlp.to_int(status), rlp.to_int(gas), bloom, tuple(_log(log) for log in logs))
        case _:
            raise ValueError("a receipt has status, gas, bloom and logs")


def _log(fields: rlp.RLP) -> Log:
    match fields:
        case [bytes(address), list(topics), bytes(data)]:
            words = tuple(topic for topic in topics if isinstance(topic, bytes) and len(topic) == WORD_BYTES)
            if len(words) == len(topics):
                return address, words, data
        case _:
            pass
    raise ValueError("a log has an address, topics of 32 bytes and data")
