"""Attacks on the blocks of evidence, and on the trust root that it is checked against."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ledger.domain.identifiers import agency_id
from scripts.evidence_vectors.chain import Key
from scripts.evidence_vectors.names import PROVIDER
from scripts.evidence_vectors.world import World
from tests.evidence.altering import altered, failure

if TYPE_CHECKING:
    from tests.evidence.conftest import Made


def test_a_forked_chain_is_sealed_by_nobody_that_is_trusted(made: Made) -> None:
    """Another sealer makes a chain that says the same of everything but itself."""
    fork = World()
    fork.chain.sealers = [Key("another sealer")]
    index = fork.report(fork.agree())
    fork.anchor()
    number, reason = failure(fork.event_evidence(index), made.root)
    assert (number, "is sealed by somebody who is no validator" in reason) == (5, True)


def test_a_header_with_another_parent_is_refused(made: Made) -> None:
    from ledger.domain import rlp

    def fork(value: Any) -> None:
        fields: Any = rlp.decode(bytes.fromhex(value["blocks"][3]["header"]))
        fields[0] = b"\x99" * 32
        value["blocks"][3]["header"] = rlp.encode(fields).hex()

    number, reason = failure(altered(made.evidence, fork), made.root)
    assert (number, "another parent" in reason) == (5, True)


def test_a_header_without_its_seal_is_refused(made: Made) -> None:
    forged = altered(made.evidence, lambda value: value["blocks"][2].update(seals=[]))
    number, reason = failure(forged, made.root)
    assert (number, reason.endswith("has 0 seals, and 1 are needed")) == (5, True)


def test_a_seal_of_another_block_is_refused(made: Made) -> None:
    def swap(value: Any) -> None:
        value["blocks"][2]["seals"] = value["blocks"][3]["seals"]

    number, reason = failure(altered(made.evidence, swap), made.root)
    assert (number, "is sealed by somebody who is no validator" in reason) == (5, True)


@pytest.mark.parametrize("what", ["chain_id", "genesis_hash"])
def test_evidence_of_another_deployment_is_refused(made: Made, what: str) -> None:
    """Every seal names the chain id and the genesis: nothing of one deployment counts in another."""
    value = json.loads(made.root)
    other = value[what] + 1 if what == "chain_id" else "00" * 32
    number, reason = failure(made.evidence, altered(made.root, lambda root: root.update({what: other})))
    assert (number, "is sealed by somebody who is no validator" in reason) == (5, True)


def test_a_foreign_trust_root_is_refused(made: Made) -> None:
    foreign = World(chain_id=2**40 + 5)
    number, _ = failure(made.evidence, foreign.trust_root_bytes())
    assert number == 5


def test_other_code_behind_a_contracts_address_is_refused(made: Made) -> None:
    def replace(value: Any) -> None:
        value["contracts"]["AgreementLedger"]["code_hash"] = "ab" * 32

    assert failure(made.evidence, altered(made.root, replace)) == (
        6,
        "AgreementLedger has other code than the trust root says",
    )


def test_an_agency_that_the_trust_root_does_not_know_is_refused(made: Made) -> None:
    def forget(value: Any) -> None:
        del value["agencies"][agency_id(PROVIDER).hex()]

    number, reason = failure(made.evidence, altered(made.root, forget))
    assert (number, reason) == (6, f"the trust root knows no root key of agency {agency_id(PROVIDER).hex()}")


def test_a_needless_history_or_block_is_refused(made: Made) -> None:
    other = json.loads(made.world.agreement_evidence(made.agreement))

    def add_block(value: Any) -> None:
        value["blocks"] = [{**value["blocks"][0], "transactions": [], "receipts": []}, *value["blocks"]]

    assert failure(altered(made.evidence, add_block), made.root)[0] == 5

    def drop_entry(value: Any) -> None:
        value["histories"] = other["histories"]

    assert failure(altered(made.evidence, drop_entry), made.root)[0] == 5
