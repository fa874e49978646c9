"""State proofs are read once for a block and a request, and again under the next block."""

from __future__ import annotations

import pytest

from ledger.chain.engine.kept_proofs import KeptProofs
from ledger.domain.errors import UnavailableError
from ledger.service.ports import BlockRef, StateProof

ADDRESS, OTHER = b"\x01" * 20, b"\x02" * 20


class Node:
    """Gives a proof for whatever is asked, and counts."""

    def __init__(self) -> None:
        self.reads = 0
        self.is_up = True

    def read(self) -> list[StateProof]:
        self.reads += 1
        if not self.is_up:
            raise UnavailableError("chain node", "it is down")
        return [StateProof(BlockRef(self.reads, bytes(32), 0), ADDRESS, (), ())]


def test_a_request_is_read_once_for_each_block() -> None:
    node, kept = Node(), KeptProofs()
    first = kept.get(b"block 1", {ADDRESS: [b"a"]}, node.read)
    assert kept.get(b"block 1", {ADDRESS: [b"a"]}, node.read) == first
    assert node.reads == 1
    assert kept.get(b"block 2", {ADDRESS: [b"a"]}, node.read) != first
    assert node.reads == 2


@pytest.mark.parametrize(
    "other", [{ADDRESS: [b"b"]}, {ADDRESS: []}, {OTHER: [b"a"]}, {ADDRESS: [b"a"], OTHER: []}, {ADDRESS: [b"a", b"b"]}]
)
def test_another_request_is_another_proof(other: dict[bytes, list[bytes]]) -> None:
    node, kept = Node(), KeptProofs()
    kept.get(b"block", {ADDRESS: [b"a"]}, node.read)
    kept.get(b"block", other, node.read)
    assert node.reads == 2


def test_a_failure_is_not_kept() -> None:
    node, kept = Node(), KeptProofs()
    node.is_up = False
    with pytest.raises(UnavailableError):
        kept.get(b"block", {}, node.read)
    node.is_up = True
    assert kept.get(b"block", {}, node.read)[0].block.number == 2


def test_the_oldest_goes_when_there_are_many() -> None:
    node, kept = Node(), KeptProofs()
    for number in range(33):
        kept.get(b"%d" % number, {}, node.read)
    kept.get(b"32", {}, node.read)
    assert node.reads == 33
    kept.get(b"0", {}, node.read)
    assert node.reads == 34


def test_what_a_caller_does_with_the_list_changes_nothing() -> None:
    node, kept = Node(), KeptProofs()
    kept.get(b"block", {}, node.read).clear()
    assert len(kept.get(b"block", {}, node.read)) == 1
