"""Which compiled library is used: the one for these sources and this processor, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ledger.native import library as module
from ledger.native.library import OFF, library, path
from tests.native.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    library.cache_clear()
    yield
    library.cache_clear()


def test_it_is_not_used_where_it_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled()
    library.cache_clear()
    monkeypatch.setenv(OFF, "0")
    assert library() is None


def test_a_library_of_other_sources_is_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built = path()
    source = tmp_path / "quanze.zig"
    source.write_text("// other code", encoding="utf-8")
    monkeypatch.setattr(module, "SOURCES", (source,))
    assert path() != built
    assert library() is None


def test_a_library_for_another_processor_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    built = path()
    monkeypatch.setattr(module, "_processor", lambda: "m68k")
    assert path() != built
    assert library() is None


def test_a_file_that_is_no_library_is_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    path().write_bytes(b"\x7fELF, but no more")
    assert library() is None
