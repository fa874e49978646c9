"""No library that we load may take away Python's bound on recursion: nested input must be refused, not crash us."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NESTED = """
import json
try:
    json.loads("[" * 200_000)
except RecursionError:
    print("refused")
"""


@pytest.mark.parametrize(
    "imports", ["ledger, eth_account, web3", "eth_account, web3, ledger", "api, eth_account", "py_ecc, ledger"]
)
def test_nested_input_is_refused_whatever_was_imported(imports: str, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {imports}{NESTED}"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "refused\n", done.stderr[-2000:]
    assert done.returncode == 0
