"""Measure what an anchor costs on chain, for steps of 1 to 10,000,000 entries.

Run with ``python -m scripts.bench.anchor_gas``. The contract is deployed on a chain of its own, and takes anchors
of logs of a thousand to a thousand million entries with their consistency proofs. The logs are not made: a proof is a
few hashes on the way to the two sizes, and what lies beside is drawn, as in scripts/differential.
"""

from __future__ import annotations

import itertools
import secrets
import statistics
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table

from ledger.log.tree import consistency_proof, root_at
from ledger.service.call_data import call_data
from scripts.bench.gas_run import figures_asked, home_of_its_own
from scripts.differential.questions import DrawnTree

if TYPE_CHECKING:
    from ledger.service.services import Services

STEPS: Final = (1, 256, 1_024, 65_536, 10_000_000)
BEGINNINGS: Final = (1_000, 1_000_003, 1_000_000_007)
"""Sizes that the first of the measured anchors begins from; a larger log has longer proofs."""

TARGET: Final = {1_024: 60}
PEERS: Final = "EAS timestamp 24,778 an event; FireFly 1,412"


def main() -> None:
    """Print one table, or JSON."""
    figures = figures_asked(__doc__, "anchors", 12, "how many anchors of each step from each beginning", measure)
    table = Table("log of", "entries", "gas an anchor, median", "least", "most", "hashes", "gas an event", "target")
    for figure in figures:
        step = figure["step"]
        table.add_row(
            f"{figure['log']:,}", f"{step:,}", f"{figure['gas_median']:,}", f"{figure['gas_min']:,}",
            f"{figure['gas_max']:,}", f"{figure['hashes_min']} to {figure['hashes_max']}",
            f"{figure['gas_median'] / step:,.4g}", f"<= {TARGET[step]}" if step in TARGET else "",
        )  # fmt: skip
    console = Console(width=140)
    console.print(table)
    console.print(f"peers: {PEERS}")


def measure(anchors: int) -> list[dict[str, int]]:
    """Return the figures of each step in a log of each size."""
    figures = []
    for first in BEGINNINGS:
        costs: dict[int, list[tuple[int, int]]] = {step: [] for step in STEPS}
        for step, cost in _costs(first, anchors):
            costs[step].append(cost)
        figures += [_figure(first, step, found) for step, found in costs.items()]
    return figures


def _figure(first: int, step: int, costs: list[tuple[int, int]]) -> dict[str, int]:
    gas, hashes = [cost for cost, _ in costs], [count for _, count in costs]
    return {
        "log": first,
        "step": step,
        "anchors": len(costs),
        "gas_min": min(gas),
        "gas_median": round(statistics.median(gas)),
        "gas_max": max(gas),
        "hashes_min": min(hashes),
        "hashes_max": max(hashes),
    }


def _costs(first: int, anchors: int) -> list[tuple[int, tuple[int, int]]]:
    """Return (step, (gas, hashes)) of anchors of each step, one after another on a deployment of their own."""
    with home_of_its_own() as services:
        steps = [step for step in STEPS for _ in range(anchors)]
        sizes = list(itertools.accumulate(steps, initial=first))
        tree = DrawnTree(secrets.token_bytes(16), tuple(sizes))
        _anchor(services, tree, 0, first)
        pairs = zip(steps, itertools.pairwise(sizes), strict=True)
        return [(step, _anchor(services, tree, old, new)) for step, (old, new) in pairs]


def _anchor(services: Services, tree: DrawnTree, old: int, new: int) -> tuple[int, int]:
    proof = consistency_proof(tree, old, new)
    data = call_data(
        "anchor",
        [
            ("uint64", new),
            ("bytes32", root_at(tree, new)),
            ("bytes32", secrets.token_bytes(32)),
            ("bytes32[]", proof),
        ],
    )
    key = f"measured:{new}"
    services.outbox.send(key, services.deployment.address("CheckpointAnchor"), data, sender="operator")
    return services.outbox.wait(key, 60).gas_used, len(proof)


if __name__ == "__main__":
    main()
