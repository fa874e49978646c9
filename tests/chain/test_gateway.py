"""The gateway: what passes, what does not, and that real wallets' libraries work through it."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import rlp
import uvicorn
from eth_hash.auto import keccak
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web3 import HTTPProvider, Web3

from ledger.chain.engine import EmbeddedChain, EngineConfig
from ledger.chain.gateway import Gateway, GatewayLimits, create_gateway
from tests.chain.accounts import NOBODY, PROBE, PROBE_INITCODE, SealerKey, Sender
from tests.chain.behaviour import word
from tests.chain.conftest import ANVIL, GENESIS_TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WAIT_S = 20.0
LIMITS = GatewayLimits(body_bytes_max=200_000, batch_max=5, log_blocks_max=50, logs_max=3)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedChain]:
    folder = tmp_path_factory.mktemp("chain")
    config = EngineConfig(
        folder=folder, anvil=ANVIL, chain_id=2**34 + 5, genesis_time=GENESIS_TIME, time_lead_max_s=10**6
    )
    with EmbeddedChain(config, SealerKey()) as chain:
        yield chain


@pytest.fixture(scope="module")
def known(chain: EmbeddedChain) -> Sender:
    """The registered sender; it made the one contract of the ledger."""
    known = Sender(chain.chain_id(), 1)
    chain.wait_receipt(chain.submit(known.next(to=b"", data=PROBE_INITCODE)), WAIT_S)
    return known


@pytest.fixture(scope="module")
def contract(known: Sender) -> bytes:
    return bytes(keccak(rlp.encode([known.address, b""]))[12:])


@pytest.fixture(scope="module")
def gateway(chain: EmbeddedChain, known: Sender, contract: bytes) -> Gateway:
    return Gateway(
        chain,
        contracts=lambda: {contract},
        is_registered=lambda address: address == known.address,
        limits=LIMITS,
        version="Quanze/test",
    )


def ask(gateway: Gateway, method: str, *params: Any) -> Any:
    answer = gateway.answer(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode())
    assert answer is not None
    decoded = json.loads(answer)
    assert decoded["jsonrpc"] == "2.0"
    assert decoded["id"] == 7
    return decoded.get("result", decoded.get("error"))


def send(gateway: Gateway, raw: bytes) -> Any:
    return ask(gateway, "eth_sendRawTransaction", "0x" + raw.hex())


READS = frozenset({
    "eth_accounts", "eth_blockNumber", "eth_call", "eth_chainId", "eth_estimateGas", "eth_feeHistory", "eth_gasPrice",
    "eth_getBalance", "eth_getBlockByHash", "eth_getBlockByNumber", "eth_getBlockReceipts", "eth_getCode",
    "eth_getLogs", "eth_getProof", "eth_getStorageAt", "eth_getTransactionByHash", "eth_getTransactionCount",
    "eth_getTransactionReceipt", "eth_maxPriorityFeePerGas", "eth_syncing", "net_version", "web3_clientVersion",
})  # fmt: skip


def test_methods_are_reads_and_one_write(gateway: Gateway) -> None:
    assert gateway.methods == READS | {"eth_sendRawTransaction"}


@pytest.mark.parametrize(
    "method",
    [
        "anvil_setStorageAt", "anvil_reorg", "anvil_dumpState", "anvil_setBalance", "anvil_impersonateAccount",
        "hardhat_setCode", "evm_mine", "evm_setNextBlockTimestamp", "evm_revert", "debug_traceTransaction",
        "eth_sendTransaction", "eth_sign", "eth_newFilter", "eth_subscribe", "txpool_content", "admin_nodeInfo",
        "personal_sign", "rpc_modules", "", "ETH_CALL", "eth_call ",
    ],
)  # fmt: skip
def test_everything_else_is_unknown(gateway: Gateway, method: str) -> None:
    assert ask(gateway, method)["code"] == -32601


def test_registered_sender_reaches_the_contract(
    gateway: Gateway, chain: EmbeddedChain, known: Sender, contract: bytes
) -> None:
    tx_hash = send(gateway, known.next(to=contract, data=word(5)))
    chain.wait_receipt(bytes.fromhex(tx_hash[2:]), WAIT_S)
    receipt = ask(gateway, "eth_getTransactionReceipt", tx_hash)
    assert receipt["status"] == "0x1"
    assert receipt["to"] == "0x" + contract.hex()
    assert receipt["logs"][0]["topics"] == ["0x" + word(5).hex()]
    assert ask(gateway, "eth_call", {"to": "0x" + contract.hex()}, "latest") == "0x" + word(5).hex()


def test_refused_transactions_never_reach_the_queue(
    gateway: Gateway, chain: EmbeddedChain, known: Sender, contract: bytes
) -> None:
    """Each rule alone stops a transaction that is otherwise good, with its own words."""
    nonce = chain.nonce(known.address)
    stranger = Sender(chain.chain_id(), 2)
    elsewhere = Sender(chain.chain_id() + 1, 1)
    cases = [
        (stranger.sign(0, to=contract), -32003, "no relayer"),
        (known.sign(nonce, to=b"", data=PROBE_INITCODE), -32003, "created by the operator"),
        (known.sign(nonce, to=NOBODY), -32003, "only the ledger's contracts"),
        (elsewhere.sign(nonce, to=contract), -32602, "chain_id"),
        (known.sign(nonce, to=contract, gas=25_000_001), -32602, "gas"),
        (known.sign(nonce, to=contract, value=1), -32602, "value"),
        (known.sign(nonce, to=contract, data=bytes(66_000), gas=2_000_000), -32602, "raw_transaction"),
        (known.sign(0, to=contract, data=b"again"), -32000, "nonce"),
    ]
    for raw, code, words in cases:
        error = send(gateway, raw)
        assert error["code"] == code
        assert words in error["message"]
        assert chain.transaction(bytes(keccak(raw))) is None
    assert chain.nonce(known.address) == nonce


def test_past_state_is_not_offered(gateway: Gateway, known: Sender, contract: bytes) -> None:
    address = "0x" + contract.hex()
    genesis = ask(gateway, "eth_getBlockByNumber", "0x0", False)["hash"]
    for method, params in [
        ("eth_call", [{"to": address}, "0x0"]),
        ("eth_call", [{"to": address}, {"blockHash": genesis}]),
        ("eth_getBalance", [address, "earliest"]),
        ("eth_getStorageAt", [address, "0x0", "0x0"]),
        ("eth_getCode", [address, "0x0"]),
        ("eth_getProof", [address, [], {"blockNumber": "0x0"}]),
        ("eth_estimateGas", [{"to": address}, "0x0"]),
    ]:
        assert "past state" in ask(gateway, method, *params)["message"]


def test_present_state_is_read_from_the_node(
    gateway: Gateway, chain: EmbeddedChain, known: Sender, contract: bytes
) -> None:
    address, newest = "0x" + contract.hex(), hex(chain.final_block().number)
    assert ask(gateway, "eth_getCode", address, "latest") == "0x" + PROBE.hex()
    assert ask(gateway, "eth_getCode", address, newest) == "0x" + PROBE.hex()
    assert ask(gateway, "eth_getBalance", address, "latest") == "0x0"
    assert int(ask(gateway, "eth_getStorageAt", address, "0x0", "latest"), 16) == int.from_bytes(
        chain.call(contract, b""), "big"
    )
    proof = ask(gateway, "eth_getProof", address, ["0x0", "0x" + "00" * 31 + "01"], "latest")
    assert len(proof["storageProof"]) == 2
    assert int(ask(gateway, "eth_estimateGas", {"to": address, "from": "0x" + known.address.hex()}), 16) > 21_000
    reverted = ask(gateway, "eth_call", {"to": address, "data": "0x" + word(0).hex()}, "latest")
    assert reverted["data"] == "0xdeadbeef"


def test_state_overrides_do_not_reach_the_node(gateway: Gateway, contract: bytes) -> None:
    address = "0x" + contract.hex()
    plain = ask(gateway, "eth_call", {"to": address}, "latest")
    overridden = ask(gateway, "eth_call", {"to": address}, "latest", {address: {"code": "0x60ff60005260206000f3"}})
    assert overridden == plain


def test_log_filters(gateway: Gateway, chain: EmbeddedChain, known: Sender, contract: bytes) -> None:
    first = chain.final_block().number + 1
    for number in (31, 32, 33):
        chain.wait_receipt(chain.submit(known.next(to=contract, data=word(number))), WAIT_S)
    span = {"fromBlock": hex(first), "toBlock": "latest"}
    topic = ["0x" + word(32).hex()]
    assert [log["data"] for log in ask(gateway, "eth_getLogs", span)] == ["0x" + word(n).hex() for n in (31, 32, 33)]
    assert len(ask(gateway, "eth_getLogs", span | {"address": "0x" + contract.hex(), "topics": topic})) == 1
    assert len(ask(gateway, "eth_getLogs", span | {"topics": [[*topic, "0x" + word(33).hex()]]})) == 2
    assert len(ask(gateway, "eth_getLogs", span | {"topics": [None]})) == 3
    assert ask(gateway, "eth_getLogs", span | {"topics": [None, None]}) == []
    assert ask(gateway, "eth_getLogs", span | {"address": ["0x" + NOBODY.hex()]}) == []
    block_hash = ask(gateway, "eth_getBlockByNumber", hex(first), False)["hash"]
    assert len(ask(gateway, "eth_getLogs", {"blockHash": block_hash})) == 1
    assert ask(gateway, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x32"})["code"] == -32005
    chain.wait_receipt(chain.submit(known.next(to=contract, data=word(34))), WAIT_S)
    assert ask(gateway, "eth_getLogs", span)["code"] == -32005


def test_batches_notifications_and_faults(gateway: Gateway) -> None:
    call = {"jsonrpc": "2.0", "id": "a", "method": "eth_chainId"}
    batch = json.loads(gateway.answer(json.dumps([call, call | {"id": 2}, {"method": "eth_chainId"}]).encode()) or b"")
    assert [answer["id"] for answer in batch] == ["a", 2]
    assert gateway.answer(json.dumps({"method": "eth_chainId"}).encode()) is None
    assert gateway.answer(json.dumps([{"method": "eth_chainId"}]).encode()) is None
    for body, code in [
        (b"", -32700), (b"{", -32700), (b"\xff", -32700), (b"[]", -32600), (b"1", -32600), (b"{}", -32600),
        (json.dumps([call] * 6).encode(), -32600),
        (json.dumps(call | {"id": [1]}).encode(), -32600),
        (json.dumps(call | {"params": {"a": 1}}).encode(), -32602),
        (b"[" * 100_000, -32700),
    ]:  # fmt: skip
        assert json.loads(gateway.answer(body) or b"")["error"]["code"] == code


def test_what_is_left_of_a_batch_that_costs_too_much_is_refused(chain: EmbeddedChain) -> None:
    """By time, or by what the answers have grown to; each call that is left is told so, by its own id."""
    seconds = iter([0.0, 0.1, 0.2, 1.1, 1.2, 1.3])
    calls = [{"id": number, "method": "eth_getBlockByNumber", "params": ["0x0", False]} for number in range(4)]
    body = json.dumps([*calls, {"method": "eth_chainId"}]).encode()

    def answers(limits: GatewayLimits, clock: Callable[[], float]) -> list[dict[str, Any]]:
        gateway = Gateway(
            chain, contracts=set, is_registered=lambda _: False, limits=limits, version="Quanze/test", clock=clock
        )
        answer: list[dict[str, Any]] = json.loads(gateway.answer(body) or b"")
        assert [one["id"] for one in answer] == [0, 1, 2, 3]
        return answer

    slow = answers(GatewayLimits(batch_s_max=1.0), lambda: next(seconds))
    assert ["result" in one for one in slow] == [True, True, False, False]
    large = answers(GatewayLimits(answer_bytes_max=100), lambda: 0.0)
    assert [one.get("error", {}).get("code") for one in large] == [None, -32005, -32005, -32005]


def test_one_sender_does_not_fill_the_queue(chain: EmbeddedChain, known: Sender, contract: bytes) -> None:
    """What waits of a sender is bounded; what is in blocks counts no more."""
    gateway = Gateway(
        chain,
        contracts=lambda: {contract},
        is_registered=lambda address: address == known.address,
        limits=GatewayLimits(held_max=3),
        version="Quanze/test",
    )
    first = chain.nonce(known.address)
    ahead = [known.sign(first + place, to=contract, data=word(900 + place)) for place in (1, 2, 3, 4)]
    for raw in ahead[:3]:
        assert isinstance(send(gateway, raw), str)
    refused = send(gateway, ahead[3])
    assert refused["code"] == -32002
    assert "as many of this sender" in refused["message"]
    assert send(gateway, ahead[0]) == "0x" + keccak(ahead[0]).hex()  # What is held already may be asked again.
    chain.submit(known.sign(first, to=contract, data=word(900)))
    for raw in ahead[:3]:
        chain.wait_receipt(bytes(keccak(raw)), WAIT_S)
    assert isinstance(send(gateway, ahead[3]), str)
    chain.wait_receipt(bytes(keccak(ahead[3])), WAIT_S)
    known.nonce = first + 5


simple = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["latest", "0x", "0x-1", "0x1_0", "0x" + "f" * 70, "0x" + "f" * 60])
    | st.text(max_size=5)
)
names = st.sampled_from(["to", "from", "data", "gas", "fromBlock", "topics", "address", "blockHash"])
parameters = simple | st.lists(simple, max_size=2) | st.dictionaries(names, simple | st.lists(simple), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(st.sampled_from(sorted(READS | {"eth_sendRawTransaction"})), st.lists(parameters, max_size=4))
def test_wrong_parameters_give_an_error_and_no_crash(gateway: Gateway, method: str, params: list[Any]) -> None:
    answer = gateway.answer(json.dumps({"id": 1, "method": method, "params": params}).encode())
    assert answer is not None
    decoded = json.loads(answer)
    assert ("result" in decoded) != ("error" in decoded)


@pytest.fixture(scope="module")
def url(chain: EmbeddedChain, known: Sender, contract: bytes) -> Iterator[str]:
    app = create_gateway(
        chain, contracts=lambda: {contract}, is_registered=lambda sender: sender == known.address, limits=LIMITS
    )
    ready = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        assert ready.wait(WAIT_S)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


def test_http_bounds_bodies_and_knows_only_post(url: str) -> None:
    with httpx.Client(trust_env=False) as client:
        assert client.get(url).status_code == 405
        assert client.post(url, content=b"x" * 200_001).status_code == 413
        assert client.post(url, content=b'{"method":"eth_chainId"}').status_code == 204
        assert client.post(url, content=b'{"id":1,"method":"eth_syncing"}').json()["result"] is False


def test_web3_works_through_the_gateway(url: str, chain: EmbeddedChain, known: Sender, contract: bytes) -> None:
    """The library that most tools are built on, unchanged: it reads, sends and finds its own transaction again."""
    web3 = Web3(HTTPProvider(url))
    to = Web3.to_checksum_address(contract)
    assert web3.eth.chain_id == chain.chain_id()
    assert web3.eth.gas_price == 0
    nonce = web3.eth.get_transaction_count(Web3.to_checksum_address(known.address), "pending")
    raw = known.next(to=contract, data=word(77), kind=2)
    tx_hash = web3.eth.send_raw_transaction(raw)
    receipt = web3.eth.wait_for_transaction_receipt(tx_hash, timeout=WAIT_S, poll_latency=0.01)
    assert (receipt["status"], receipt["transactionHash"]) == (1, tx_hash)
    assert web3.eth.get_transaction(tx_hash)["nonce"] == nonce
    block = web3.eth.get_block(receipt["blockNumber"], full_transactions=True)
    assert block["hash"] == receipt["blockHash"]
    assert [tx["hash"] for tx in block["transactions"]] == [tx_hash]  # type: ignore[index]
    assert web3.eth.get_block(block["hash"])["number"] == block["number"]
    (log,) = web3.eth.get_logs({"fromBlock": block["number"], "toBlock": block["number"], "address": to})
    assert log["data"] == word(77)
    assert web3.eth.get_block_receipts(block["number"])[0]["logs"][0] == log
    assert web3.eth.call({"to": to}) == word(77)
    assert web3.eth.fee_history(2, "latest", [50.0])["baseFeePerGas"] == [0, 0, 0]
