"""The deployed CheckpointAnchor beside our own tree: it takes what extends the log, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eth_abi.abi import decode
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.errors import RefusedError
from ledger.domain.event_decoding import decode_log
from ledger.domain.events import CheckpointAnchored
from ledger.log.tree import HashList, consistency_proof, inclusion_proof, leaf_hash, root_of
from ledger.service.call_data import call_data
from tests.contracts.deployed import DeployedLedger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.service.ports import ChainReceipt

LEAVES = [leaf_hash(number.to_bytes(4, "big")) for number in range(5_000)]
READER = HashList(LEAVES)
NOTE = b"\x0e" * 32


def size_of(ledger: DeployedLedger) -> int:
    size, root = decode(["uint64", "bytes32"], ledger.call("CheckpointAnchor", call_data("latest", [])))
    assert root == (root_of(LEAVES[:size]) if size else bytes(32))
    return int(size)


def anchor(
    ledger: DeployedLedger, size: int, root: bytes, proof: Sequence[bytes], sender: str = "operator"
) -> ChainReceipt:
    arguments = [("uint64", size), ("bytes32", root), ("bytes32", NOTE), ("bytes32[]", list(proof))]
    return ledger.send("CheckpointAnchor", call_data("anchor", arguments), sender=sender)


def proof_to(ledger: DeployedLedger, size: int) -> list[bytes]:
    before = size_of(ledger)
    return list(consistency_proof(READER, before, size)) if before else []


def test_a_log_that_grows_is_anchored_and_told(ledger: DeployedLedger) -> None:
    for size in (1, 2, 3, 7, 8, 9, 64, 100):
        receipt = anchor(ledger, size, root_of(LEAVES[:size]), proof_to(ledger, size))
        (log,) = receipt.logs
        assert decode_log(log.topics, log.data) == CheckpointAnchored(size, root_of(LEAVES[:size]), NOTE)
        assert size_of(ledger) == size


@pytest.mark.parametrize("sender", ["relayer", "registrar", "admin"])
def test_nobody_else_anchors(ledger: DeployedLedger, sender: str) -> None:
    size = size_of(ledger) + 1
    with pytest.raises(RefusedError) as refused:
        anchor(ledger, size, root_of(LEAVES[:size]), proof_to(ledger, size), sender=sender)
    assert refused.value.error == "AnchorNotOperator"


@settings(max_examples=60)
@given(data=st.data())
def test_whatever_is_altered_is_refused(ledger: DeployedLedger, data: st.DataObject) -> None:
    if not (before := size_of(ledger)):
        before = 100
        anchor(ledger, before, root_of(LEAVES[:before]), [])
    size = data.draw(st.integers(before + 1, before + 400))
    root, proof = root_of(LEAVES[:size]), proof_to(ledger, size)
    match data.draw(st.sampled_from(["root", "hash", "longer", "shorter", "smaller"])):
        case "root":
            root = bytes([root[0] ^ 1]) + root[1:]
        case "hash":
            place = data.draw(st.integers(0, len(proof) - 1))
            proof[place] = bytes([proof[place][0] ^ 128]) + proof[place][1:]
        case "longer":
            proof.append(proof[-1])
        case "shorter":
            proof.pop(data.draw(st.integers(0, len(proof) - 1)))
        case _:
            size = data.draw(st.integers(0, before))
    with pytest.raises(RefusedError) as refused:
        anchor(ledger, size, root, proof)
    assert refused.value.error == ("AnchorNotLarger" if size <= before else "AnchorInconsistent")


def test_inclusion_is_answered_for_the_last_anchor(ledger: DeployedLedger) -> None:
    size = size_of(ledger) + 500
    anchor(ledger, size, root_of(LEAVES[:size]), proof_to(ledger, size))
    for index in (0, 1, size // 2, size - 1):
        proof = list(inclusion_proof(READER, index, size))
        for leaf, claimed, holds in ((LEAVES[index], index, True), (LEAVES[index - 1], index, False)):
            arguments = [("bytes32", leaf), ("uint64", claimed), ("bytes32[]", proof)]
            (answer,) = decode(["bool"], ledger.call("CheckpointAnchor", call_data("includes", arguments)))
            assert answer is holds


def test_an_event_costs_at_most_60_gas_at_1024_a_batch(ledger: DeployedLedger) -> None:
    costs = []
    while (size := size_of(ledger) + 1_024) <= len(LEAVES):
        costs.append(anchor(ledger, size, root_of(LEAVES[:size]), proof_to(ledger, size)).gas_used / 1_024)
    assert len(costs) >= 3
    assert max(costs) <= 60
