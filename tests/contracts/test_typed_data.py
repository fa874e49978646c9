"""Type hashes and random digests are the same in Python, in eth-account and in the deployed contracts."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain.codes import ALL_ROLES
from ledger.domain.record import Record
from ledger.domain.records import CONTRACTS, AdmitAgency, BindKey, Grant, RotateKey, RotateRoot, Terms
from ledger.domain.scalars import MAX_UINT64
from ledger.domain.typed_data import Domain, as_json, digest, struct_hash, type_hash
from ledger.service.call_data import call_data, tuple_type
from ledger.service.submission import FUNCTIONS
from tests.contracts.deployed import DeployedLedger
from tests.domain.strategies import records_of
from tests.domain.test_records import full_digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.errors import RefusedError

SIGNED = list(FUNCTIONS)
STRANGER = b"\x12" * 20
NO_SIGNATURE = b"\x01" * 65


def refusal(ledger: DeployedLedger, record: Record) -> RefusedError:
    """Send a request that nobody signed; the refusal names the digest that somebody had to sign."""
    arguments: list[tuple[str, object]] = [(tuple_type(type(record)), record)]
    if not isinstance(record, AdmitAgency):
        arguments.append(("address", STRANGER))
    arguments.append(("bytes", NO_SIGNATURE))
    if isinstance(record, BindKey | RotateKey | RotateRoot):
        arguments.append(("bytes", NO_SIGNATURE))
    contract, entry = CONTRACTS[type(record)], FUNCTIONS[type(record)]
    data = call_data(entry.function, arguments)
    trial = ledger.chain.simulate(ledger.keyring.address(entry.sender), ledger.address(contract), data)
    assert trial.revert is not None
    return ledger.errors.refusal(trial.revert, contract)


def takeable(record: Record) -> Record:
    """Let the request get as far as its signature: no deadline in the past, and what the registrar may admit."""
    record = dataclasses.replace(record, deadline=MAX_UINT64)  # type: ignore[call-arg]  # Every signed record has one.
    if not isinstance(record, AdmitAgency):
        return record
    stated = {name: getattr(record, name) for name in ("agency", "scheme", "root_key")}
    filled = {name: value if any(value) else value[:-1] + b"\x01" for name, value in stated.items()}
    return dataclasses.replace(record, capacities=record.capacities & int(ALL_ROLES), **filled)


@pytest.mark.parametrize("record", SIGNED, ids=lambda record: record.__name__)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_random_digests_are_the_contracts_and_eth_accounts(
    ledger: DeployedLedger, record: type[Record], data: st.DataObject
) -> None:
    value = takeable(data.draw(records_of(record)))
    domain = Domain(ledger.chain_id, ledger.address(CONTRACTS[record]))
    found = refusal(ledger, value)
    ours = digest(domain, value)
    assert (found.error, found.arguments["digest"]) == ("InvalidSignature", "0x" + ours.hex())
    assert full_digest(as_json(domain, value)) == ours


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=records_of(Terms))
def test_random_terms_have_one_hash(ledger: DeployedLedger, value: Terms) -> None:
    answer = ledger.call("AgreementLedger", call_data("hashTerms", [(tuple_type(Terms), value)]))
    assert answer == struct_hash(value)


@pytest.mark.parametrize("record", [*SIGNED, Terms, Grant], ids=lambda record: record.__name__)
def test_type_hashes_are_public_in_the_contract(ledger: DeployedLedger, record: type[Record]) -> None:
    words: Sequence[str] = re.findall("[A-Z][a-z]+", record.__name__)
    name = "_".join(word.upper() for word in words) + "_TYPEHASH"
    assert ledger.call(CONTRACTS.get(record, "AgreementLedger"), call_data(name, [])) == type_hash(record)
