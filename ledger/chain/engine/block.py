"""Headers and receipts in consensus form, rebuilt from a node's JSON and checked against the hashes they must give.

A node is a witness that may lie or be late. ``check_block`` recomputes the header's hash from its fields, the
transactions' root from raw bytes and the receipts' root from re-encoded receipts, so a block that passes is exactly the
one that its hash names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.chain.rpc import from_quantity, unhex
from ledger.domain import rlp
from ledger.domain.block import Header, Receipt, decode_header, decode_receipt
from ledger.domain.keccak import keccak256
from ledger.domain.ordered_trie import ordered_trie_root

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CheckedBlock", "CheckedReceipt", "Header", "Receipt", "check_block", "decode_header", "decode_receipt",
    "header_from_json", "receipt_from_json",
]  # fmt: skip

_FIXED: Final = (
    ("parentHash", False), ("sha3Uncles", False), ("miner", False), ("stateRoot", False), ("transactionsRoot", False),
    ("receiptsRoot", False), ("logsBloom", False), ("difficulty", True), ("number", True), ("gasLimit", True),
    ("gasUsed", True), ("timestamp", True), ("extraData", False), ("mixHash", False), ("nonce", False),
)  # fmt: skip
_LATER: Final = (
    ("baseFeePerGas", True), ("withdrawalsRoot", False), ("blobGasUsed", True), ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False), ("requestsHash", False),
)  # fmt: skip
"""Fields that later forks appended, each name with whether it is a number."""


@dataclass(frozen=True, slots=True)
class CheckedReceipt:
    """A receipt's bytes, its own gas and the index of its first log in the block."""

    rlp: bytes
    status: int
    gas_used: int
    first_log: int
    log_count: int


@dataclass(frozen=True, slots=True)
class CheckedBlock:
    """A block whose header, transactions and receipts agree."""

    header: Header
    receipts: tuple[CheckedReceipt, ...]


def header_from_json(found: dict[str, Any]) -> Header:
    """Return the header that a node shows as JSON, with the hash that its fields really give.

    Optional fields are taken in the order of the forks that brought them. A node may show a field that the fork in
    force does not hash (anvil's genesis does), so the longest list of fields that gives the hash shown is the header.

    Raises:
        UnavailableError: A field is missing or malformed.
        ValueError: No list of fields gives the hash that the node shows.
    """
    shown = unhex(found.get("hash"))
    fields = [_field(found, name, number) for name, number in _FIXED]
    candidates = [fields[:]]
    for name, number in _LATER:
        if found.get(name) is not None:
            fields.append(_field(found, name, number))
            candidates.append(fields[:])
    for candidate in reversed(candidates):
        raw = rlp.encode_list(candidate)
        if keccak256(raw) == shown:
            return decode_header(raw)
    raise ValueError(f"the header's fields do not give the hash 0x{shown.hex()} that the node shows")


def _field(found: dict[str, Any], name: str, number: bool) -> bytes:
    return rlp.encode_int(from_quantity(found.get(name))) if number else rlp.encode_bytes(unhex(found.get(name)))


def receipt_from_json(found: dict[str, Any]) -> bytes:
    """Return the consensus encoding of a receipt that a node shows as JSON.

    Raises:
        UnavailableError: A field is missing or malformed.
    """
    logs = [
        rlp.encode_list(
            [
                rlp.encode_bytes(unhex(log.get("address"))),
                rlp.encode_list([rlp.encode_bytes(unhex(topic)) for topic in log.get("topics") or ()]),
                rlp.encode_bytes(unhex(log.get("data"))),
            ]
        )
        for log in found.get("logs") or ()
    ]
    body = rlp.encode_list(
        [
            rlp.encode_int(from_quantity(found.get("status"))),
            rlp.encode_int(from_quantity(found.get("cumulativeGasUsed"))),
            rlp.encode_bytes(unhex(found.get("logsBloom"))),
            rlp.encode_list(logs),
        ]
    )
    kind = from_quantity(found.get("type") or "0x0")
    return bytes((kind,)) + body if kind else body


def check_block(
    shown: dict[str, Any], receipts: Sequence[dict[str, Any]], raw_transactions: Sequence[bytes]
) -> CheckedBlock:
    """Return the block that a node shows, once every hash in it is recomputed.

    1. The header's fields give its hash.
    2. The raw transactions, in this order, give its transactions root.
    3. The receipts give its receipts root, and their blooms its bloom.
    4. The last receipt's cumulative gas is the header's, and cumulative gas never falls.

    Raises:
        UnavailableError: The answer lacks a field.
        ValueError: Something does not give the hash that it must.
    """
    header = header_from_json(shown)
    if ordered_trie_root(raw_transactions) != header.transactions_root:
        raise ValueError("its transactions are not the ones given, in this order")
    encoded = [receipt_from_json(receipt) for receipt in receipts]
    if ordered_trie_root(encoded) != header.receipts_root:
        raise ValueError("its receipts do not give its receipts root")
    checked: list[CheckedReceipt] = []
    bloom, gas_before, first_log = 0, 0, 0
    for raw, found in zip(encoded, receipts, strict=True):
        cumulative = from_quantity(found.get("cumulativeGasUsed"))
        if cumulative < gas_before:
            raise ValueError("its cumulative gas falls")
        count = len(found.get("logs") or ())
        status = from_quantity(found.get("status"))
        checked.append(CheckedReceipt(raw, status, cumulative - gas_before, first_log, count))
        bloom |= from_quantity(found.get("logsBloom"))
        gas_before, first_log = cumulative, first_log + count
    if gas_before != header.gas_used:
        raise ValueError("its receipts' gas is not the header's")
    if bloom != int.from_bytes(header.bloom, "big"):
        raise ValueError("its receipts' blooms do not give the header's")
    return CheckedBlock(header, tuple(checked))
