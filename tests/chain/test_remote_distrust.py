"""The network adapter believes no answer that does not give the hash it must, and tells seals from plain extra data."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import rlp
from eth_account import Account as EthAccount
from eth_hash.auto import keccak

from ledger.chain.engine import FinalityDepth, FinalizedTag, RemoteChain
from ledger.chain.engine.clique import clique_seal
from ledger.domain.errors import IntegrityError, InvalidInputError, LedgerError, UnavailableError
from tests.chain.accounts import Sender
from tests.chain.conftest import ANVIL
from tests.chain.test_rpc import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHAIN_ID = 2**33 + 1
WAIT_S = 20.0


@pytest.fixture(scope="module")
def anvil_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = [
        str(ANVIL), "--port", "0", "--chain-id", str(CHAIN_ID), "--hardfork", "london", "--gas-price", "0",
        "--block-base-fee-per-gas", "0", "--disable-min-priority-fee", "--slots-in-an-epoch", "1",
    ]  # fmt: skip
    home = {"HOME": str(tmp_path_factory.mktemp("home"))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=home) as process:
        assert process.stdout is not None
        found = next(found for line in process.stdout if (found := re.search(r"Listening on (\S+)", line)))
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        yield f"http://{found[1]}"
        process.kill()
        drain.join()


@pytest.fixture
def liar(anvil_url: str) -> Iterator[Node]:
    """A node that passes everything on; ``alter`` changes what it answers."""
    node = Node()
    client = httpx.Client(trust_env=False)
    node.answer = lambda request: client.post(anvil_url, json=request).content
    yield node
    node.close()
    client.close()


def lie(liar: Node, method: str, alter: Callable[[Any], None]) -> None:
    honest = liar.answer

    def answer(request: Any) -> bytes:
        answers = json.loads(honest(request))
        calls = request if isinstance(request, list) else [request]
        by_id = {one["id"]: one for one in (answers if isinstance(answers, list) else [answers])}
        for call in calls:
            if call["method"] == method:
                alter(by_id[call["id"]]["result"])
        return json.dumps(answers).encode()

    liar.answer = answer


def mine_one(chain: RemoteChain, seed: int) -> int:
    sender = Sender(CHAIN_ID, seed)
    sender.nonce = chain.nonce(sender.address)
    tx_hash = chain.submit(sender.next(data=b"abc"))
    number = None
    while number is None:
        receipt = chain.receipt(tx_hash)
        number = receipt.block_number if receipt else None
    return number


def change(name: str, value: object) -> Callable[[Any], None]:
    def alter(found: Any) -> None:
        target = found[0] if isinstance(found, list) else found
        target[name] = value

    return alter


@pytest.mark.parametrize(
    ("method", "alter"),
    [
        ("eth_getBlockByNumber", change("stateRoot", "0x" + "11" * 32)),
        ("eth_getBlockByNumber", change("timestamp", "0x1")),
        ("eth_getBlockByNumber", change("hash", "0x" + "11" * 32)),
        ("eth_getBlockByNumber", change("transactions", [])),
        ("eth_getBlockByNumber", lambda block: block["transactions"][0].update(input="0x00")),
        ("eth_getBlockReceipts", change("status", "0x0")),
        ("eth_getBlockReceipts", change("cumulativeGasUsed", "0x1")),
        ("eth_getBlockReceipts", change("logs", [{"address": "0x" + "11" * 20, "topics": [], "data": "0x"}])),
        ("eth_getBlockReceipts", lambda receipts: receipts.pop()),
    ],
)
def test_altered_block_is_an_integrity_error(liar: Node, method: str, alter: Callable[[Any], None]) -> None:
    with RemoteChain(liar.url) as chain:
        number = mine_one(chain, 1)
        assert chain.block(number).ref.number == number
        lie(liar, method, alter)
        with pytest.raises(IntegrityError):
            chain.block(number)


def test_altered_header_and_proof_are_integrity_errors(liar: Node) -> None:
    with RemoteChain(liar.url) as chain:
        number = mine_one(chain, 2)
        assert chain.headers(number, number)[0].number == number
        lie(liar, "eth_getProof", change("accountProof", ["0x" + "c0" * 40]))
        with pytest.raises(IntegrityError):
            chain.proofs({b"\x11" * 20: []})
        lie(liar, "eth_getBlockByNumber", change("parentHash", "0x" + "22" * 32))
        with pytest.raises(IntegrityError):
            chain.headers(number, number)


def test_answer_with_another_transactions_hash_is_not_believed(liar: Node) -> None:
    with RemoteChain(liar.url) as chain:
        honest = liar.answer

        def answer(request: Any) -> bytes:
            if request["method"] == "eth_sendRawTransaction":
                return json.dumps({"id": request["id"], "result": "0x" + "11" * 32}).encode()
            return honest(request)

        liar.answer = answer
        with pytest.raises(UnavailableError, match="another transaction"):
            chain.submit(Sender(CHAIN_ID, 3).sign(0))


def test_endpoint_of_another_chain_is_refused(liar: Node) -> None:
    with RemoteChain(liar.url, chain_id=CHAIN_ID + 1) as chain, pytest.raises(IntegrityError, match="another chain"):
        chain.chain_id()


@pytest.mark.parametrize(
    ("message", "number", "error"),
    [
        ("txpool is full", -32000, UnavailableError),
        ("something inside broke", -32603, UnavailableError),
        ("exceeds block gas limit", -32000, InvalidInputError),
        ("intrinsic gas too low", -32000, InvalidInputError),
    ],
)
def test_nodes_refusals_say_whether_to_try_again(
    liar: Node, message: str, number: int, error: type[LedgerError]
) -> None:
    honest = liar.answer

    def answer(request: Any) -> bytes:
        if request["method"] == "eth_sendRawTransaction":
            return json.dumps({"id": request["id"], "error": {"code": number, "message": message}}).encode()
        return honest(request)

    liar.answer = answer
    with RemoteChain(liar.url) as chain, pytest.raises(error):
        chain.submit(Sender(CHAIN_ID, 4).sign(0))


def test_final_is_so_many_blocks_below_the_head_or_the_nodes_tag(liar: Node) -> None:
    with RemoteChain(liar.url) as plain:
        numbers = [mine_one(plain, 5) for _ in range(4)]
    with RemoteChain(liar.url, finality=FinalityDepth(3)) as deep:
        assert deep.head_block().number == numbers[-1]
        assert deep.final_block().number == numbers[-1] - 3
        last = deep.block(numbers[-1]).transactions[0]
        with pytest.raises(UnavailableError, match="no final block"):
            deep.wait_receipt(keccak(last), 0.05)
    with RemoteChain(liar.url, finality=FinalizedTag()) as tagged:
        assert 0 < tagged.final_block().number < numbers[-1]


def test_clique_header_names_its_sealer() -> None:
    fields: list[bytes] = [bytes([place]) * 32 for place in range(15)]
    fields[12] = b"v" * 32
    key = EthAccount.from_key(b"\x05" * 32)
    signature = EthAccount.unsafe_sign_hash(keccak(rlp.encode(fields)), key.key)
    seal = bytes(signature.signature[:64]) + bytes([signature.v - 27])
    sealed = rlp.encode([*fields[:12], fields[12] + seal, *fields[13:]])
    assert clique_seal(sealed) == (bytes.fromhex(key.address[2:]), seal)
    assert clique_seal(rlp.encode(fields)) is None
    other = clique_seal(rlp.encode([b"\x09" * 32, *fields[1:12], fields[12] + seal, *fields[13:]]))
    assert other is None or other[0] != bytes.fromhex(key.address[2:])
