"""What a signed agreement costs, measured on the deployed contracts and compared with the committed figures."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger.domain.codes import PostRole
from tests.contracts.agreements import grant, make_party, propose, publish, sign, terms

if TYPE_CHECKING:
    from tests.contracts.deployed import DeployedLedger

GAS = json.loads((Path(__file__).parent / "gas.json").read_text())
TOLERANCE = 0.01
"""Calldata bytes that happen to be zero cost less, so a run differs by a few hundred gas from another."""


@pytest.mark.parametrize("grants", [1, 10, 100])
def test_a_signed_agreement_costs_what_is_committed(ledger: DeployedLedger, grants: int) -> None:
    provider = make_party(ledger, PostRole.PROVIDER_OFFICE_HEAD)
    requester = make_party(ledger, PostRole.REQUESTER_OFFICE_HEAD)
    datasets = [publish(ledger, provider, secrets.token_bytes(32)) for _ in range(grants)]
    agreed = terms(
        (provider, requester),
        tuple(grant(dataset, requester, valid_from=1_700_000_000) for dataset in datasets),
        agreement=secrets.token_bytes(32),
    )
    spent = {
        "propose": propose(ledger, provider.head, agreed).gas_used,
        "sign": sign(ledger, provider.head, agreed).gas_used,
        "sign_last": sign(ledger, requester.head, agreed).gas_used,
    }
    spent["per_party"] = sum(spent.values()) // 2
    committed = GAS[f"two_parties_{grants}_grants"]
    assert spent == {name: pytest.approx(figure, rel=TOLERANCE) for name, figure in committed.items()}, spent


def test_a_partys_signed_agreement_with_one_grant_costs_at_most_200_000() -> None:
    assert GAS["two_parties_1_grants"]["per_party"] <= 200_000


def test_the_largest_proposal_fits_the_chains_limit() -> None:
    assert GAS["two_parties_100_grants"]["propose"] <= 30_000_000
