"""The three who answer: our Python in this process, our Solidity on an anvil, and a Go program of others' code."""

from __future__ import annotations

import contextlib
import re
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.chain.rpc import RPCClient, to_hex, unhex
from ledger.domain.errors import VerificationError
from ledger.log.proofs import verify_consistency, verify_inclusion
from scripts.contracts.compilers import SETTINGS, compile_sources
from scripts.contracts.sources import source_closure
from scripts.differential.questions import INCLUSION, Question

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT: Final = Path(__file__).parents[2]
GO_SOURCE: Final = ROOT / "scripts" / "differential" / "go"
_BULK: Final = "scripts/differential/bulk.sol"
_ADDRESS: Final = "0x" + "6962".rjust(40, "0")
_GAS: Final = hex(1_000_000_000)


def in_python(asked: Sequence[Question]) -> bytes:
    """Return 1 or 0 for each question, by `ledger.log.proofs`."""
    return bytes(_holds(question) for question in asked)


def _holds(question: Question) -> bool:
    try:
        if question.kind == INCLUSION:
            verify_inclusion(question.left, question.first, question.second, question.proof, question.right)
        else:
            verify_consistency(question.first, question.second, question.proof, question.left, question.right)
    except VerificationError:
        return False
    return True


class Solidity:
    """The library that `CheckpointAnchor` verifies with, compiled as it is and called in bulk."""

    def __init__(self, rpc: RPCClient) -> None:
        self._rpc = rpc

    def answer(self, questions: bytes) -> bytes:
        """Return 1 or 0 for each encoded question."""
        call = {"to": _ADDRESS, "data": to_hex(questions), "gas": _GAS}
        return unhex(self._rpc.call("eth_call", call, "latest"))


@contextlib.contextmanager
def solidity(anvil: Path) -> Iterator[Solidity]:
    """Run the contract on an anvil of its own."""
    compiled = compile_sources(ROOT, source_closure(ROOT, [_BULK]), SETTINGS)
    runtime = compiled["contracts"][_BULK]["BulkVerifier"]["evm"]["deployedBytecode"]["object"]
    command = [
        str(anvil), "--port", "0", "--hardfork", "london", "--no-mining", "--accounts", "0", "--prune-history",
        "--gas-limit", str(int(_GAS, 16)), "--no-request-size-limit",
    ]  # fmt: skip
    with (
        tempfile.TemporaryDirectory() as home,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"HOME": home}) as process,
    ):
        assert process.stdout is not None
        url = next((found[1] for line in process.stdout if (found := re.search(r"Listening on (\S+)", line))), None)
        assert url is not None, "anvil did not start"
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        try:
            with RPCClient(f"http://{url}", timeout_s=300) as rpc:
                rpc.call("anvil_setCode", _ADDRESS, "0x" + runtime)
                yield Solidity(rpc)
        finally:
            process.kill()
            drain.join()


class Go:
    """A running Go program: it answers what is written to it, question by question."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def answer(self, questions: bytes, count: int) -> bytes:
        """Return 1 or 0 for each encoded question."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(questions)
        self._process.stdin.flush()
        answered = self._process.stdout.read(count)
        assert len(answered) == count, "the Go program ended"
        return answered


@contextlib.contextmanager
def go(program: Path) -> Iterator[Go]:
    """Run the program that `GO_SOURCE` builds to."""
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Go(process)
        finally:
            process.kill()
