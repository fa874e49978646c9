"""The contracts' own tests (*.t.sol) are part of the suite: unit, fuzz and invariant."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest


@pytest.mark.timeout(900)
def test_solidity_tests_pass(root: Path, node: Path) -> None:
    hardhat = root / "node_modules" / "hardhat" / "dist" / "src" / "cli.js"
    done = subprocess.run(
        [str(node), str(hardhat), "test", "solidity"],
        cwd=root,
        env={**os.environ, "HARDHAT_DISABLE_TELEMETRY": "true", "NO_COLOR": "1", "FORCE_COLOR": "0"},
        capture_output=True,
        text=True,
        timeout=870,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]
    passing = re.search(r"^\s*(\d+) passing", done.stdout, flags=re.MULTILINE)
    assert passing is not None, done.stdout
    written = sum(
        len(re.findall(r"function (?:test|invariant)", p.read_text())) for p in root.glob("contracts/**/*.t.sol")
    )
    assert int(passing.group(1)) >= (1 if written else 0)
