"""Signed records come out of call data as they went in, however their encoder laid them out."""

from __future__ import annotations

import dataclasses

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import records
from ledger.domain.commitment import Opening
from ledger.domain.errors import LedgerError, VerificationError
from ledger.domain.keccak import keccak256_text
from ledger.evidence.calls import FUNCTIONS, OPEN_NOTICE, decode_call, recipient_and_data, signature_of
from ledger.service import submission
from ledger.service.call_data import call_data, tuple_type, tuple_value
from scripts.evidence_vectors.world import World
from tests.chain.accounts import Sender
from tests.domain.strategies import records_of

OPENING = "(bytes32,bytes,uint64,uint64,bytes32[])"
SIGNER, SIGNATURE, POSSESSION = b"\x11" * 20, b"s" * 65, b"p" * 65


def arguments(record: records.Record) -> list[tuple[str, object]]:
    request = submission.SignedRequest(record, SIGNER, SIGNATURE, POSSESSION)
    return list(submission._arguments(request))


def test_the_functions_are_those_that_the_ledger_calls() -> None:
    assert {record: entry.function for record, entry in submission.FUNCTIONS.items()} == FUNCTIONS


@pytest.mark.parametrize("kind", list(FUNCTIONS), ids=lambda kind: kind.__name__)
@given(st.data())
@settings(max_examples=25, deadline=None)
def test_a_record_is_read_as_it_was_called(kind: type[records.Record], data: st.DataObject) -> None:
    record = data.draw(records_of(kind))
    call = decode_call(records.CONTRACTS[kind], call_data(FUNCTIONS[kind], arguments(record)))
    assert call.record == record
    assert call.signature == SIGNATURE
    assert call.signer == (b"" if kind is records.AdmitAgency else SIGNER)
    assert call.possession == (POSSESSION if kind in {records.BindKey, records.RotateKey, records.RotateRoot} else b"")


def test_a_notice_is_read_with_what_it_opens() -> None:
    record = records.Advance(b"\1" * 32, b"\2" * 32, 5, b"\3" * 32, bytes(32), 2**200, 9)
    opening = Opening(b'["salt","respondent","x"]', 1, 3, (b"\4" * 32, b"\5" * 32))
    request = submission.SignedRequest(record, SIGNER, SIGNATURE, b"", submission.SignedOpening(b"\6" * 32, opening))
    call = decode_call("CaseLedger", call_data(OPEN_NOTICE, list(submission._arguments(request))))
    assert (call.record, call.filing, call.opening, call.signer) == (record, b"\6" * 32, opening, SIGNER)


def test_an_odd_layout_that_a_contract_would_take_is_read_too() -> None:
    world = World()
    terms = world.terms(b"\7" * 32)
    record = records.Propose(post=b"\1" * 32, terms=terms, nonce=1, deadline=2)
    plain = encode(
        [tuple_type(records.Propose), "address", "bytes"], [tuple_value(record), "0x" + SIGNER.hex(), SIGNATURE]
    )
    words = [plain[place : place + 32] for place in range(0, len(plain), 32)]
    gap = 5
    shifted = [
        *((int.from_bytes(word, "big") + 32 * gap).to_bytes(32, "big") if place in {0, 2} else word
          for place, word in enumerate(words[:3])),
        *[b"\xff" * 32] * gap,
        *words[3:],
    ]  # fmt: skip
    selector = keccak256_text(signature_of(records.Propose))[:4]
    call = decode_call("AgreementLedger", selector + b"".join(shifted) + b"trailing")
    assert (call.record, call.signature) == (record, SIGNATURE)


def test_a_call_of_another_contract_or_function_is_refused() -> None:
    record = records.Accept(b"\1" * 32, b"\2" * 32, b"\3" * 32, 1, 2)
    data = call_data("acceptBySig", arguments(record))
    with pytest.raises(VerificationError, match="takes no signature"):
        decode_call("AgreementLedger", data)
    with pytest.raises(VerificationError, match="takes no signature"):
        decode_call("ResponsibilityLedger", b"\0\0\0\0" + data[4:])


@given(st.sampled_from(list(FUNCTIONS)), st.binary(max_size=700))
@settings(deadline=None)
def test_hostile_call_data_raises_only_our_errors(kind: type[records.Record], data: bytes) -> None:
    selector = keccak256_text(signature_of(kind))[:4]
    with pytest.raises(LedgerError):
        # A record of random words may be in range; cut short it never is whole.
        decode_call(records.CONTRACTS[kind], (selector + data)[: 4 + 32 * len(dataclasses.fields(kind))])


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_recipient_and_data_of_each_transaction_type(kind: int) -> None:
    raw = Sender(2**33, 4).sign(3, to=b"\x42" * 20, data=b"payload", kind=kind)
    assert recipient_and_data(raw) == (b"\x42" * 20, b"payload")


@given(st.binary(max_size=200))
def test_bytes_that_are_no_transaction_are_refused(raw: bytes) -> None:
    with pytest.raises(VerificationError):
        recipient_and_data(raw)


def test_every_record_that_a_contract_takes_has_its_function() -> None:
    read_by_the_service = {record for record, name in records.CONTRACTS.items() if name == "CheckpointAnchor"}
    assert set(FUNCTIONS) == set(records.CONTRACTS) - read_by_the_service
