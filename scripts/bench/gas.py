"""Measure gas: a signed agreement with 1 and 10 grants, for each party, and an anchor for each event at 1,024 a batch.

Run with ``python -m scripts.bench.gas``. A home is made in a temporary folder under ``build/`` with its chain and
contracts; two agencies sign, and the log grows by batches, each anchored with its consistency proof. What peers were
measured at, on the same compiler settings, stands beside.
"""

from __future__ import annotations

import secrets
import statistics
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from ledger.domain.identifiers import parse_dataset, parse_post
from ledger.domain.records import Grant, Propose, Sign, Terms
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import struct_hash
from ledger.service.keys import signer_for_post
from ledger.service.submission import deadline_of, fresh_nonce, relay, sign_request
from scripts.bench.gas_run import figures_asked, home_of_its_own

if TYPE_CHECKING:
    from ledger.domain.record import Record
    from ledger.service.services import Services

PROVIDER, REQUESTER = "name:bench/CN/Provider", "name:bench/CN/Requester"
HEADS = (f"head@{PROVIDER}", f"head@{REQUESTER}")
BATCH = 1_024
AGREEMENT_TARGET, ANCHOR_TARGET = 200_000, 60
PEER_AGREEMENT = "EAS delegated attestation 262,000"
PEER_ANCHOR = "EAS timestamp 24,778; FireFly 1,412"


def main() -> None:
    """Print one table, or JSON."""
    figures = figures_asked(__doc__, "batches", 24, "how many batches of 1,024 leaves to anchor", measure)
    table = Table("what", "gas", "target", "peers")
    for grants in (1, 10):
        target = f"<= {AGREEMENT_TARGET:,}" if grants == 1 else ""
        name = f"signed agreement, {grants} grant{'s' if grants > 1 else ''}, for each of two parties"
        table.add_row(name, f"{figures[f'agreement_{grants}']:,.0f}", target, PEER_AGREEMENT if grants == 1 else "")
    later = f"{figures['anchor_min']:.1f} to {figures['anchor_max']:.1f}, median {figures['anchor_median']:.1f}"
    table.add_row(f"anchor, for each of {BATCH:,} events", later, f"<= {ANCHOR_TARGET}", PEER_ANCHOR)
    Console(width=140).print(table)


def measure(batches: int) -> dict[str, float]:
    """Return the figures by name, each measured on a home of its own."""
    with home_of_its_own() as services:
        figures = {f"agreement_{grants}": agreement(services, grants) for grants in (1, 10)}
        return figures | anchors(services, batches)


def agreement(services: Services, grants: int) -> float:
    """Return what an agreement costs each of its two parties: proposal and both signatures, halved."""
    if grants == 1:
        _set_up(services)
    datasets = [f"{PROVIDER}#{grants}-{place}" for place in range(grants)]
    for dataset in datasets:
        services.dispatch("catalogue.add", {"dataset": dataset, "post": HEADS[0], "name_en": "Data"})
    terms = Terms(
        agreement=secrets.token_bytes(32),
        version=1,
        provider=parse_post(HEADS[0]).agency.id,
        parties=tuple(parse_post(head).agency.id for head in HEADS),
        text=secrets.token_bytes(32),
        review=ZERO32,
        review_valid_until=0,
        grants=tuple(
            Grant(
                dataset=parse_dataset(dataset).id,
                dataset_version=1,
                recipient=parse_post(HEADS[1]).agency.id,
                purpose=secrets.token_bytes(32),
                delivery=1,
                valid_from=services.now_s(),
                valid_to=0,
            )
            for dataset in datasets
        ),
    )
    post = parse_post(HEADS[0]).id
    spent = _relay(services, HEADS[0], Propose(post, terms, fresh_nonce(), deadline_of(services)))
    for head in HEADS:
        post = parse_post(head).id
        signed = Sign(post, terms.agreement, 1, struct_hash(terms), fresh_nonce(), deadline_of(services))
        spent += _relay(services, head, signed)
    return spent / len(HEADS)


def anchors(services: Services, batches: int) -> dict[str, float]:
    """Return what anchoring costs for each leaf of a batch.

    The first anchor, which needs no proof, covers 1,000 leaves and is not counted: batches of a power of two from
    there on never end at a perfect tree, where proofs are shortest.
    """
    _anchor(services, 1_000)
    costs = [_anchor(services, BATCH) / BATCH for _ in range(batches)]
    return {"anchor_min": min(costs), "anchor_median": statistics.median(costs), "anchor_max": max(costs)}


def _anchor(services: Services, leaves: int) -> int:
    services.log.append([secrets.token_bytes(200) for _ in range(leaves)])
    receipt = services.chain.receipt(bytes.fromhex(services.dispatch("anchor", {})["tx"]))
    assert receipt is not None
    return receipt.gas_used


def _set_up(services: Services) -> None:
    for agency in (PROVIDER, REQUESTER):
        services.dispatch("agency.add", {"agency": agency, "name_en": "Bench"})
    for head, role in zip(HEADS, ("PROVIDER_OFFICE_HEAD", "REQUESTER_OFFICE_HEAD"), strict=True):
        services.dispatch(
            "post.add", {"post": head, "roles": [role, "DEPT_HEAD"], "name_en": "Head", "key": f"key-{role.lower()}"}
        )


def _relay(services: Services, head: str, record: Record) -> int:
    signer = signer_for_post(services, parse_post(head).id)
    return relay(services, sign_request(services, record, signer)).gas_used


if __name__ == "__main__":
    main()
