"""A small file system for one process: mounted in a namespace of its own, and gone with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_NAMESPACES = (["unshare", "-rm"], ["unshare", "-m"])
_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift && exec "$PYTHON" -m "$MODULE" "$@"'


def run_on_small_disk(module: str, size: str, disk: Path, *arguments: str) -> str:
    """Return what a module of ours prints, run with a file system of so many bytes at an empty folder.

    Where none can be mounted the test is skipped, and says so.
    """
    disk.mkdir()
    for namespace in _NAMESPACES:
        if shutil.which("unshare") is None or subprocess.run([*namespace, "true"], check=False).returncode:
            continue
        done = subprocess.run(
            [*namespace, "sh", "-c", _MOUNT, "sh", size, str(disk), *arguments],
            cwd=ROOT, env={"PYTHON": sys.executable, "MODULE": module, "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if "mount:" in done.stderr:
            continue
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.splitlines()[-1]
    pytest.skip("NOT RUN: a small file system cannot be mounted here, so no disk was full")
