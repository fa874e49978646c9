"""Records and events equal the compiled contracts: names, types, order and what is indexed.

The committed artifacts are read in place; a contract that is not compiled yet is reported as skipped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.domain import event_decoding, records
from ledger.domain.event_log import Event
from ledger.domain.record import Record, shape
from tests.domain.test_records import eth_abi_type

ARTIFACTS = Path(__file__).parents[2] / "contracts/artifacts"
EVENTS = [(contract, event) for contract, group in event_decoding.EVENTS.items() for event in group]
NOT_ON_CHAIN = records.SERVICE_ONLY
STRUCTS = [
    *((contract, record) for record, contract in records.CONTRACTS.items() if record not in NOT_ON_CHAIN),
    ("AgreementLedger", records.Terms),
    ("AgreementLedger", records.Grant),
]


def abi_of(contract: str) -> list[dict[str, Any]]:
    path = ARTIFACTS / f"{contract}.json"
    if not path.exists():
        pytest.skip(f"{contract} has no committed artifact")
    abi: list[dict[str, Any]] = json.loads(path.read_text())["abi"]
    return abi


def canonical_type(entry: dict[str, Any]) -> str:
    kind: str = entry["type"]
    if kind.startswith("tuple"):
        return "(" + ",".join(canonical_type(member) for member in entry["components"]) + ")" + kind[5:]
    return kind


def structs_of(entries: list[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for entry in entries:
        if entry["type"].startswith("tuple"):
            name = entry["internalType"].removeprefix("struct ").rpartition(".")[2].partition("[")[0]
            found[name] = [(member["name"], canonical_type(member)) for member in entry["components"]]
            found |= structs_of(entry["components"])
    return found


def ours(record: type[Record]) -> list[tuple[str, str]]:
    return [(field.solidity_name, eth_abi_type(field.type)) for field in shape(record)]


@pytest.mark.parametrize(("contract", "record"), STRUCTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_record_equals_the_contracts_struct(contract: str, record: type[Record]) -> None:
    functions = [entry for entry in abi_of(contract) if entry["type"] == "function"]
    structs = structs_of([argument for function in functions for argument in function["inputs"]])
    assert structs[record.__name__] == ours(record)


@pytest.mark.parametrize(("contract", "event"), EVENTS, ids=lambda value: getattr(value, "__name__", value))
def test_an_event_record_equals_the_contracts_event(contract: str, event: type[Event]) -> None:
    declared = {entry["name"]: entry for entry in abi_of(contract) if entry["type"] == "event"}
    inputs = declared[event.__name__]["inputs"]
    assert [(entry["name"], canonical_type(entry)) for entry in inputs] == ours(event)
    assert [entry["indexed"] for entry in inputs] == [field.indexed for field in shape(event)]


@pytest.mark.parametrize("contract", list(event_decoding.EVENTS))
def test_no_event_of_a_contract_is_unknown_to_us(contract: str) -> None:
    declared = {entry["name"] for entry in abi_of(contract) if entry["type"] == "event"}
    inherited = {"AuthorityUpdated", "EIP712DomainChanged"}
    assert declared - inherited == {event.__name__ for event in event_decoding.EVENTS[contract]}
