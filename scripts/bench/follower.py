"""Measure the follower: events a second from a plain node, ours and web3.py's ``get_logs``, in one run.

Run with ``python -m scripts.bench.follower`` (``--events N``, 48,000 by default). A plain anvil gets blocks of some
two hundred events of ten kinds, as a ledger at work would emit them, from a contract that repeats what it is told.
Then the same node is read:

- by our follower: raw JSON-RPC, headers and logs checked, every event decoded into its record;
- by the same with the index's rows written, one transaction a stretch, and the index read back;
- by web3.py: ``contract.events.X.get_logs`` for each kind, over the same blocks.

Each is the best of three. No signature is checked here: what is compared is reading.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import subprocess
import tempfile
import threading
import time
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table
from web3 import HTTPProvider, Web3

from ledger.chain.artifacts import load_artifact
from ledger.chain.engine import RemoteChain
from ledger.chain.follower import ChainFollower
from ledger.chain.rpc import Call, RPCClient, to_hex, unhex
from ledger.domain import event_decoding, events
from ledger.domain.keccak import keccak256
from ledger.domain.records import Grant, Terms
from ledger.domain.scalars import OPEN_END, ZERO32
from ledger.service.following import Mark, Stretch
from ledger.store.sql_index import SQLIndex
from scripts.bench.emitter import EMITTER_INITCODE, call_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ledger.domain.event_log import Event
    from ledger.service.ports import RawLog

ANVIL: Final = Path("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")
A_BLOCK: Final = 16
"""Units of events in a block; a unit is twelve events."""
ROUNDS: Final = 3
TARGET: Final = 20_000
_GAS: Final = hex(100_000_000)
_CONTRACT_OF: Final = {event: contract for contract, some in event_decoding.EVENTS.items() for event in some}


def main() -> None:
    """Print our figures, the peer's, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=48_000)
    units = max(1, parser.parse_args().events // 12)
    console = Console(width=120)
    build = Path("build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder, _plain_node(Path(folder)) as rpc:
        contracts = _deploy(rpc)
        blocks = _fill(rpc, contracts, units)
        console.print(f"{units * 12:,} events in {blocks:,} blocks of a plain anvil")
        ours = _best(lambda: _follow(rpc.url, contracts, None))
        indexed = _best(lambda: _follow(rpc.url, contracts, Path(folder)))
        peer = _best(lambda: _web3(rpc.url, contracts))
    table = Table("what", "events", "seconds", "events/s", "of web3.py", title="Following a chain")
    base = peer[0] / peer[1]
    for what, (count, seconds) in (
        (f"our follower, decoded (target {TARGET:,})", ours),
        ("our follower, index rows written", indexed),
        ("web3.py get_logs", peer),
    ):
        rate = count / seconds
        table.add_row(what, f"{count:,}", f"{seconds:.2f}", f"{rate:,.0f}", f"{rate / base:.1f} x")
    console.print(table)


@contextlib.contextmanager
def _plain_node(home: Path) -> Iterator[RPCClient]:
    command = [
        str(ANVIL.resolve()), "--port", "0", "--hardfork", "london", "--gas-price", "0",
        "--block-base-fee-per-gas", "0", "--disable-min-priority-fee", "--no-mining", "--order", "fifo",
        "--gas-limit", "1000000000",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"HOME": str(home)}) as process:
        assert process.stdout is not None
        found = next(found for line in process.stdout if (found := re.search(r"Listening on (\S+)", line)))
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        with RPCClient(f"http://{found[1]}", timeout_s=120) as rpc:
            yield rpc
        process.kill()
        drain.join()


def _deploy(rpc: RPCClient) -> dict[str, bytes]:
    """Put one emitter on the chain for each contract."""
    account = rpc.call("eth_accounts")[0]
    creation = {"from": account, "data": to_hex(EMITTER_INITCODE), "gas": _GAS, "gasPrice": "0x0"}
    sent = [rpc.call("eth_sendTransaction", creation) for _ in event_decoding.EVENTS]
    rpc.call("evm_mine")
    receipts = rpc.batch([Call("eth_getTransactionReceipt", (tx,)) for tx in sent])
    return {
        name: unhex(receipt["contractAddress"]) for name, receipt in zip(event_decoding.EVENTS, receipts, strict=True)
    }


def _fill(rpc: RPCClient, contracts: Mapping[str, bytes], units: int) -> int:
    account = rpc.call("eth_accounts")[0]
    blocks = 0
    for first in range(0, units, A_BLOCK):
        made = [event for number in range(first, min(first + A_BLOCK, units)) for event in _unit(number)]
        made.sort(key=lambda event: _CONTRACT_OF[type(event)])
        for contract, some in groupby(made, key=lambda event: _CONTRACT_OF[type(event)]):
            data = to_hex(call_of(event.to_log() for event in some))
            call = {"from": account, "to": to_hex(contracts[contract]), "data": data, "gas": _GAS, "gasPrice": "0x0"}
            rpc.call("eth_sendTransaction", call)
        rpc.call("evm_mine")
        blocks += 1
    return blocks


def _unit(number: int) -> list[Event]:
    """Twelve events that belong together: an agency, its post and entry, an agreement, a duty, a case, an anchor."""

    def some(what: str) -> bytes:
        return keccak256(f"{what} {number}".encode())

    agency, other, post, dataset, agreement = map(some, ("agency", "other", "post", "dataset", "agreement"))
    grant = Grant(dataset, 1, other, some("purpose"), 1, 1_700_000_000, OPEN_END)
    terms = Terms(agreement, 1, agency, (agency, other), some("text"), ZERO32, 0, (grant,))
    signer = some("signer")[:20]
    duty = some("assignment")
    return [
        events.AgencyAdmitted(agency, some("scheme"), signer, 0, some("profile")),
        events.PostRegistered(post, agency, 3, some("profile")),
        events.KeyBound(post, signer, 2**40, OPEN_END),
        events.EntryPublished(dataset, 1, agency, post, some("code"), 2, 1, False, ZERO32, some("content")),
        events.AgreementProposed(agreement, 1, post, some("terms"), terms),
        events.AgreementSigned(agreement, 1, post, agency, signer),
        events.AgreementSigned(agreement, 1, post, other, signer),
        events.AgreementActivated(agreement, 1),
        events.ResponsibilityAssigned(
            duty, agreement, 3, post, 2, post, 1, 10_000, 1_700_000_000, OPEN_END, ZERO32, ZERO32
        ),
        events.ResponsibilityAccepted(duty, agreement, 3, post),
        events.CaseAdvanced(some("case"), 2, post, some("filing"), ZERO32),
        events.CheckpointAnchored(number + 1, some("root"), some("note")),
    ]


def _best(run: Callable[[], int]) -> tuple[int, float]:
    """Return the number of events, and the seconds of the fastest round."""
    times: list[float] = []
    count = 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        count = run()
        times.append(time.perf_counter() - start)
    return count, min(times)


def _follow(url: str, contracts: Mapping[str, bytes], folder: Path | None) -> int:
    """Read the chain from its second block on; with a folder, into a new index there."""
    index = None
    if folder is not None:
        path = Path(tempfile.mkdtemp(dir=folder)) / "index.db"
        index = SQLIndex.open(path, contracts)
    with RemoteChain(url) as chain:
        follower = ChainFollower(chain, list(contracts.values()), 2)
        held: list[Mark] = []
        count = 0
        while isinstance(stretch := follower.next(held), Stretch):
            if index is not None:
                index.apply(stretch)
                held = index.held()
            else:
                count += sum(_decoded(log) for log in stretch.logs)
                held = [stretch.tip]
    if index is not None:
        count = index.row_counts()["events"]
        index.close()
    return count


def _decoded(log: RawLog) -> bool:
    return event_decoding.decode_log(log.topics, log.data) is not None


def _web3(url: str, contracts: Mapping[str, bytes]) -> int:
    """Read the same blocks with web3.py, kind by kind, as its users do."""
    web3 = Web3(HTTPProvider(url, request_kwargs={"timeout": 300}))
    last = web3.eth.block_number
    count = 0
    for name, address in contracts.items():
        contract: Any = web3.eth.contract(address=Web3.to_checksum_address(address), abi=load_artifact(name).abi)
        for kind in event_decoding.EVENTS[name]:
            for first in range(2, last + 1, 1_000):
                found = contract.events[kind.__name__]().get_logs(from_block=first, to_block=min(first + 999, last))
                count += len(found)
    return count


if __name__ == "__main__":
    main()
