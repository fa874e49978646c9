from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.errors import VerificationError
from ledger.log.tile_nodes import TileNodes
from ledger.log.tree import HashList, leaf_hash

HASHES = [leaf_hash(bytes([index])) for index in range(256)]
TREE = HashList(HASHES)


@given(st.lists(st.integers(0, 8), min_size=1, max_size=9), st.data())
def test_every_node_is_the_trees_in_whatever_order_it_is_asked_for(heights: list[int], data: st.DataObject) -> None:
    nodes = TileNodes(b"".join(HASHES))
    for height in heights:
        index = data.draw(st.integers(0, (256 >> height) - 1))
        assert nodes.node(height, index) == TREE.node(height, index)
    assert nodes.hashes == b"".join(HASHES)


def test_threads_that_ask_at_once_get_the_same() -> None:
    nodes = TileNodes(b"".join(HASHES))
    together = threading.Barrier(4)
    found: list[bytes] = []

    def ask() -> None:
        together.wait()
        found.append(nodes.node(8, 0))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [TREE.node(8, 0)] * 4


@pytest.mark.parametrize("length", [0, 8191, 8193, 8160])
def test_a_tile_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(VerificationError, match=f"the tile has {length} bytes, not 8192"):
        TileNodes(bytes(length))
