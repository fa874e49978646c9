"""A log whose disk is full refuses and says so, loses nothing, and goes on by itself when there is space again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.small_disk import run_on_small_disk

if TYPE_CHECKING:
    from pathlib import Path


def test_log_goes_on_when_its_disk_has_space_again(tmp_path: Path) -> None:
    told = json.loads(run_on_small_disk("tests.log.log_on_full_disk", "2m", tmp_path / "disk"))
    assert told["refused"]["append"] > 0
    assert told["refused"]["publish"] > 0
    assert all(reason.startswith("log is unavailable") for reason in told["reasons"])
    assert told["compared"] > 4_000
    assert told["size"] >= told["compared"]
