"""``quanze init`` into a store, and ``quanze log migrate``: S3-compatible storage, a folder, and back."""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ledger.log.client import verify_log
from ledger.log.note import Ed25519Verifier
from ledger.log.storage import FolderFetcher
from ledger.log.storage.bucket import Bucket
from tests.cli.command import Command, make_settings
from tests.log.s3 import BUCKET, CREDENTIALS, s3_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as address:
        yield address


@pytest.fixture
def command(tmp_path: Path, s3: str) -> Command:
    """A command whose home is not made yet, with credentials in its environment."""
    return Command(tmp_path / "home", {**make_settings(tmp_path), **CREDENTIALS, "QUANZE_S3_ENDPOINT": s3})


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def entries_in(files: Any, vkey: str) -> int:
    *_, last = verify_log(files, Ed25519Verifier.from_vkey(vkey))
    return last.entries


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Return once a condition holds."""
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.05)
    pytest.fail(what)


def test_home_publishes_in_a_bucket_from_its_first_checkpoint(command: Command, s3: str, tmp_path: Path) -> None:
    address = f"s3://{BUCKET}/{tmp_path.name}"
    command.settings["QUANZE_LOG_STORE"] = address
    made = command.done("init", "--origin", "quanze.example/bucket")
    store = Bucket(address, s3)
    with command.up() as up:
        wait_for(lambda: store.exists("checkpoint"), "the store has no checkpoint")
        served = httpx.get(f"{up['address']}log/checkpoint")
        assert served.headers["content-type"] == "text/plain; charset=utf-8"
        wait_for(lambda: store.read("checkpoint") == served.content, "the store has another checkpoint")
        assert command.done("fsck")["defects"] == []
    assert entries_in(store, made["log_vkey"]) == 0
    assert json.loads((command.home / "log-store.json").read_bytes())["store"] == address


def test_home_is_not_made_with_a_store_that_does_not_answer(command: Command) -> None:
    command.settings |= {"QUANZE_LOG_STORE": "s3://no-such-bucket-here"}
    said = command("init", "--json")
    assert (said.code, said.error["code"]) == (5, "unavailable")
    assert not (command.home / "config.json").exists()


def test_settings_that_name_another_store_than_the_homes_are_refused(command: Command) -> None:
    command.done("init")
    command.settings["QUANZE_LOG_STORE"] = "s3://another/log"
    said = command("status")
    assert said.code == 3
    assert "quanze log migrate" in said.err


@pytest.mark.parametrize("is_up", [False, True])
def test_migrate_moves_the_log_and_comes_back(command: Command, s3: str, tmp_path: Path, *, is_up: bool) -> None:
    vkey = command.done("init")["log_vkey"]
    address, public = f"s3://{BUCKET}/{tmp_path.name}", tmp_path / "public"
    with command.up() if is_up else contextlib.nullcontext():
        moved = command.done("log", "migrate", "--to", address)
        assert moved == {"from": "", "to": address, "size": 0}
        assert entries_in(Bucket(address, s3), vkey) == 0
        assert command.done("log", "migrate", "--to", address)["from"] == address
        assert command.done("fsck")["defects"] == []
        assert command.done("log", "migrate", "--to", str(public))["to"] == str(public)
        assert entries_in(FolderFetcher(public), vkey) == 0
        assert command.done("log", "migrate", "--to", str(command.home / "log"))["to"] == ""
        assert command.done("fsck")["defects"] == []


def test_migrate_that_is_refused_leaves_the_log_where_it_is(command: Command) -> None:
    command.done("init")
    for to, code in (("ftp://somewhere", 3), ("s3://no-such-bucket-here", 5)):
        said = command("log", "migrate", "--to", to)
        assert said.code == code, said
    assert not (command.home / "log-store.json").exists()
    assert command.done("fsck")["defects"] == []
