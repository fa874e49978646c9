"""anvil as a child process: started with the flags that make its blocks repeatable, watched, and killed with us.

What the flags are for is in ``docs/embedded-chain.md``. The node keeps nothing on disk that we rely on, so it is always
ended with SIGKILL.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import structlog

from ledger.chain.engine.block import check_block
from ledger.chain.rpc import Call, RPCClient, RPCError, to_hex, unhex
from ledger.domain.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from ledger.chain.engine.block import CheckedBlock
    from ledger.chain.engine.config import EngineConfig

__all__ = ["BATCH", "ONE_BY_ONE", "AnvilNode", "MinedBlock"]

_log = structlog.get_logger(__name__)

BATCH: Final = 32
"""Transactions in one JSON-RPC batch. anvil answers a batch's calls concurrently; they keep their order until a task's
budget at tokio (128 units) is spent, after 127 calls of type 0 and after 63 of type 2. Half of that is safe, and the
block is compared with its journalled order in any case."""
ONE_BY_ONE: Final = 1
_START_TIMEOUT_S: Final = 120.0
_LISTENING: Final = re.compile(rb"Listening on (127\.0\.0\.1:\d+)")
_LAUNCHER: Final = Path(__file__).with_name("launcher.py")


class MinedBlock:
    """A block just mined: checked, with the return data of each of its reverted transactions."""

    __slots__ = ("block", "reverts")

    def __init__(self, block: CheckedBlock, reverts: tuple[bytes, ...]) -> None:
        self.block = block
        self.reverts = reverts


class AnvilNode:
    """One running anvil.

    The thread that calls ``start`` must outlive the node: when it ends, the kernel kills the node.
    """

    def __init__(self, process: subprocess.Popen[bytes], rpc: RPCClient, version: str) -> None:
        self._process = process
        self.rpc = rpc
        self.version = version

    @classmethod
    def start(
        cls, config: EngineConfig, *, load_state: Path | None = None, on_exit: Callable[[], None] = lambda: None
    ) -> Self:
        """Start a node and wait until it listens.

        Args:
            config: The deployment and the program.
            load_state: A snapshot to begin from; without one it begins at genesis.
            on_exit: Called from another thread once the process is gone, however it went.

        Raises:
            UnavailableError: It cannot be started, or ended before it listened.
        """
        command = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), str(config.anvil), *_flags(config)]
        if load_state is not None:
            command += ["--load-state", str(load_state)]
        # Its environment is empty but for a home of its own: no variable of the user's may change a block.
        environment = {"HOME": str(config.folder), "RUST_LOG": "error"}
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
            )
        except OSError as error:
            raise UnavailableError("the embedded node", str(error), program=str(config.anvil)) from error
        output = _Output(process, on_exit)
        address = output.wait_for_address(_START_TIMEOUT_S)
        if address is None:
            process.kill()
            raise UnavailableError("the embedded node", "it ended before it listened", said=output.tail())
        rpc = RPCClient(f"http://{address}", timeout_s=config.rpc_timeout_s)
        node = cls(process, rpc, "")
        try:
            node.version = str(rpc.call("web3_clientVersion"))
        except BaseException:  # Also when interrupted: the process would outlive us.
            node.kill()
            raise
        return node

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """The process has not ended."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process and wait until it is gone."""
        self._process.kill()
        self._process.wait()
        self.rpc.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    # The three steps of a block.

    def pool(self, raw_transactions: Sequence[bytes], at_once: int = BATCH) -> list[str | None]:
        """Put transactions into the node's pool, in order; return why it refused each, or None.

        Args:
            raw_transactions: The transactions.
            at_once: How many go into one request; ``ONE_BY_ONE`` leaves the node no way to mix them up.

        Raises:
            UnavailableError: The node is gone.
        """
        refusals: list[str | None] = []
        for start in range(0, len(raw_transactions), at_once):
            part = raw_transactions[start : start + at_once]
            calls = [Call("eth_sendRawTransaction", (to_hex(raw),)) for raw in part]
            answers = self.rpc.try_batch(calls)
            refusals += [answer.message if isinstance(answer, RPCError) else None for answer in answers]
        return refusals

    def empty_pool(self) -> None:
        """Drop whatever the pool holds."""
        self.rpc.call("anvil_dropAllTransactions")

    def mine(self, timestamp: int) -> None:
        """Mine one block of all that the pool holds.

        Raises:
            UnavailableError: The node is gone.
            RPCError: The node refused the timestamp.
        """
        self.rpc.call("evm_setNextBlockTimestamp", timestamp)
        self.rpc.call("evm_mine")

    def tip_hash(self) -> bytes:
        """Return the hash that the node gives for its newest block."""
        return unhex(self.rpc.call("eth_getBlockByNumber", "latest", False)["hash"])

    def fetch(self, raw_transactions: Sequence[bytes]) -> MinedBlock:
        """Return the newest block, every hash in it recomputed from these transactions and its receipts.

        Raises:
            UnavailableError: The node is gone.
            ValueError: The block is not made of these transactions, or its parts do not give its hash.
        """
        shown, receipts = self.rpc.batch(
            [Call("eth_getBlockByNumber", ("latest", False)), Call("eth_getBlockReceipts", ("latest",))]
        )
        block = check_block(shown, receipts, raw_transactions)
        failed = [place for place, receipt in enumerate(block.receipts) if receipt.status != 1]
        traces = self.rpc.batch(
            [Call("debug_traceTransaction", (receipts[place]["transactionHash"], {})) for place in failed]
        )
        reverts = [b""] * len(block.receipts)
        for place, trace in zip(failed, traces, strict=True):
            text = str(trace.get("returnValue", ""))
            reverts[place] = unhex(text if text.startswith("0x") else "0x" + text)
        return MinedBlock(block, tuple(reverts))


def _flags(config: EngineConfig) -> list[str]:
    return [
        *("--host", "127.0.0.1", "--port", "0", "--no-cors", "--no-request-size-limit"),
        *("--chain-id", str(config.chain_id), "--timestamp", str(config.genesis_time), "--hardfork", "london"),
        *("--no-mining", "--order", "fifo", "--gas-limit", str(config.block_gas_limit)),
        *("--accounts", "0", "--gas-price", "0", "--block-base-fee-per-gas", "0", "--disable-min-priority-fee"),
        "--disable-default-create2-deployer",
        *("--prune-history", "--transaction-block-keeper", "1"),
    ]


class _Output:
    """Reads the node's output to its end, which comes when the process does; an unread pipe would stop the node."""

    def __init__(self, process: subprocess.Popen[bytes], on_exit: Callable[[], None]) -> None:
        self._process = process
        self._on_exit = on_exit
        self._known = threading.Event()
        self._address: str | None = None
        self._first_lines: list[bytes] = []
        threading.Thread(target=self._read, name="anvil-output", daemon=True).start()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None  # noqa: S101 - it was asked for
        with stream:
            for line in stream:
                if self._address is not None:
                    continue
                self._first_lines = [*self._first_lines[-20:], line]
                found = _LISTENING.search(line)
                if found:
                    self._address = found[1].decode()
                    self._known.set()
        self._process.wait()
        self._known.set()
        self._on_exit()

    def wait_for_address(self, timeout_s: float) -> str | None:
        """Return where it listens, or None if it ended or was silent for too long."""
        self._known.wait(timeout_s)
        return self._address

    def tail(self) -> str:
        """Return its last lines before it listened."""
        return b"".join(self._first_lines).decode(errors="replace").strip()
