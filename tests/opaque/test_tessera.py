"""Tessera's own programs drive and read the plain log: its load generator writes, its fsck re-hashes everything."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.opaque.client import checkpoint_over
from tests.opaque.server import running

if TYPE_CHECKING:
    from collections.abc import Callable

WANTED = 3000


def program(name: str) -> Path:
    """Return one of Tessera's programs, or say loudly that the test did not run."""
    found = os.environ.get(name, "")
    if not found:
        pytest.skip(f"NOT RUN: {name} names no program of Tessera's, so it neither read nor drove our log")
    return Path(found)


@pytest.fixture
def fsck() -> Path:
    return program("QUANZE_TESSERA_FSCK")


@pytest.fixture
def hammer() -> Path:
    return program("QUANZE_TESSERA_HAMMER")


def check(fsck: Path, url: str, vkey: str, folder: Path) -> subprocess.CompletedProcess[str]:
    key = folder / "key.public"
    key.write_text(vkey)
    name = vkey.partition("+")[0]
    return subprocess.run(
        [str(fsck), f"--storage_url={url}", f"--public_key={key}", f"--origin={name}", "--ui=false"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_hammer_writes_and_reads_our_plain_log_and_fsck_finds_it_whole(
    fsck: Path, hammer: Path, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    with running(tmp_path / "home", "--origin", "hammered.example/log") as server:
        url = f"http://127.0.0.1:{server.port}/"
        began = time.monotonic()
        found = subprocess.run(
            [
                str(hammer), f"--log_url={url}", f"--log_public_key={server.vkey}", "--num_writers=64",
                "--max_write_ops=100000", "--leaf_min_size=400", f"--leaf_write_goal={WANTED}", "--show_ui=false",
                "--max_runtime=100s", "--logtostderr",
            ],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        took = time.monotonic() - began
        assert found.returncode == 0, found.stderr[-2000:]
        assert not re.search(r"failed|not OK|mismatch|inconsisten", found.stderr, re.IGNORECASE), found.stderr[-2000:]
        checkpoint = checkpoint_over(server, WANTED)
        whole = check(fsck, url, server.vkey, tmp_path)
        assert whole.returncode == 0, whole.stderr
    figure(
        f"hammer wrote {checkpoint.size} entries to the plain log in {took:.0f} s, and Tessera's fsck re-hashed them"
    )
