"""A small raw JSON-RPC client: one call, or many in one request, with every transport failure translated.

web3.py formats each answer at some 1 ms a call; replay and following need a hundred times that, so answers come back
as plain JSON values here and the caller checks what it relies on.

    with RPCClient("http://127.0.0.1:8545") as rpc:
        tip = from_quantity(rpc.call("eth_blockNumber"))

Two kinds of failure, for two kinds of caller's reaction:

- ``UnavailableError``: no answer, or one that is not JSON-RPC. The same call may succeed later.
- ``RPCError``: the node answered with an error object. What it means is for the caller to say.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
import msgspec

from ledger.domain.errors import LedgerError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

__all__ = ["Call", "RPCClient", "RPCError", "from_quantity", "to_hex", "to_quantity", "unhex"]

_ANSWER_BYTES_MAX: Final = 512 * 1024 * 1024
"""A snapshot of a large state is the biggest answer we ask for; anything above is no answer to us."""


class RPCError(LedgerError):
    """The node answered with an error object."""

    code = "rpc_error"
    meaning = "The chain's node answered a call with an error."
    remedy = "Read the node's message; if it speaks of a missing block or method, check the node's settings."

    def __init__(self, method: str, number: int, message: str, data: object = None) -> None:
        super().__init__(method=method, number=number, message=message, data=data)
        self.method = method
        self.number = number
        self.message = message
        self.data = data

    def explain(self) -> str:
        """Name the method, the node's error number and its message."""
        return f"{self.method} failed at the node: {self.message.rstrip('.')} (error {self.number})."

    def revert_data(self) -> bytes | None:
        """Return the return data of a reverted call, or None if the error is something else.

        Nodes put it into ``data`` as hex (geth, anvil, Besu) under error 3 or -32000.
        """
        if isinstance(self.data, str) and self.data.startswith("0x"):
            try:
                return bytes.fromhex(self.data[2:])
            except ValueError:
                return None
        return b"" if "revert" in self.message.lower() else None


@dataclass(frozen=True, slots=True)
class Call:
    """One method with its parameters, for a batch."""

    method: str
    params: Sequence[Any] = ()


class RPCClient:
    """JSON-RPC 2.0 over HTTP. Safe to share between threads.

    Args:
        url: The endpoint.
        timeout_s: The longest wait for one answer.
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self.url = url
        # Proxy variables of the environment must not carry our node's traffic to somebody else.
        self._http = httpx.Client(timeout=timeout_s, trust_env=False, limits=httpx.Limits(max_connections=32))
        self._last_id = 0
        self._id_lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(
        self, method: str, *params: Any, timeout_s: float | None = None
    ) -> Any:  # JSON-RPC results are any JSON value.
        """Return the result of one call.

        Raises:
            UnavailableError: No answer in time, or none that can be read.
            RPCError: The node's error.
        """
        number = self._next_id()
        answer = self._post({"jsonrpc": "2.0", "id": number, "method": method, "params": params}, timeout_s)
        if not isinstance(answer, dict):
            raise UnavailableError("chain node", "its answer is no JSON-RPC object", method=method)
        return _result(method, answer)

    def batch(self, calls: Sequence[Call], *, timeout_s: float | None = None) -> list[Any]:
        """Return the results of many calls sent in one request, in their order.

        Raises:
            UnavailableError: No answer, or an incomplete one.
            RPCError: The first call that failed.
        """
        results = self.try_batch(calls, timeout_s=timeout_s)
        for result in results:
            if isinstance(result, RPCError):
                raise result
        return results

    def try_batch(self, calls: Sequence[Call], *, timeout_s: float | None = None) -> list[Any]:
        """Return for each call its result, or its ``RPCError`` as a value.

        Raises:
            UnavailableError: No answer, or an incomplete one.
        """
        if not calls:
            return []
        first = self._next_id(len(calls))
        answers = self._post(
            [
                {"jsonrpc": "2.0", "id": first + place, "method": call.method, "params": call.params}
                for place, call in enumerate(calls)
            ],
            timeout_s,
        )
        if not isinstance(answers, list) or len(answers) != len(calls):
            raise UnavailableError("chain node", "its answer to a batch is incomplete", calls=len(calls))
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        results: list[Any] = []
        for place, call in enumerate(calls):
            answer = by_id.get(first + place)
            if answer is None:
                raise UnavailableError("chain node", "its answer to a batch lacks a call", method=call.method)
            try:
                results.append(_result(call.method, answer))
            except RPCError as error:
                results.append(error)
        return results

    def _next_id(self, count: int = 1) -> int:
        with self._id_lock:
            first = self._last_id + 1
            self._last_id += count
        return first

    def _post(self, message: object, timeout_s: float | None) -> Any:
        timeout = httpx.USE_CLIENT_DEFAULT if timeout_s is None else timeout_s
        try:
            response = self._http.post(
                self.url,
                content=msgspec.json.encode(message),
                headers={"content-type": "application/json"},
                timeout=timeout,
            )
            body = response.content
        except (httpx.HTTPError, httpx.InvalidURL, RuntimeError) as error:  # httpx: RuntimeError = client closed
            raise UnavailableError("chain node", f"{type(error).__name__}: {error}") from error
        if len(body) > _ANSWER_BYTES_MAX:
            raise UnavailableError("chain node", "its answer is too large", size_bytes=len(body))
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise UnavailableError("chain node", "its answer is not JSON", http_status=response.status_code) from error


def _result(method: str, answer: dict[str, Any]) -> Any:
    error = answer.get("error")
    if error is not None:
        if not isinstance(error, dict):
            raise RPCError(method, 0, str(error))
        number = error.get("code")
        raise RPCError(method, number if isinstance(number, int) else 0, str(error.get("message")), error.get("data"))
    if "result" not in answer:
        raise UnavailableError("chain node", "its answer has neither a result nor an error", method=method)
    return answer["result"]


def to_hex(data: bytes) -> str:
    """Return bytes as JSON-RPC writes data."""
    return "0x" + data.hex()


def to_quantity(number: int) -> str:
    """Return a number as JSON-RPC writes quantities."""
    return hex(number)


def unhex(text: object) -> bytes:
    """Return the bytes of JSON-RPC data.

    Raises:
        UnavailableError: The node's answer is not hex data.
    """
    if isinstance(text, str) and text.startswith("0x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            pass
    raise UnavailableError("chain node", "its answer holds no hex data where some was due", found=text)


def from_quantity(text: object) -> int:
    """Return the number of a JSON-RPC quantity.

    Raises:
        UnavailableError: The node's answer is not a quantity.
    """
    if isinstance(text, str) and text.startswith("0x"):
        try:
            return int(text, 16)
        except ValueError:
            pass
    raise UnavailableError("chain node", "its answer holds no quantity where one was due", found=text)
