"""Generated files are fresh, and the check notices when they are not."""

from __future__ import annotations

from pathlib import Path

from scripts import generate


def test_generated_files_are_fresh() -> None:
    assert generate.main(["--check"]) == 0


def test_a_missing_and_an_altered_file_are_named(tmp_path: Path) -> None:
    wanted = {"a.md": "one\n", "b/c.md": "two\n", "d.md": "three\n"}
    generate.write(tmp_path, wanted, list(wanted))
    assert generate.stale(tmp_path, wanted) == []
    (tmp_path / "a.md").write_text("other\n", encoding="utf-8")
    (tmp_path / "b" / "c.md").unlink()
    assert generate.stale(tmp_path, wanted) == ["a.md", "b/c.md"]
