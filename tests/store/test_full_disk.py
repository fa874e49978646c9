"""A home whose disk is full says so, loses nothing, and goes on by itself when there is space again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser import sample_ledger

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
NAMESPACES = (["unshare", "-rm"], ["unshare", "-m"])


@pytest.fixture
def on_small_disk(tmp_path: Path) -> Callable[..., str]:
    """Run a module of ours with a file system of so many bytes, which vanishes with the process."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def run(module: str, size: str, *arguments: str) -> str:
        mount = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift && exec "$PYTHON" -m "$MODULE" "$@"'
        for namespace in NAMESPACES:
            if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], check=False).returncode:
                continue
            done = subprocess.run(
                [*namespace, "sh", "-c", mount, "sh", size, str(disk), *arguments],
                cwd=ROOT, env={"PYTHON": sys.executable, "MODULE": module, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if "mount:" in done.stderr:
                continue
            assert done.returncode == 0, done.stderr[-2000:]
            return done.stdout
        pytest.skip("NOT RUN: a small file system cannot be mounted here, so no disk was full")

    return run


@pytest.mark.slow
def test_home_says_that_its_disk_is_full_and_goes_on_when_it_is_not(
    tmp_path: Path, on_small_disk: Callable[..., str]
) -> None:
    sample = sample_ledger.make(tmp_path)
    home = sample.services.home.path
    sample.services.close()
    told = json.loads(on_small_disk("tests.store.home_on_full_disk", "96m", str(home)))
    print(told)
    assert told["refused"]
    assert {name for _, name, _ in told["refused"]} >= {"events", "agency", "case"}
    others = [refusal for refusal in told["refused"] if not refusal[2].startswith("unavailable: ")]
    assert others == []
    assert told["lost"] == []
    assert told["defects"] == []
    assert told["receipts"] > 0
