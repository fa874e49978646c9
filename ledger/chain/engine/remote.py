"""Any JSON-RPC network behind the port ``Chain``: the second adapter, chosen by ``QUANZE_CHAIN_URL``.

    chain = RemoteChain("http://10.0.0.5:8545", finality=FinalityDepth(3))
    bundle = chain.block(chain.final_block().number)

The network is a witness that may lie or be late: headers, transactions and receipts are turned into their consensus
bytes and checked against the hashes they must give before anyone sees them. What is final is a setting: so many blocks
on top, or the node's own ``finalized``.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from ledger.chain.engine.block import check_block, header_from_json
from ledger.chain.engine.clique import clique_seal
from ledger.chain.engine.state_reads import read_code, read_proofs, simulate, view
from ledger.chain.engine.transaction import encode_json, parse
from ledger.chain.rpc import Call, RPCClient, RPCError, from_quantity, to_hex, to_quantity, unhex
from ledger.domain.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError, UnavailableError
from ledger.domain.keccak import keccak256
from ledger.service.ports import BlockBundle, BlockHeader, BlockRef, ChainReceipt, RawLog, Seal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from ledger.chain.engine.block import Header
    from ledger.service.ports import Simulation, StateProof

__all__ = ["FinalityDepth", "FinalizedTag", "RemoteChain"]

_POLL_S: Final = 0.1
"""Receipts are asked for this often; a network's blocks come seconds apart."""
_HEADERS_AT_ONCE: Final = 100
_KNOWN: Final = ("already known", "already imported", "known transaction", "already exists")
_NONCE: Final = ("nonce too low", "replacement transaction underpriced", "nonce is too low", "oldnonce")
_LATER: Final = ("pool is full", "txpool is full", "queued", "nonce too high", "nonce gap", "not synced", "syncing")
_INTERNAL_ERROR: Final = -32603


@dataclass(frozen=True, slots=True)
class FinalityDepth:
    """A block is final once ``blocks`` others are on top of it."""

    blocks: int


@dataclass(frozen=True, slots=True)
class FinalizedTag:
    """A block is final when the node's ``finalized`` says so."""


