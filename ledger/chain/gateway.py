"""The JSON-RPC door for wallets and tools: reads from an allow-list, and transactions that the ledger can use.

    app = create_gateway(chain, contracts=deployment.addresses, is_registered=registry_knows)

Nothing passes that is not in ``Gateway``'s table: the node's control methods, filters and signing are unknown here,
error -32601. Blocks, receipts and logs come from the journal; calls and balances come from the node, at the newest
block only, because past state is not kept. ``eth_sendRawTransaction`` answers once the transaction is in the engine's
durable queue. Admitted are our chain id, our contracts as ``to``, senders that ``is_registered`` knows, capped gas and
size, no more of one sender at once than the limits say, and no contract creation.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from ledger.chain.engine.rendering import render_block, render_log, render_receipt, render_transaction
from ledger.chain.engine.transaction import parse
from ledger.chain.gateway_answers import (
    INVALID_REQUEST,
    LIMIT,
    PARSE_ERROR,
    SERVER,
    UNKNOWN_METHOD,
    encode,
    error_answer,
    number_of,
    too_much,
)
from ledger.chain.gateway_limits import GatewayLimits
from ledger.chain.gateway_parameters import (
    INVALID_PARAMS,
    Fault,
    as_bytes,
    as_object,
    as_quantity,
    as_slot,
    as_topics,
    parameter,
)
from ledger.chain.rpc import RPCError, to_hex, to_quantity
from ledger.domain.errors import InvalidInputError, LedgerError, NotFoundError, UnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from starlette.requests import Request

    from ledger.service.ports import BlockBundle, BlockRef, ChainReceipt, RawLog

__all__ = ["Gateway", "GatewayChain", "GatewayLimits", "create_gateway"]

_BLOCK_NUMBER_MAX: Final = 2**63 - 1
"""No chain gets there, and the journal's integers end there."""
_NEWEST: Final = frozenset({"latest", "pending", "safe", "finalized"})


class GatewayChain(Protocol):
    """What the gateway needs of the embedded chain."""

    def chain_id(self) -> int: ...
    def submit(self, raw_transaction: bytes, held_max: int | None = None) -> bytes: ...
    def nonce(self, address: bytes) -> int: ...
    def receipt(self, tx_hash: bytes) -> ChainReceipt | None: ...
    def final_block(self) -> BlockRef: ...
    def block(self, number: int) -> BlockBundle: ...
    def block_number(self, block_hash: bytes) -> int | None: ...
    def block_receipts(self, number: int) -> list[ChainReceipt]: ...
    def transaction(self, tx_hash: bytes) -> tuple[bytes, BlockRef | None, int | None] | None: ...
    def iterate_logs(self, first: int, last: int, addresses: Sequence[bytes]) -> Iterator[RawLog]: ...
    def read(self, method: str, params: Sequence[Any]) -> Any: ...


