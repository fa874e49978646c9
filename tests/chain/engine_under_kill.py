"""A process that runs an embedded chain until it is killed: ``python -m tests.chain.engine_under_kill``.

It reads one order a line from its input, forks a child for it (so that each life costs a fork and not an import), and
writes what happens as JSON lines: the child's ``started``, ``ready``, ``acked``, ``receipts`` and ``done``, then the
parent's ``ended``.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

import structlog

from ledger.chain.engine import EmbeddedChain, EngineConfig
from ledger.domain.errors import LedgerError
from tests.chain.accounts import SealerKey
from tests.chain.conftest import ANVIL, GENESIS_TIME

CHAIN_ID = 2**32 + 99


def config(folder: Path) -> EngineConfig:
    """Small blocks and frequent snapshots, so that every step comes up often."""
    return EngineConfig(
        folder=folder,
        anvil=ANVIL,
        chain_id=CHAIN_ID,
        genesis_time=GENESIS_TIME,
        block_transactions_max=3,
        snapshot_blocks=4,
        snapshot_transactions=9,
        time_lead_max_s=10**6,
    )


def say(**event: Any) -> None:
    os.write(1, json.dumps(event).encode() + b"\n")


def live(order: dict[str, Any]) -> None:
    hits = 0

    def crash_point(step: str) -> None:
        nonlocal hits
        if step == order["crash_at"]:
            hits += 1
            if hits == order["hit"]:
                os.kill(os.getpid(), signal.SIGKILL)

    say(event="started", pid=os.getpid())
    chain = EmbeddedChain(config(Path(order["folder"])), SealerKey(), crash_point=crash_point)
    try:
        chain.start()
        final = chain.final_block().number
        say(
            event="ready",
            node=chain.node_pid,
            blocks=[[header.number, header.hash.hex()] for header in chain.headers(0, final)],
        )
        for raw in order["transactions"]:
            say(event="acked", transaction=chain.submit(bytes.fromhex(raw)).hex())
        found = {}
        for tx_hash in order["wait_for"]:
            receipt = chain.wait_receipt(bytes.fromhex(tx_hash), 60.0)
            found[tx_hash] = [receipt.block_number, receipt.block_hash.hex(), receipt.tx_index, receipt.status]
        say(event="receipts", found=found, node=chain.node_pid)
        if order["check"]:
            say(event="replayed", last=chain.replay_from_genesis())
    except LedgerError as error:
        say(event="failed", code=error.code, reason=error.explain())
    finally:
        chain.close()
    say(event="done")


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                live(order)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        say(event="ended")


if __name__ == "__main__":
    main()
