"""Call data equal what an independent ABI implementation makes."""

from __future__ import annotations

from eth_abi.abi import decode
from eth_utils import function_signature_to_4byte_selector

from ledger.domain.records import Grant, Propose, Sign, Terms
from ledger.service.call_data import call_data, tuple_type

GRANT = Grant(b"\1" * 32, 1, b"\2" * 32, b"\3" * 32, 1, 5, 2**64 - 1)
TERMS = Terms(b"\4" * 32, 1, b"\5" * 32, (b"\5" * 32, b"\2" * 32), b"\6" * 32, bytes(32), 0, (GRANT, GRANT))
PROPOSE = Propose(b"\7" * 32, TERMS, 2**255, 99)


def test_a_flat_record_is_one_tuple() -> None:
    assert tuple_type(Sign) == "(bytes32,bytes32,uint32,bytes32,uint256,uint64)"


def test_nested_records_and_arrays_are_encoded_with_their_signature() -> None:
    kind = tuple_type(Propose)
    data = call_data("proposeBySig", [(kind, PROPOSE), ("address", b"\x11" * 20), ("bytes", b"sig")])
    assert data[:4] == function_signature_to_4byte_selector(f"proposeBySig({kind},address,bytes)")
    record, signer, signature = decode([kind, "address", "bytes"], data[4:])
    assert record[0] == PROPOSE.post
    assert record[1][3] == TERMS.parties
    assert record[1][7][1][6] == 2**64 - 1
    assert (record[2], signer, signature) == (2**255, "0x" + "11" * 20, b"sig")
