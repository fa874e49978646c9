"""Every measurement can be run by its name, and `make bench` runs every one there is."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from scripts.bench.__main__ import BENCHES


@pytest.mark.parametrize("name", BENCHES)
def test_a_measurement_is_a_module_with_a_main(name: str) -> None:
    module = importlib.import_module(f"scripts.bench.{name}")
    assert callable(module.main)
    assert f"python -m scripts.bench.{name}" in str(module.__doc__)


def test_no_measurement_is_left_out(root: Path) -> None:
    programs = {
        path.stem
        for path in (root / "scripts" / "bench").glob("[a-z]*.py")
        if 'if __name__ == "__main__"' in path.read_text(encoding="utf-8")
    }
    assert programs == set(BENCHES)
