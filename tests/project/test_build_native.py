"""Compiling is done once for these sources, and a machine that cannot compile is told so and goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts import build_native

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_compiler_that_fails_is_told_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "quanze.zig"
    source.write_text("export fn qz_scan() void { no such thing }", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build_native, "_MAIN", source)
    monkeypatch.setattr(build_native, "FOLDER", tmp_path)
    monkeypatch.setattr(build_native, "path", lambda: tmp_path / "libquanze-00.so")
    build_native.main()
    assert "Python does the same work" in capsys.readouterr().out
    assert not list(tmp_path.glob("*.so"))


def test_libraries_of_other_sources_are_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wanted, old = tmp_path / "libquanze-01.so", tmp_path / "libquanze-00.so"
    for library in (wanted, old):
        library.write_bytes(b"a library")
    monkeypatch.setattr(build_native, "FOLDER", tmp_path)
    monkeypatch.setattr(build_native, "path", lambda: wanted)
    build_native.main()
    assert wanted.read_bytes() == b"a library"
    assert not old.exists()
