"""Measure the embedded chain: rate from submission to receipt, and start-up times of the chain that this made.

Run with ``python -m scripts.bench.chain`` (``--transactions N``, by default 10,000 and then 100,000). Every submission
is on disk when it returns, and every receipt is sealed and stored. Each transaction calls a small contract, stores a
word and emits a log; senders submit at the same time from one process. The chain is made in a temporary folder under
``build/``.

Start-up is measured three times: after a clean stop, after a kill at the worst moment (just before a snapshot was due),
and with the whole journal replayed from genesis, which is what ``quanze fsck`` does.
"""

from __future__ import annotations

import argparse
import logging
import secrets
import shutil
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import coincurve
import structlog
from rich.console import Console
from rich.table import Table

from ledger.chain.engine import CHAIN_ID_MIN, EmbeddedChain, EngineConfig
from ledger.chain.raw_transaction import created_address, sign_transaction
from ledger.domain.keccak import keccak256

ANVIL = Path("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
SENDERS = 32
SINGLE = 200
SLOTS = 5_000
# sstore(calldata[0], calldata[32]); log1(memory, topic calldata[0])
RUNTIME = bytes.fromhex("60203560003555" + "602035600052" + "60003560206000a1" + "00")
INITCODE = bytes.fromhex(f"60{len(RUNTIME):02x}600c60003960{len(RUNTIME):02x}6000f3") + RUNTIME


class BenchKey:
    """A throw-away key with the shape of the port ``Signer``."""

    def __init__(self) -> None:
        self._key = coincurve.PrivateKey()
        self.address = keccak256(self._key.public_key.format(compressed=False)[1:])[12:]

    def sign_digest(self, digest: bytes) -> bytes:
        """Return r, s and v."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes((signature[64] + 27,))


def main() -> None:
    """Print one table with a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transactions", type=int, nargs="*", default=[10_000, 100_000])
    sizes: list[int] = parser.parse_args().transactions
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    build = Path("build")
    build.mkdir(exist_ok=True)
    console = Console(width=150)
    table = Table(
        "transactions", "blocks", "submitted/s", "sealed/s", "one at a time p50", "start, clean stop", "start, killed",
        "replayed then", "from genesis", "journal", "snapshot", title="The embedded chain",
    )  # fmt: skip
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=build) as folder:
            table.add_row(*measure(Path(folder), size))
    console.print(table)


def measure(folder: Path, size: int) -> list[str]:
    """Grow one chain, and start it in every way."""
    sealer = BenchKey()
    config = EngineConfig(
        folder=folder / "chain",
        anvil=ANVIL.resolve(),
        chain_id=CHAIN_ID_MIN + secrets.randbelow(2**40),
        genesis_time=int(time.time()) - 10**6,
        time_lead_max_s=10**6,
    )
    with EmbeddedChain(config, sealer.sign_digest) as chain:
        one_at_a_time, contract = single(chain)
        senders = [BenchKey() for _ in range(SENDERS)]
        batches = [calls(chain, sender, contract, size // SENDERS) for sender in senders]
        began = time.perf_counter()
        with ThreadPoolExecutor(SENDERS) as pool:
            sent = list(pool.map(lambda raws: [chain.submit(raw) for raw in raws], batches))
        submitted_s = time.perf_counter() - began
        for hashes in sent:
            assert chain.wait_receipt(hashes[-1], 600.0).status == 1
        sealed_s = time.perf_counter() - began
        count = sum(len(hashes) for hashes in sent)
        tail = config.snapshot_transactions - 1
        more = calls(chain, senders[0], contract, tail)
    clean_s = start(config, sealer)
    killed_s = start_after_kill(folder, config, sealer, more)
    began = time.perf_counter()
    with EmbeddedChain(config, sealer.sign_digest) as chain:
        began = time.perf_counter()
        blocks = chain.replay_from_genesis()
        genesis_s = time.perf_counter() - began
    snapshot = max((config.folder / "snapshots").iterdir()).stat().st_size
    return [
        f"{count:,}", f"{blocks:,}", f"{count / submitted_s:,.0f}", f"{count / sealed_s:,.0f}",
        f"{1000 * one_at_a_time:.1f} ms", f"{clean_s:.2f} s", f"{killed_s:.2f} s", f"{tail:,}", f"{genesis_s:.1f} s",
        f"{(config.folder / 'journal.db').stat().st_size / 1e6:.0f} MB", f"{snapshot / 1e6:.1f} MB",
    ]  # fmt: skip


def single(chain: EmbeddedChain) -> tuple[float, bytes]:
    """Create the contract, and time transactions that each wait for their receipt."""
    key = BenchKey()
    raw = sign_transaction(key, chain_id=chain.chain_id(), nonce=0, to=b"", data=INITCODE, gas=500_000)
    assert chain.wait_receipt(chain.submit(raw.raw), 60.0).status == 1
    contract = created_address(key.address, 0)
    times: list[float] = []
    for raw_call in calls(chain, key, contract, SINGLE):
        began = time.perf_counter()
        assert chain.wait_receipt(chain.submit(raw_call), 60.0).status == 1
        times.append(time.perf_counter() - began)
    return statistics.median(times), contract


def calls(chain: EmbeddedChain, sender: BenchKey, contract: bytes, count: int) -> list[bytes]:
    """Sign calls that each store a word and log it."""
    first = chain.nonce(sender.address)
    return [
        sign_transaction(
            sender,
            chain_id=chain.chain_id(),
            nonce=first + number,
            to=contract,
            data=secrets.randbelow(SLOTS).to_bytes(32, "big") + secrets.token_bytes(32),
            gas=100_000,
        ).raw
        for number in range(count)
    ]


def start(config: EngineConfig, sealer: BenchKey) -> float:
    """Return how long a start takes."""
    chain = EmbeddedChain(config, sealer.sign_digest)
    began = time.perf_counter()
    chain.start()
    took_s = time.perf_counter() - began
    chain.close()
    return took_s


def start_after_kill(folder: Path, config: EngineConfig, sealer: BenchKey, more: list[bytes]) -> float:
    """Return how long a start takes on what a kill leaves: here, a copy made while the chain ran with a full tail."""
    copy = folder / "copy"
    values = {name: getattr(config, name) for name in config.__slots__}
    without_snapshots = values | {"snapshot_transactions": 10**9, "snapshot_blocks": 10**9}
    with EmbeddedChain(EngineConfig(**without_snapshots), sealer.sign_digest) as chain:
        sent = [chain.submit(raw) for raw in more]
        assert chain.wait_receipt(sent[-1], 600.0).status == 1
        chain.backup(copy)
    took_s = start(EngineConfig(**values | {"folder": copy}), sealer)
    shutil.rmtree(copy)
    return took_s


if __name__ == "__main__":
    main()
