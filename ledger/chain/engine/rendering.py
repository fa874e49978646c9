"""Stored blocks, transactions and receipts in the shapes that JSON-RPC clients expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.chain.engine.transaction import parse
from ledger.chain.raw_transaction import created_address
from ledger.chain.rpc import to_hex, to_quantity
from ledger.domain import rlp
from ledger.domain.keccak import keccak256

if TYPE_CHECKING:
    from ledger.chain.engine.transaction import Transaction
    from ledger.service.ports import BlockBundle, BlockRef, ChainReceipt, RawLog

__all__ = ["render_block", "render_log", "render_receipt", "render_transaction"]

_HEADER_FIELDS = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty",
    "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas",
)  # fmt: skip
_NUMBERS = frozenset({"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"})


def render_block(bundle: BlockBundle, *, with_transactions: bool) -> dict[str, Any]:
    """Return a block as ``eth_getBlockByNumber`` shows it."""
    fields = rlp.decode(bundle.header_rlp)
    shown: dict[str, Any] = {"hash": to_hex(bundle.ref.hash)}
    for name, field in zip(_HEADER_FIELDS, fields, strict=False):
        if isinstance(field, bytes):
            shown[name] = to_quantity(rlp.to_int(field)) if name in _NUMBERS else to_hex(field)
    size = len(rlp.encode_list([bundle.header_rlp, *bundle.transactions, b"\xc0"]))
    transactions: list[Any]
    if with_transactions:
        transactions = [
            render_transaction(parse(raw), bundle.ref, place) for place, raw in enumerate(bundle.transactions)
        ]
    else:
        transactions = [to_hex(keccak256(raw)) for raw in bundle.transactions]
    return {**shown, "size": to_quantity(size), "uncles": [], "totalDifficulty": "0x0", "transactions": transactions}


def render_transaction(tx: Transaction, block: BlockRef | None, index: int | None) -> dict[str, Any]:
    """Return a transaction as ``eth_getTransactionByHash`` shows it; without a block it is pending."""
    shown: dict[str, Any] = {
        "hash": to_hex(tx.hash),
        "type": to_quantity(tx.type),
        "chainId": to_quantity(tx.chain_id),
        "from": to_hex(tx.sender),
        "nonce": to_quantity(tx.nonce),
        "gas": to_quantity(tx.gas),
        "gasPrice": to_quantity(tx.fee_max if tx.type < 2 else 0),
        "to": to_hex(tx.to) if tx.to else None,
        "value": to_quantity(tx.value),
        "input": to_hex(tx.data),
        "v": to_quantity(tx.v),
        "r": to_quantity(tx.r),
        "s": to_quantity(tx.s),
        "blockHash": None if block is None else to_hex(block.hash),
        "blockNumber": None if block is None else to_quantity(block.number),
        "transactionIndex": None if index is None else to_quantity(index),
    }
    if tx.type:
        shown["yParity"] = to_quantity(tx.v)
        shown["accessList"] = [
            {"address": to_hex(address), "storageKeys": [to_hex(key) for key in keys]}
            for address, keys in tx.access_list
        ]
    if tx.type == 2:
        shown |= {"maxFeePerGas": to_quantity(tx.fee_max), "maxPriorityFeePerGas": to_quantity(tx.tip_max)}
    return shown


def render_receipt(receipt: ChainReceipt, raw_receipt: bytes, tx: Transaction) -> dict[str, Any]:
    """Return a receipt as ``eth_getTransactionReceipt`` shows it."""
    fields = rlp.decode(raw_receipt[1:] if raw_receipt[0] < 0xC0 else raw_receipt)
    cumulative, bloom = (field if isinstance(field, bytes) else b"" for field in fields[1:3])
    return {
        "type": to_quantity(tx.type),
        "status": to_quantity(receipt.status),
        "cumulativeGasUsed": to_quantity(int.from_bytes(cumulative, "big")),
        "logsBloom": to_hex(bytes(bloom)),
        "logs": [render_log(log) for log in receipt.logs],
        "transactionHash": to_hex(receipt.tx_hash),
        "transactionIndex": to_quantity(receipt.tx_index),
        "blockHash": to_hex(receipt.block_hash),
        "blockNumber": to_quantity(receipt.block_number),
        "gasUsed": to_quantity(receipt.gas_used),
        "effectiveGasPrice": "0x0",
        "from": to_hex(tx.sender),
        "to": to_hex(tx.to) if tx.to else None,
        "contractAddress": to_hex(created_address(tx.sender, tx.nonce)) if tx.is_creation else None,
    }


def render_log(log: RawLog) -> dict[str, Any]:
    """Return a log as ``eth_getLogs`` shows it."""
    return {
        "address": to_hex(log.address),
        "topics": [to_hex(topic) for topic in log.topics],
        "data": to_hex(log.data),
        "blockNumber": to_quantity(log.block_number),
        "blockHash": to_hex(log.block_hash),
        "transactionHash": to_hex(log.tx_hash),
        "transactionIndex": to_quantity(log.tx_index),
        "logIndex": to_quantity(log.log_index),
        "removed": False,
    }
