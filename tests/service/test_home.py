"""The home folder's lock and its atomic files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.domain.errors import InvalidInputError, UnavailableError
from ledger.home import Home, HomeLock, write_atomically, write_json


def test_a_home_is_locked_by_one_holder_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with HomeLock(home), pytest.raises(UnavailableError, match="in use"):
        HomeLock(home)
    HomeLock(home).release()


def test_an_unmade_home_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no home"):
        Home(tmp_path).read_config()
    write_json(Home(tmp_path).init_plan, {"chain_id": 1})
    with pytest.raises(InvalidInputError, match="unfinished home"):
        Home(tmp_path).read_config()


def test_files_are_replaced_whole_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"n" * (3 << 20))
    assert path.read_bytes() == b"n" * (3 << 20)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
