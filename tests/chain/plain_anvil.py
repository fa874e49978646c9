"""A plain anvil that mines when told, with a contract on it that emits what it is asked to."""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
from typing import TYPE_CHECKING, Any

from ledger.chain.rpc import RPCClient, to_hex, unhex
from scripts.bench.emitter import EMITTER_INITCODE, call_of
from tests.chain.conftest import ANVIL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ledger.domain.event_log import Event

GAS = hex(20_000_000)


class Node:
    """Its endpoint, and the control methods that tests use."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.rpc = RPCClient(url, timeout_s=60)
        self.account = self.rpc.call("eth_accounts")[0]

    def deploy(self) -> bytes:
        """Mine an emitter and return its address."""
        made = {"from": self.account, "data": to_hex(EMITTER_INITCODE), "gas": GAS, "gasPrice": "0x0"}
        tx_hash = self.rpc.call("eth_sendTransaction", made)
        self.mine()
        return unhex(self.rpc.call("eth_getTransactionReceipt", tx_hash)["contractAddress"])

    def emit(self, contract: bytes, logs: Sequence[Event]) -> None:
        """Queue a transaction that emits the events."""
        data = call_of(event.to_log() for event in logs)
        call = {"from": self.account, "to": to_hex(contract), "data": to_hex(data), "gas": GAS, "gasPrice": "0x0"}
        self.rpc.call("eth_sendTransaction", call)

    def mine(self, timestamp: int | None = None) -> None:
        if timestamp is not None:
            self.rpc.call("evm_setNextBlockTimestamp", timestamp)
        self.rpc.call("evm_mine")

    def control(self, method: str, *params: Any) -> Any:
        return self.rpc.call(method, *params)


@contextlib.contextmanager
def plain_anvil(home: Path) -> Iterator[Node]:
    command = [
        str(ANVIL), "--port", "0", "--chain-id", "31415926535", "--hardfork", "london", "--gas-price", "0",
        "--block-base-fee-per-gas", "0", "--disable-min-priority-fee", "--no-mining", "--order", "fifo",
        "--timestamp", "1600000000", "--gas-limit", "1000000000",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"HOME": str(home)}) as process:
        assert process.stdout is not None
        found = None
        for line in process.stdout:
            found = re.search(r"Listening on (\S+)", line)
            if found:
                break
        assert found is not None
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        node = Node(f"http://{found[1]}")
        try:
            yield node
        finally:
            node.rpc.close()
            process.kill()
            drain.join()
