"""A home whose disk is full says so, loses nothing, and goes on by itself when there is space again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.browser import sample_ledger
from tests.small_disk import run_on_small_disk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_home_says_that_its_disk_is_full_and_goes_on_when_it_is_not(tmp_path: Path) -> None:
    sample = sample_ledger.make(tmp_path)
    home = sample.services.home.path
    sample.services.close()
    told = json.loads(run_on_small_disk("tests.store.home_on_full_disk", "96m", tmp_path / "disk", str(home)))
    print(told)
    assert {name for _, name, _ in told["refused"]} >= {"events", "agency", "case"}
    others = [refusal for refusal in told["refused"] if not refusal[2].startswith("unavailable: ")]
    assert others == []
    assert told["lost"] == []
    assert told["defects"] == []
    assert told["receipts"] > 0
