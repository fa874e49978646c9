"""The home folder's lock and its atomic files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.errors import InvalidInputError, UnavailableError
from ledger.home import Home, HomeLock, copy_durably, write_atomically, write_json


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


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.path.mkdir(mode=0o755)
    home.make()
    assert {one.stat().st_mode & 0o777 for one in (home.path, *home.path.iterdir())} == {0o700}


def test_a_link_set_for_a_file_that_is_being_written_is_not_followed(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("ledger.home.secrets.token_hex", lambda _size: "known")
    outside = tmp_path / "outside"
    outside.write_bytes(b"kept")
    (tmp_path / ".file.known.partial").symlink_to(outside)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "file", b"new")
    assert outside.read_bytes() == b"kept"


@pytest.mark.parametrize("kind", ["link", "link to a folder", "fifo"])
def test_only_plain_files_are_copied(tmp_path: Path, kind: str) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "backup"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (folder / "keys").mkdir(parents=True)
    match kind:
        case "link":
            (folder / "keys" / "one").symlink_to(outside / "secret")
        case "fifo":
            os.mkfifo(folder / "keys" / "one")
        case _:
            (folder / "keys" / "one").symlink_to(outside)
    with pytest.raises(InvalidInputError, match="plain file"):
        copy_durably(folder, tmp_path / "copy")
    assert not (tmp_path / "copy" / "keys" / "one").exists()