class Gateway:
    """Answers JSON-RPC requests; ``create_gateway`` puts it behind HTTP.

    Args:
        chain: The embedded chain.
        contracts: Returns the addresses that transactions may call.
        is_registered: Whether an address is a relayer of ours or a key that speaks for a post now.
        limits: What one client may ask for at once.
        version: What ``web3_clientVersion`` answers.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        chain: GatewayChain,
        *,
        contracts: Callable[[], Collection[bytes]],
        is_registered: Callable[[bytes], bool],
        limits: GatewayLimits,
        version: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._chain = chain
        self._contracts = contracts
        self._is_registered = is_registered
        self._limits = limits
        self._version = version
        self._methods: Mapping[str, Callable[[list[Any]], Any]] = {
            "web3_clientVersion": lambda _: self._version,
            "net_version": lambda _: str(chain.chain_id()),
            "eth_chainId": lambda _: to_quantity(chain.chain_id()),
            "eth_blockNumber": lambda _: to_quantity(chain.final_block().number),
            "eth_syncing": lambda _: False,
            "eth_accounts": lambda _: [],
            "eth_gasPrice": lambda _: "0x0",
            "eth_maxPriorityFeePerGas": lambda _: "0x0",
            "eth_feeHistory": self._fee_history,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBlockReceipts": self._block_receipts,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getTransactionCount": self._nonce,
            "eth_getLogs": self._logs,
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_getBalance": lambda params: self._state("eth_getBalance", params, 1),
            "eth_getCode": lambda params: self._state("eth_getCode", params, 1),
            "eth_getStorageAt": lambda params: self._state("eth_getStorageAt", params, 2),
            "eth_getProof": lambda params: self._state("eth_getProof", params, 2),
            "eth_sendRawTransaction": self._send,
        }

    @property
    def methods(self) -> frozenset[str]:
        """Every method there is."""
        return frozenset(self._methods)

    # The envelope.

    def answer(self, body: bytes) -> bytes | None:
        """Return the answer to a request or batch, or None where nothing but notifications came."""
        try:
            message = msgspec.json.decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return encode(error_answer(None, PARSE_ERROR, "the request is not JSON"))
        if not isinstance(message, list):
            answer = self._answer_one(message)
            return None if answer is None else encode(answer)
        if not 1 <= len(message) <= self._limits.batch_max:
            return encode(error_answer(None, INVALID_REQUEST, f"a batch holds 1 to {self._limits.batch_max} calls"))
        until, size = self._clock() + self._limits.batch_s_max, 0
        answers: list[bytes] = []
        for one in message:
            is_over = size > self._limits.answer_bytes_max or self._clock() > until
            answer = too_much(one) if is_over else self._answer_one(one)
            if answer is not None:
                answers.append(encode(answer))
                size += len(answers[-1])
        return b"[" + b",".join(answers) + b"]" if answers else None

    def _answer_one(self, message: Any) -> dict[str, Any] | None:
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            return error_answer(None, INVALID_REQUEST, "a call is an object with a method")
        number = message.get("id")
        if not isinstance(number, str | int | float | None):
            return error_answer(None, INVALID_REQUEST, "an id is a number or a string")
        answer = self._result(number, message["method"], message.get("params") or [])
        return answer if "id" in message else None

    def _result(self, number: Any, name: str, params: Any) -> dict[str, Any]:
        method = self._methods.get(name)
        if method is None:
            return error_answer(number, UNKNOWN_METHOD, f"the method {name[:100]} is not offered here")
        if not isinstance(params, list):
            return error_answer(number, INVALID_PARAMS, "params are a list")
        try:
            return {"jsonrpc": "2.0", "id": number, "result": method(params)}
        except Fault as fault:
            return error_answer(number, fault.number, fault.message, fault.data)
        except RPCError as error:
            return error_answer(number, error.number, error.message, error.data)
        except LedgerError as error:
            return error_answer(number, number_of(error), error.explain(), {"code": error.code})

    # Reads that the journal answers.

    def _fee_history(self, params: list[Any]) -> dict[str, Any]:
        asked = as_quantity(params[0]) if params and isinstance(params[0], str) else 1
        newest = self._chain.final_block().number
        count = min(max(asked, 1), newest + 1, 1024)
        percentiles = params[2] if len(params) > 2 and isinstance(params[2], list) else []
        return {
            "oldestBlock": to_quantity(newest - count + 1),
            "baseFeePerGas": ["0x0"] * (count + 1),
            "gasUsedRatio": [0.0] * count,
            "reward": [["0x0"] * min(len(percentiles), 100)] * count,
        }

    def _block_by_number(self, params: list[Any]) -> Any:
        number = self._number(parameter(params, 0))
        return self._rendered_block(number, params)

    def _block_by_hash(self, params: list[Any]) -> Any:
        number = self._chain.block_number(as_bytes(parameter(params, 0), 32))
        return None if number is None else self._rendered_block(number, params)

    def _rendered_block(self, number: int, params: list[Any]) -> Any:
        try:
            bundle = self._chain.block(number)
        except NotFoundError:
            return None
        return render_block(bundle, with_transactions=len(params) > 1 and params[1] is True)

    def _block_receipts(self, params: list[Any]) -> Any:
        number = self._number(parameter(params, 0))
        try:
            bundle = self._chain.block(number)
        except NotFoundError:
            return None
        return [
            render_receipt(receipt, encoded, parse(raw))
            for receipt, encoded, raw in zip(
                self._chain.block_receipts(number), bundle.receipts, bundle.transactions, strict=True
            )
        ]

    def _transaction(self, params: list[Any]) -> Any:
        found = self._chain.transaction(as_bytes(parameter(params, 0), 32))
        if found is None:
            return None
        raw, block, index = found
        return render_transaction(parse(raw), block, index)

    def _receipt(self, params: list[Any]) -> Any:
        receipt = self._chain.receipt(as_bytes(parameter(params, 0), 32))
        if receipt is None:
            return None
        bundle = self._chain.block(receipt.block_number)
        return render_receipt(receipt, bundle.receipts[receipt.tx_index], parse(bundle.transactions[receipt.tx_index]))

    def _nonce(self, params: list[Any]) -> str:
        return to_quantity(self._chain.nonce(as_bytes(parameter(params, 0), 20)))

    def _logs(self, params: list[Any]) -> list[dict[str, Any]]:
        wanted = as_object(parameter(params, 0))
        if "blockHash" in wanted:
            number = self._chain.block_number(as_bytes(wanted["blockHash"], 32))
            if number is None:
                raise Fault(SERVER, "no block has this hash")
            first = last = number
        else:
            first, last = self._number(wanted.get("fromBlock", "latest")), self._number(wanted.get("toBlock", "latest"))
        if last - first >= self._limits.log_blocks_max:
            raise Fault(LIMIT, f"logs are given for at most {self._limits.log_blocks_max} blocks at once")
        address = wanted.get("address") or []
        addresses = [as_bytes(one, 20) for one in (address if isinstance(address, list) else [address])]
        topics = as_topics(wanted.get("topics"))
        found: list[RawLog] = []
        size = 0
        for log in self._chain.iterate_logs(first, last, addresses):
            if not _matches(log, topics):
                continue
            found.append(log)
            size += 2 * len(log.data)
            if len(found) > self._limits.logs_max or size > self._limits.answer_bytes_max:
                bounds = f"{self._limits.logs_max} logs or {self._limits.answer_bytes_max} bytes"
                raise Fault(LIMIT, f"these are more than {bounds}; ask for fewer blocks at once")
        return [render_log(log) for log in found]

    # Reads of the present state, from the node.

    def _call(self, params: list[Any]) -> Any:
        self._must_be_newest(params[1] if len(params) > 1 else "latest")
        return self._chain.read("eth_call", [self._bounded_call(parameter(params, 0)), "latest"])

    def _estimate(self, params: list[Any]) -> Any:
        self._must_be_newest(params[1] if len(params) > 1 else "latest")
        return self._chain.read("eth_estimateGas", [self._bounded_call(parameter(params, 0)), "latest"])

    def _bounded_call(self, given: Any) -> dict[str, Any]:
        """Return a call of known fields only, so that no override reaches the node, with its gas capped."""
        call = as_object(given)
        bounded: dict[str, Any] = {"gas": to_quantity(self._limits.call_gas_max)}
        for name in ("from", "to"):
            if call.get(name) is not None:
                bounded[name] = to_hex(as_bytes(call[name], 20))
        data = call.get("input", call.get("data"))
        if data is not None:
            bounded["input"] = to_hex(as_bytes(data, None))
        if call.get("gas") is not None:
            bounded["gas"] = to_quantity(min(as_quantity(call["gas"]), self._limits.call_gas_max))
        return bounded

    def _state(self, method: str, params: list[Any], count: int) -> Any:
        """Pass on a read of ``count`` parameters before the block."""
        self._must_be_newest(params[count] if len(params) > count else "latest")
        given = [parameter(params, place) for place in range(count)]
        address = to_hex(as_bytes(given[0], 20))
        match method, given[1:]:
            case "eth_getStorageAt", [slot]:
                rest: list[Any] = ["0x" + as_slot(slot).hex()]
            case "eth_getProof", [list(slots)] if len(slots) <= self._limits.batch_max:
                rest = [["0x" + as_slot(slot).hex() for slot in slots]]
            case _, []:
                rest = []
            case _:
                raise Fault(INVALID_PARAMS, f"{method} takes other parameters")
        return self._chain.read(method, [address, *rest, "latest"])

    def _must_be_newest(self, block: Any) -> None:
        if isinstance(block, dict):
            if "blockHash" in block:
                number = self._chain.block_number(as_bytes(block["blockHash"], 32))
            else:
                number = self._number(block.get("blockNumber", "latest"))
        else:
            number = self._number(block)
        if number != self._chain.final_block().number:
            raise Fault(SERVER, "past state is not kept: ask for the newest block, or the ledger's index")

    def _number(self, tag: Any) -> int:
        if tag == "earliest":
            return 0
        if isinstance(tag, str) and tag in _NEWEST:
            return self._chain.final_block().number
        return min(as_quantity(tag), _BLOCK_NUMBER_MAX)

    # The one write.

    def _send(self, params: list[Any]) -> str:
        raw = as_bytes(parameter(params, 0), None)
        limits = self._limits
        if len(raw) > limits.transaction_bytes_max:
            raise InvalidInputError("raw_transaction", len(raw), f"at most {limits.transaction_bytes_max} bytes")
        tx = parse(raw)
        if tx.chain_id != self._chain.chain_id():
            raise InvalidInputError("chain_id", tx.chain_id, f"{self._chain.chain_id()}, this chain's id")
        if tx.is_creation:
            raise UnauthorizedError("contracts are created by the operator only", sender=tx.sender)
        if tx.to not in self._contracts():
            raise UnauthorizedError("only the ledger's contracts may be called", to=tx.to)
        if tx.gas > limits.transaction_gas_max:
            raise InvalidInputError("gas", tx.gas, f"at most {limits.transaction_gas_max}")
        if not self._is_registered(tx.sender):
            raise UnauthorizedError("the sender is no relayer and no key that speaks for a post", sender=tx.sender)
        return to_hex(self._chain.submit(raw, limits.held_max))


def _matches(log: RawLog, topics: list[frozenset[bytes] | None]) -> bool:
    if len(topics) > len(log.topics):
        return False
    return all(wanted is None or topic in wanted for wanted, topic in zip(topics, log.topics, strict=False))


def create_gateway(
    chain: GatewayChain,
    *,
    contracts: Callable[[], Collection[bytes]],
    is_registered: Callable[[bytes], bool],
    limits: GatewayLimits | None = None,
    version: str = "Quanze",
) -> Starlette:
    """Return the ASGI application: ``POST /`` with a JSON-RPC request or batch."""
    bounds = limits or GatewayLimits()
    gateway = Gateway(chain, contracts=contracts, is_registered=is_registered, limits=bounds, version=version)

    async def handle(request: Request) -> Response:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > bounds.body_bytes_max:
                fault = error_answer(None, LIMIT, f"a request has at most {bounds.body_bytes_max} bytes")
                return Response(encode(fault), status_code=413, media_type="application/json")
        answer = await run_in_threadpool(gateway.answer, bytes(body))
        if answer is None:
            return Response(status_code=204)
        return Response(answer, media_type="application/json")

    return Starlette(routes=[Route("/", handle, methods=["POST"])])