class RemoteChain:
    """Implements ``ledger.service.ports.Chain`` over HTTP. Safe to share between threads.

    Args:
        url: The network's endpoint.
        finality: What counts as final.
        chain_id: The id that the endpoint must have; without it, the endpoint's own is taken.
        timeout_s: The longest wait for one answer.
    """

    def __init__(
        self,
        url: str,
        *,
        finality: FinalityDepth | FinalizedTag = FinalityDepth(0),
        chain_id: int | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        self._rpc = RPCClient(url, timeout_s=timeout_s)
        self._finality = finality
        self._wanted_chain_id = chain_id
        self._chain_id: int | None = None
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; those who wait for receipts are told."""
        self._closed.set()
        self._rpc.close()

    # Transactions.

    def chain_id(self) -> int:
        """Return the network's chain id.

        Raises:
            IntegrityError: It is not the one that this deployment is on.
        """
        if self._chain_id is None:
            found = from_quantity(self._rpc.call("eth_chainId"))
            if self._wanted_chain_id not in {None, found}:
                raise IntegrityError(
                    "the chain", "the endpoint is of another chain", found=found, wanted=self._wanted_chain_id
                )
            self._chain_id = found
        return self._chain_id

    def submit(self, raw_transaction: bytes) -> bytes:
        """Return the transaction's hash once the node has it; the same bytes may be given again.

        Raises:
            InvalidInputError: The network can never take it.
            ConflictError: Another transaction of the sender has its nonce.
            UnavailableError: The node did not answer, or cannot take it at present.
        """
        tx = parse(raw_transaction)
        if tx.chain_id != self.chain_id():
            raise InvalidInputError("chain_id", tx.chain_id, f"{self.chain_id()}, this chain's id")
        try:
            answered = unhex(self._rpc.call("eth_sendRawTransaction", to_hex(raw_transaction)))
        except RPCError as error:
            self._explain_refusal(tx.hash, tx.nonce, error)
            return tx.hash
        if answered != tx.hash:
            raise UnavailableError("chain node", "it answered with the hash of another transaction", found=answered)
        return tx.hash

    def _explain_refusal(self, tx_hash: bytes, nonce: int, error: RPCError) -> None:
        """Return if the node has the transaction after all; raise what its refusal means otherwise."""
        message = error.message.lower()
        if any(text in message for text in _KNOWN):
            return
        if any(text in message for text in _NONCE):
            if self._rpc.call("eth_getTransactionByHash", to_hex(tx_hash)) is not None:
                return
            raise ConflictError("nonce", error.message, nonce=nonce, given=tx_hash) from error
        if error.number == _INTERNAL_ERROR or any(text in message for text in _LATER):
            raise UnavailableError("chain node", error.message) from error
        raise InvalidInputError(
            "raw_transaction", tx_hash, f"one that the node takes; it says: {error.message}"
        ) from error

    def nonce(self, address: bytes) -> int:
        """Return the nonce that the account's next transaction should carry, those in the node's pool counted."""
        return from_quantity(self._rpc.call("eth_getTransactionCount", to_hex(address), "pending"))

    def receipt(self, tx_hash: bytes) -> ChainReceipt | None:
        """Return what became of a transaction, or None while it is in no block.

        The block may still be replaced; compare ``block_number`` with ``final_block``.
        """
        found = self._rpc.call("eth_getTransactionReceipt", to_hex(tx_hash))
        if found is None or found.get("blockHash") is None:
            return None
        status = from_quantity(found.get("status"))
        return ChainReceipt(
            tx_hash=unhex(found.get("transactionHash")),
            block_number=from_quantity(found.get("blockNumber")),
            block_hash=unhex(found.get("blockHash")),
            tx_index=from_quantity(found.get("transactionIndex")),
            status=status,
            gas_used=from_quantity(found.get("gasUsed")),
            logs=tuple(_log(log) for log in found.get("logs") or ()),
            revert=b"" if status == 1 else self._revert_data(tx_hash),
        )

    def _revert_data(self, tx_hash: bytes) -> bytes:
        """Return what a reverted transaction returned: from a trace, else by calling it again before its block.

        Nodes keep no return data in receipts. Empty bytes mean that this one cannot tell.
        """
        try:
            trace = self._rpc.call(
                "debug_traceTransaction", to_hex(tx_hash), {"disableStorage": True, "disableStack": True}
            )
            text = str(trace.get("returnValue", ""))
            return unhex(text if text.startswith("0x") else "0x" + text)
        except RPCError:
            pass
        found = self._rpc.call("eth_getTransactionByHash", to_hex(tx_hash))
        call = {name: found[name] for name in ("from", "to", "gas", "input") if found.get(name)}
        try:
            self._rpc.call("eth_call", call, to_quantity(from_quantity(found["blockNumber"]) - 1))
        except RPCError as error:
            return error.revert_data() or b""
        return b""

    def wait_receipt(self, tx_hash: bytes, timeout_s: float) -> ChainReceipt:
        """Return the receipt as soon as the transaction is in a final block.

        Raises:
            UnavailableError: The time is over, or the connection is closed.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            found = self.receipt(tx_hash)
            if found is not None and found.block_number <= self.final_block().number:
                return found
            left_s = deadline - time.monotonic()
            if left_s <= 0 or self._closed.wait(min(_POLL_S, left_s)):
                raise UnavailableError("the receipt", "the transaction is in no final block yet", transaction=tx_hash)

    # Blocks.

    def head_block(self) -> BlockRef:
        """Return the network's newest block."""
        return _ref(self._header("latest"))

    def final_block(self) -> BlockRef:
        """Return the newest block that is final by the rule set."""
        match self._finality:
            case FinalizedTag():
                return _ref(self._header("finalized"))
            case FinalityDepth(blocks):
                head = from_quantity(self._rpc.call("eth_blockNumber"))
                return _ref(self._header(to_quantity(max(0, head - blocks))))

    def _header(self, tag: str) -> Header:
        return _checked_header(self._rpc.call("eth_getBlockByNumber", tag, False), tag)

    def headers(self, first: int, last: int) -> list[BlockHeader]:
        """Return the headers of a range, both ends included."""
        found: list[BlockHeader] = []
        for start in range(first, last + 1, _HEADERS_AT_ONCE):
            numbers = range(start, min(start + _HEADERS_AT_ONCE, last + 1))
            calls = [Call("eth_getBlockByNumber", (to_quantity(number), False)) for number in numbers]
            for number, shown in zip(numbers, self._rpc.batch(calls), strict=True):
                if shown is None:
                    return found
                header = _checked_header(shown, to_quantity(number))
                found.append(BlockHeader(header.number, header.hash, header.parent_hash, header.timestamp))
        return found

    def block(self, number: int) -> BlockBundle:
        """Return a block as consensus bytes, every hash in it recomputed, with its seal where the header has one.

        Raises:
            NotFoundError: The node has no such block.
            IntegrityError: What the node shows does not give the hashes that it must.
            UnavailableError: The node is gone, or shows two different blocks of this number.
        """
        tag = to_quantity(number)
        shown, receipts = self._rpc.batch(
            [Call("eth_getBlockByNumber", (tag, True)), Call("eth_getBlockReceipts", (tag,))]
        )
        if shown is None or receipts is None:
            raise NotFoundError("block", number)
        _checked_header(shown, tag)
        try:
            raws = [_checked_transaction(found) for found in shown["transactions"]]
            checked = check_block(shown, receipts, raws)
        except ValueError as error:
            if any(receipt.get("blockHash") != shown["hash"] for receipt in receipts):
                raise UnavailableError(
                    "chain node", "the block was replaced while it was read", block=number
                ) from error
            raise IntegrityError(f"block {number}", str(error), block=number) from error
        seal = clique_seal(checked.header.rlp)
        return BlockBundle(
            ref=_ref(checked.header),
            header_rlp=checked.header.rlp,
            transactions=tuple(raws),
            receipts=tuple(receipt.rlp for receipt in checked.receipts),
            seals=() if seal is None else (Seal(*seal),),
        )

    def logs(self, first: int, last: int, addresses: Sequence[bytes]) -> list[RawLog]:
        """Return the logs of a range of blocks, both ends included, of these contracts (of all, if none is named)."""
        wanted: dict[str, Any] = {"fromBlock": to_quantity(first), "toBlock": to_quantity(last)}
        if addresses:
            wanted["address"] = [to_hex(address) for address in addresses]
        return [_log(log) for log in self._rpc.call("eth_getLogs", wanted)]

    # Present state.

    def call(self, to: bytes, data: bytes) -> bytes:
        """Return what a view answers at the newest block.

        Raises:
            RefusedError: It reverted; ``data`` holds what it returned, as hex.
        """
        return view(self._rpc, to, data)

    def simulate(self, sender: bytes, to: bytes, data: bytes) -> Simulation:
        """Try a call as ``sender`` on the newest state, without sending it."""
        return simulate(self._rpc, sender, to, data)

    def code(self, address: bytes) -> bytes:
        """Return the runtime code at an address, empty where there is none."""
        return read_code(self._rpc, address)

    def proofs(self, wanted: Mapping[bytes, Sequence[bytes]]) -> list[StateProof]:
        """Prove slots of several accounts under the newest final block.

        Raises:
            IntegrityError: The node's proofs are not under that block's state root.
            UnavailableError: The node does not keep that block's state.
        """
        final = self.final_block()
        tag = to_quantity(final.number)
        header = self._header(tag)
        if header.hash != final.hash:
            raise UnavailableError("chain node", "its final block was replaced", block=final.number)
        try:
            return read_proofs(self._rpc, wanted, final, header.state_root, tag)
        except RPCError as error:
            raise UnavailableError("chain node", error.explain(), block=final.number) from error


def _checked_header(shown: dict[str, Any] | None, tag: str) -> Header:
    if shown is None:
        raise NotFoundError("block", tag)
    try:
        header = header_from_json(shown)
    except ValueError as error:
        raise IntegrityError(f"block {tag}", str(error)) from error
    if tag.startswith("0x") and header.number != int(tag, 16):
        raise IntegrityError(f"block {tag}", "the node shows another number", found=header.number)
    return header


def _checked_transaction(found: dict[str, Any]) -> bytes:
    raw = encode_json(found)
    if keccak256(raw) != unhex(found.get("hash")):
        raise ValueError(f"transaction {found.get('hash')} is not of the hash that the node shows")
    return raw


def _ref(header: Header) -> BlockRef:
    return BlockRef(header.number, header.hash, header.timestamp)


def _log(found: dict[str, Any]) -> RawLog:
    return RawLog(
        address=unhex(found.get("address")),
        topics=tuple(unhex(topic) for topic in found.get("topics") or ()),
        data=unhex(found.get("data")),
        block_number=from_quantity(found.get("blockNumber")),
        block_hash=unhex(found.get("blockHash")),
        tx_hash=unhex(found.get("transactionHash")),
        tx_index=from_quantity(found.get("transactionIndex")),
        log_index=from_quantity(found.get("logIndex")),
    )
