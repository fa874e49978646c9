"""The index over a plain node that takes blocks back: after each change of mind it is the one made from nothing."""

from __future__ import annotations

import random
from itertools import groupby
from typing import TYPE_CHECKING

import pytest

from ledger.chain.engine import FinalityDepth, RemoteChain
from ledger.chain.follower import ChainFollower
from ledger.domain.errors import IntegrityError
from ledger.domain.event_decoding import EVENTS
from ledger.log.note import Ed25519Signer
from ledger.log.storage import FolderLog
from ledger.service.indexing import Indexing
from ledger.store.comparing import differences
from ledger.store.sql_index import SQLIndex
from ledger.store.vault import SQLiteVault
from tests.chain.plain_anvil import plain_anvil
from tests.store.world import CONTRACT_OF, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.chain.plain_anvil import Node

FINALITY = 6


class Network:
    """A node with an emitter for each contract, and the worlds that its blocks came from."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.contracts = {name: node.deploy() for name in EVENTS}
        self.first = len(EVENTS) + 1
        self.worlds = [World(random.Random(12))]

    def mine(self, blocks: int, seed: int) -> None:
        for number in range(blocks):
            world = self.worlds[-1].copy(random.Random(seed * 100 + number))
            made = world.block(9)
            for contract, some in groupby(made, key=lambda event: CONTRACT_OF[type(event)]):
                self.node.emit(self.contracts[contract], list(some))
            self.node.mine(world.time)
            self.worlds.append(world)

    def take_back(self, blocks: int) -> None:
        self.node.control("anvil_rollback", blocks)
        self.node.control("anvil_dropAllTransactions")
        del self.worlds[len(self.worlds) - blocks :]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with plain_anvil(tmp_path) as node:
        yield Network(node)


@pytest.fixture
def open_indexing(network: Network, tmp_path: Path) -> Iterator[Callable[[str], tuple[SQLIndex, Indexing]]]:
    chain = RemoteChain(network.node.url, finality=FinalityDepth(FINALITY))
    vault = SQLiteVault(tmp_path / "vault.db")
    log = FolderLog.open(tmp_path / "log", signer=Ed25519Signer("example.org/log", bytes(32)), origin="example.org/log")
    opened: list[SQLIndex] = []

    def make(name: str) -> tuple[SQLIndex, Indexing]:
        index = SQLIndex.open(tmp_path / f"{name}.db", network.contracts)
        opened.append(index)
        return index, Indexing(index, ChainFollower(chain, list(network.contracts.values()), network.first), log, vault)

    yield make
    for closing in (*opened, log, vault, chain):
        closing.close()


def test_index_follows_a_chain_that_changes_its_mind(
    network: Network, open_indexing: Callable[[str], tuple[SQLIndex, Indexing]]
) -> None:
    index, indexing = open_indexing("index")
    for step, (back, on) in enumerate([(0, 8), (3, 2), (2, 4), (5, 1), (0, 6), (1, 1)]):
        if back:
            network.take_back(back)
        network.mine(on, step)
        indexing.catch_up()
        assert index.cursor().number == network.first + len(network.worlds) - 2
        scratch, anew = open_indexing(f"scratch-{step}")
        anew.catch_up()
        with index.database.read() as left, scratch.database.read() as right:
            assert list(differences(left, right)) == []
        assert index.row_counts()["events"] > 20


def test_index_stays_as_it_was_when_a_final_block_is_replaced(
    network: Network, open_indexing: Callable[[str], tuple[SQLIndex, Indexing]]
) -> None:
    index, indexing = open_indexing("index")
    network.mine(9, 1)
    indexing.catch_up()
    before = index.cursor(), index.row_counts()
    network.take_back(FINALITY + 2)
    network.mine(FINALITY + 3, 2)
    with pytest.raises(IntegrityError, match="final block was replaced"):
        indexing.catch_up()
    assert (index.cursor(), index.row_counts()) == before
