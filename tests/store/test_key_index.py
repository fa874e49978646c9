"""The index of keys against a dictionary, through seals, merges and restarts; what is damaged is dropped whole."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ledger.store import key_index
from ledger.store.key_index import KeyIndex

if TYPE_CHECKING:
    from pathlib import Path

KEYS = st.integers(0, 2**64 - 1) | st.integers(0, 40)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_index, "SEAL_KEYS", 4)


class Machine(RuleBasedStateMachine):
    """Adds, seals and restarts, beside a dictionary.

    Attributes:
        agreed: How often the index said the same as the dictionary, by what was asked; all runs together.
    """

    folder: Path
    agreed: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.index = KeyIndex(self.folder)
        self.index.clear()
        self.model: dict[int, int] = {}
        self.sealed: tuple[int, dict[int, int]] | None = None
        self.size = 0

    @rule(keys=st.lists(KEYS, min_size=1, max_size=9, unique=True))
    def add(self, keys: list[int]) -> None:
        fresh = [key for key in keys if key not in self.model]
        self.index.add(fresh, range(self.size, self.size + len(fresh)))
        self.model |= {key: self.size + place for place, key in enumerate(fresh)}
        self.size += len(fresh)

    @rule()
    def seal(self) -> None:
        if self.model:
            self.index.seal(self.size, b"\x01" * 32, str(self.size).encode())
            self.sealed = (self.size, dict(self.model))

    @rule()
    def restart(self) -> None:
        self.index.close()
        self.index = KeyIndex(self.folder)
        found = self.index.load()
        if self.sealed is None:
            assert found is None
            self.agreed["nothing sealed"] += 1
            self.model, self.size = {}, 0
            return
        assert found is not None
        assert (found.size, found.mark, found.state) == (self.sealed[0], b"\x01" * 32, str(self.sealed[0]).encode())
        self.agreed["what was sealed"] += 1
        self.size, self.model = self.sealed[0], dict(self.sealed[1])

    @rule(key=KEYS)
    def miss(self, key: int) -> None:
        assert self.index.find([key]) == ({key: self.model[key]} if key in self.model else {})
        self.agreed["any key"] += 1

    @invariant()
    def finds_all(self) -> None:
        some = random.Random(self.size).sample(sorted(self.model), min(len(self.model), 20))
        if some:
            assert self.index.find(some) == {key: self.model[key] for key in some}
            self.agreed["its keys"] += 1

    def teardown(self) -> None:
        self.index.close()


def test_index_answers_as_a_dictionary_does(tmp_path: Path) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    Machine.folder = tmp_path / "told"
    Machine.agreed.clear()
    run_state_machine_as_test(Machine, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))
    assert set(Machine.agreed) == {"nothing sealed", "what was sealed", "any key", "its keys"}


def test_many_seals_leave_few_files(tmp_path: Path) -> None:
    index = KeyIndex(tmp_path / "told")
    numbers = random.Random(7)
    model: dict[int, int] = {}
    for turn in range(40):
        keys = [numbers.getrandbits(64) for _ in range(16)]
        index.add(keys, range(turn * 16, turn * 16 + 16))
        model |= {key: turn * 16 + place for place, key in enumerate(keys)}
        index.seal(turn * 16 + 16, bytes(32), b"{}")
    index.close()
    assert len(list((tmp_path / "told").glob("*.run"))) < 12
    assert index.find(list(model)) == model
    again = KeyIndex(tmp_path / "told")
    assert again.load() is not None
    assert again.find(list(model)) == model
    assert len(again) == len(model)


@pytest.mark.parametrize("name", ["manifest.json", "run"])
def test_a_flipped_byte_drops_the_whole_seal(tmp_path: Path, name: str) -> None:
    index = KeyIndex(tmp_path / "told")
    index.add(range(50), range(50))
    index.seal(50, bytes(32), b"{}")
    index.close()
    (path,) = [path for path in (tmp_path / "told").iterdir() if path.name.endswith(name)]
    whole = path.read_bytes()
    for position in range(0, len(whole), 11):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        again = KeyIndex(tmp_path / "told")
        assert again.load() is None
        assert again.find(range(50)) == {}
    path.write_bytes(whole)
    assert KeyIndex(tmp_path / "told").load() is not None
