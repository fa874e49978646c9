"""Measure ``make demo`` from a clean clone to its last step, and a second run.

Run with ``python -m scripts.bench.demo``. The clone is of the last commit, in a temporary folder under ``build/``;
what is installed comes from the machine's package indexes, so the first figure depends on the network.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

_ROOT: Final = Path(__file__).resolve().parents[2]


def main() -> None:
    """Print how long each step took."""
    build = _ROOT / "build"
    build.mkdir(exist_ok=True)
    table = Table("step", "seconds", title="make demo")
    with tempfile.TemporaryDirectory(dir=build) as folder:
        clone = Path(folder) / "quanze"
        subprocess.run(["git", "clone", "--quiet", str(_ROOT), str(clone)], check=True)
        first = _timed(clone, "demo")
        table.add_row("from a clean clone to the last step (setup included)", f"{first:.1f}")
        table.add_row("a second run", f"{_timed(clone, 'demo'):.1f}")
    Console(width=120).print(table)


def _timed(folder: Path, target: str) -> float:
    kept = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL"}}
    began = time.monotonic()
    done = subprocess.run(
        ["make", target], cwd=folder, env={**kept, "CI": "true"}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
