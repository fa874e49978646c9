"""The front door: each target that the README and CI rely on exists and is explained."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

TARGETS = ("help", "setup", "demo", "test", "check", "format", "generate", "bench", "clean")


def _help(root: Path) -> str:
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run([make, "-C", str(root), "help"], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_make_help_explains(target: str, root: Path) -> None:
    assert re.search(rf"^{target} +\S", _help(root), flags=re.MULTILINE)


@pytest.mark.parametrize("target", TARGETS)
def test_make_can_plan(target: str, root: Path) -> None:
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run(
        [make, "-C", str(root), "-n", target], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_ci_run_is_executable_and_calls_both_commands(root: Path) -> None:
    script = root / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert "set -euo pipefail" in lines
    assert lines.index("make check") < lines.index("make test")
    assert lines[-1] == "make test"
