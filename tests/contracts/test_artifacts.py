"""The build of the contracts: it stops when the two drivers disagree, at a warning, and at a size no network takes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from ledger.chain.artifacts import load_abis, load_artifact
from ledger.domain.keccak import keccak256
from ledger.domain.records import CONTRACTS, SERVICE_ONLY
from ledger.domain.typed_data import type_hash
from ledger.service.call_data import call_data
from ledger.service.deployment import CONTRACT_NAMES
from scripts.contracts.compilers import SETTINGS, BuildError, Compiled, compile_sources
from scripts.contracts.sources import source_closure
from scripts.generators import contract_artifacts as generator
from scripts.generators.contract_error_reference import contract_error_reference
from tests.contracts.deployed import DeployedLedger

ROOT = Path(__file__).parents[2]
SOURCE = "// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.30;\ncontract C {{ {} }}\n"


def compiled(name: str) -> Compiled:
    value = json.loads((ROOT / f"contracts/artifacts/{name}.json").read_text())
    return Compiled(
        abi=value["abi"],
        initcode=value["bytecode"][2:],
        runtime=value["deployedBytecode"][2:],
        immutables=value["immutables"],
        storage=value["storageLayout"],
    )


def agree_on(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Let both drivers give the committed contracts, the second with a change to one of them."""
    made = {name: compiled(name) for name in CONTRACT_NAMES}
    other = {**made, "CaseLedger": dataclasses.replace(made["CaseLedger"], **changes)}
    monkeypatch.setattr(generator, "with_hardhat", lambda *_asked: made)
    monkeypatch.setattr(generator, "with_solcx", lambda *_asked: other)


def test_what_both_drivers_agree_on_is_what_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    agree_on(monkeypatch)
    made = generator.contract_artifacts()
    assert len(made) == len(CONTRACT_NAMES)
    for path, text in made.items():
        assert (ROOT / path).read_text() == text


@pytest.mark.parametrize("field", ["abi", "initcode", "runtime", "immutables", "storage"])
def test_the_build_stops_where_the_two_drivers_disagree(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    changed = "00" if field in {"initcode", "runtime"} else []
    agree_on(monkeypatch, **{field: changed})
    with pytest.raises(BuildError, match=f"CaseLedger: Hardhat and py-solc-x disagree on its {field}"):
        generator.contract_artifacts()


def test_a_contract_that_no_network_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    large = dataclasses.replace(compiled("CaseLedger"), runtime="00" * (generator.RUNTIME_MAX + 1))
    for driver in ("with_hardhat", "with_solcx"):
        monkeypatch.setattr(generator, driver, lambda *_asked: dict.fromkeys(CONTRACT_NAMES, large))
    with pytest.raises(BuildError, match="24577 bytes of code"):
        generator.contract_artifacts()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("function f() external pure { uint256 unused = 1; }", "Unused local variable"),
        ("function f() external pure { g(); }", "Undeclared identifier"),
    ],
)
def test_a_warning_stops_the_build_as_an_error_does(body: str, reason: str) -> None:
    with pytest.raises(BuildError, match=reason):
        compile_sources(ROOT, {"C.sol": SOURCE.format(body)}, SETTINGS)


def test_the_closure_of_a_source_holds_all_that_it_imports() -> None:
    closure = source_closure(ROOT, ["contracts/CheckpointAnchor.sol"])
    assert "contracts/libraries/RFC6962.sol" in closure
    assert "@openzeppelin/contracts/access/manager/AccessManaged.sol" in closure
    assert "contracts/CaseLedger.sol" not in closure


def test_every_initcode_has_the_hash_beside_it() -> None:
    for name, abi in load_abis().items():
        artifact = load_artifact(name)
        assert keccak256(artifact.initcode) == artifact.initcode_hash
        assert any(item["type"] == "constructor" for item in abi)


@pytest.mark.parametrize(
    "record", [record for record in CONTRACTS if record not in SERVICE_ONLY], ids=lambda record: record.__name__
)
def test_a_records_type_hash_is_the_contracts(ledger: DeployedLedger, record: type) -> None:
    words = "".join("_" + letter if letter.isupper() else letter for letter in record.__name__).strip("_")
    constant = call_data(f"{words.upper()}_TYPEHASH", [])
    assert ledger.call(CONTRACTS[record], constant) == type_hash(record)


def test_heads_stand_in_slot_zero_of_every_contract_that_keeps_them() -> None:
    for name in ("AgencyRegistry", "Catalogue", "AgreementLedger", "ResponsibilityLedger", "CaseLedger"):
        first = json.loads((ROOT / f"contracts/artifacts/{name}.json").read_text())["storageLayout"][0]
        assert (first["label"], first["slot"], first["offset"]) == ("_heads", 0, 0)


def test_every_error_of_the_contracts_is_explained() -> None:
    artifacts = {
        f"contracts/artifacts/{name}.json": (ROOT / f"contracts/artifacts/{name}.json").read_text()
        for name in CONTRACT_NAMES
    }
    (text,) = contract_error_reference(artifacts).values()
    for abi in (abi for name, abi in load_abis().items() if name != "AccessManager"):
        assert all(f"`{item['name']}(" in text for item in abi if item["type"] == "error")
    invented = json.loads(artifacts["contracts/artifacts/CaseLedger.json"])
    invented["abi"].append({"type": "error", "name": "NobodyExplains", "inputs": []})
    with pytest.raises(ValueError, match=r"NobodyExplains\(\)"):
        contract_error_reference({"one": json.dumps(invented)})
