"""``make demo`` plays its whole story, exits 0, and a second run takes up what the first left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_demonstration_tells_its_story_twice(root: Path, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUANZE_")}
    environment = {**kept, "CI": "true", "QUANZE_DEMO_FOLDER": str(tmp_path)}

    def play() -> tuple[str, float]:
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "scripts.demo"],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout, time.monotonic() - began

    told, first_s = play()
    for words in (
        "10 of 10 signed by all parties",
        "WITHIN_SCOPE",
        "every one of the 14 kinds of mismatch has been shown",
        "CLOSED by director",
        "No right of xroad:SAMPLE/GOV/10000003",
        "assurance: OPERATOR_ONLY",
        "refuses:",
        "explorer: http://127.0.0.1:",
    ):
        assert words in told, told
    assert "FAILED" not in told
    evidence = json.loads((tmp_path / "evidence.json").read_bytes())
    assert evidence
    assert (tmp_path / "trust-root.json").is_file()

    again, second_s = play()
    assert "taken up from the last run" in again
    assert "0 imported, 59 in the ledger already" in again
    assert second_s < first_s
