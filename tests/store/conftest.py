"""An index of its own for each test that asks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from ledger.store.sql_index import SQLIndex
from tests.store.synthetic import CONTRACTS, FINAL, START, Block, grow, stretch_of
from tests.store.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def open_index(tmp_path: Path) -> Iterator[Callable[[str], SQLIndex]]:
    opened: list[SQLIndex] = []

    def make(name: str = "index") -> SQLIndex:
        opened.append(SQLIndex.open(tmp_path / f"{name}.db", CONTRACTS))
        return opened[-1]

    yield make
    for index in opened:
        index.close()


@pytest.fixture
def filled(open_index: Callable[[str], SQLIndex]) -> tuple[SQLIndex, list[Block]]:
    """An index of sixty blocks of one world."""
    index, blocks = open_index("filled"), grow(World(random.Random(3)), START, 60)
    index.apply(stretch_of(START, blocks, FINAL))
    return index, blocks
