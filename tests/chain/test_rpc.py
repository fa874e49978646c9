"""The JSON-RPC client: transport failures are told apart from the node's errors, and hostile answers are neither."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from ledger.chain.rpc import Call, RPCClient, RPCError, from_quantity, to_quantity, unhex
from ledger.domain.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Node:
    """An HTTP server whose answers a test chooses."""

    def __init__(self) -> None:
        self.answer: Callable[[Any], bytes] = lambda _request: b""
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                body = node.answer(request)
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def node() -> Iterator[Node]:
    node = Node()
    yield node
    node.close()


@pytest.fixture
def rpc(node: Node) -> Iterator[RPCClient]:
    with RPCClient(node.url, timeout_s=5.0) as rpc:
        yield rpc


def replies(request: Any) -> bytes:
    """Answer each call with its own method's name, batches backwards."""
    if isinstance(request, list):
        return json.dumps([{"id": call["id"], "result": call["method"]} for call in reversed(request)]).encode()
    return json.dumps({"id": request["id"], "result": request["method"]}).encode()


def test_results_come_in_the_order_of_the_calls(node: Node, rpc: RPCClient) -> None:
    node.answer = replies
    assert rpc.call("one") == "one"
    assert rpc.batch([Call("a"), Call("b"), Call("c")]) == ["a", "b", "c"]
    assert rpc.batch([]) == []


def test_nodes_error_keeps_its_number_message_and_data(node: Node, rpc: RPCClient) -> None:
    error = {"code": 3, "message": "execution reverted", "data": "0xdeadbeef"}
    node.answer = lambda request: json.dumps({"id": request["id"], "error": error}).encode()
    with pytest.raises(RPCError) as caught:
        rpc.call("eth_call")
    assert (caught.value.number, caught.value.message) == (3, "execution reverted")
    assert caught.value.revert_data() == b"\xde\xad\xbe\xef"


def test_one_failed_call_of_a_batch_is_a_value_of_its_place(node: Node, rpc: RPCClient) -> None:
    node.answer = lambda request: json.dumps(
        [{"id": request[0]["id"], "result": 1}, {"id": request[1]["id"], "error": {"code": -1, "message": "no"}}]
    ).encode()
    good, bad = rpc.try_batch([Call("a"), Call("b")])
    assert good == 1
    assert isinstance(bad, RPCError)
    with pytest.raises(RPCError, match="no"):
        rpc.batch([Call("a"), Call("b")])


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff\xfe", b"[]", b"1", b"{}", b'{"id":1}', b'{"id":1,"result":', b"[" * 100_000]
)
def test_answer_that_is_no_json_rpc_is_unavailable(node: Node, rpc: RPCClient, body: bytes) -> None:
    node.answer = lambda _request: body
    with pytest.raises(UnavailableError):
        rpc.call("eth_chainId")
    with pytest.raises(UnavailableError):
        rpc.batch([Call("a"), Call("b")])


def test_batch_answer_with_a_foreign_id_is_unavailable(node: Node, rpc: RPCClient) -> None:
    node.answer = lambda request: json.dumps([{"id": call["id"] + 1, "result": 0} for call in request]).encode()
    with pytest.raises(UnavailableError, match="lacks"):
        rpc.batch([Call("a"), Call("b")])


def test_nobody_there_silence_and_a_closed_client_are_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with RPCClient(url, timeout_s=0.05) as rpc, pytest.raises(UnavailableError, match="Timeout"):
            rpc.call("eth_chainId")
    with RPCClient(url, timeout_s=1.0) as rpc, pytest.raises(UnavailableError, match="Connect"):
        rpc.call("eth_chainId")
    with pytest.raises(UnavailableError):
        rpc.call("eth_chainId")


@pytest.mark.parametrize("wrong", [None, 1, "1", "0xzz", "", [], {}])
def test_wrong_hex_in_an_answer_is_unavailable(wrong: object) -> None:
    with pytest.raises(UnavailableError):
        unhex(wrong)
    with pytest.raises(UnavailableError):
        from_quantity(wrong)
    assert from_quantity(to_quantity(2**64)) == 2**64
