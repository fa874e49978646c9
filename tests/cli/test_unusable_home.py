"""A home that cannot be used says why, for a verb and for ``quanze up`` alike: what is wrong, and who has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from ledger import bootstrap
from ledger.home import Home, HomeLock
from ledger.home_guard import HomeBusyError
from ledger.service.ledger_time import ClockBackError, ledger_time
from ledger.settings import Settings
from tests.cli.command import QUANZE, Command

if TYPE_CHECKING:
    from pathlib import Path

CALLS = (("status",), ("up", "--port", "0"))


@pytest.fixture(scope="module")
def made(new_command: Any) -> Command:
    command: Command = new_command()
    return command


@pytest.fixture
def quanze(made: Command, tmp_path: Path) -> Command:
    shutil.copytree(made.home, tmp_path / "home", ignore=shutil.ignore_patterns("*.sock"))
    return Command(tmp_path / "home", made.settings)


def refused(quanze: Command, call: tuple[str, ...], *, under: tuple[str, ...] = ()) -> tuple[int, dict[str, str]]:
    """Run a command line as a process of its own; return its exit code and the error that it told."""
    run = subprocess.run(
        [*under, QUANZE, *call, "--json"], env=quanze.environment, capture_output=True, check=False, timeout=120
    )
    assert b"Traceback" not in run.stderr, run.stderr.decode()
    told: dict[str, str] = json.loads(run.stderr.decode().strip().splitlines()[-1])["error"]
    return run.returncode, told


def can_mount() -> bool:
    return subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("call", CALLS)
def test_a_read_only_file_system_is_named(quanze: Command, call: tuple[str, ...]) -> None:
    if not can_mount():
        pytest.skip("NOT RUN: a read-only mount needs `unshare -rm`, which this machine does not allow")
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
    code, error = refused(quanze, call, under=("unshare", "-rm", "sh", "-c", script, str(quanze.home)))
    assert (code, error["code"]) == (5, "home_unwritable")
    assert "read-only" in error["message"]
    assert str(quanze.home) in error["message"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", [".", "vault.db", "keys/log.json"])
def test_a_home_or_a_file_of_another_owner_is_named(quanze: Command, call: tuple[str, ...], name: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT RUN: giving a file to another user needs root")
    path = quanze.home / name
    if not path.exists():
        path = next((quanze.home / "keys").iterdir())
    os.chown(path, 12_345, 12_345)
    code, error = refused(quanze, call)
    assert (code, error["code"]) == (5, "home_owner")
    assert str(path.resolve()) in error["message"]
    assert "12345" in error["message"]
    assert f"runs as {os.geteuid()}" in error["message"]


@pytest.mark.parametrize("call", CALLS)
def test_a_key_that_others_may_read_is_named(quanze: Command, call: tuple[str, ...]) -> None:
    key = next((quanze.home / "keys").iterdir())
    key.chmod(0o644)
    assert quanze.program("status").returncode == 0  # Nobody else may enter the home.
    quanze.home.chmod(0o711)
    quanze.home.joinpath("keys").chmod(0o700)
    code, error = refused(quanze, call)
    assert (code, error["code"]) == (5, "private_file_open")
    assert str(key) in error["message"]
    assert "0644" in error["message"]
    key.chmod(0o600)
    assert quanze.program("status").returncode == 0  # So a web server may reach the log.


def test_a_home_that_others_may_list_is_named(quanze: Command) -> None:
    quanze.home.chmod(0o755)
    code, error = refused(quanze, ("status",))
    assert (code, error["code"]) == (5, "private_file_open")


@pytest.mark.parametrize("call", CALLS)
def test_a_missing_home_is_named(quanze: Command, call: tuple[str, ...]) -> None:
    shutil.rmtree(quanze.home)
    code, error = refused(quanze, call)
    assert (code, error["code"]) == (3, "invalid_input")
    assert str(quanze.home) in error["message"]


@pytest.mark.parametrize("call", CALLS)
def test_a_second_writer_is_refused_and_told_the_pid_of_the_first(quanze: Command, call: tuple[str, ...]) -> None:
    lock = HomeLock(Home(quanze.home))
    try:
        code, error = refused(quanze, call)
    finally:
        lock.release()
    assert (code, error["code"]) == (5, "home_busy")
    assert str(os.getpid()) in error["message"]


def test_a_second_up_names_the_first(quanze: Command) -> None:
    with quanze.up() as up:
        code, error = refused(quanze, ("up", "--port", "0"))
        assert (code, error["code"]) == (5, "home_busy")
        assert str(up["pid"]) in error["message"]


def test_a_second_opening_in_one_process_is_refused(quanze: Command) -> None:
    settings = Settings(home=quanze.home, **{k.removeprefix("QUANZE_").lower(): v for k, v in quanze.settings.items()})  # type: ignore[arg-type]
    services = bootstrap.open_home(settings)
    try:
        with pytest.raises(HomeBusyError):
            bootstrap.open_home(settings)
    finally:
        services.close()


def test_a_home_opened_for_reading_alone_records_nothing(quanze: Command) -> None:
    with quanze.up("--read-only"):
        assert quanze.done("status")["up"] is True
        said = quanze("agency", "add", "uscc:119900000000A00135", "--name-en", "x", "--json")
        assert (said.code, said.error["code"]) == (4, "home_read_only")


def test_ledger_times_never_decrease_and_a_clock_far_back_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert ledger_time(1_000, 0, back_max_s=1) == 1_000
    assert ledger_time(4_100, 5_000, back_max_s=1) == 5_000
    assert ledger_time(4_200, 5_000, back_max_s=1) == 5_000
    assert capsys.readouterr().out.count("clock_behind") == 1  # Told once, with how far.
    with pytest.raises(ClockBackError, match=r"1\.5 s behind") as caught:
        ledger_time(3_500, 5_000, back_max_s=1)
    assert caught.value.fields["allowed_s"] == 1
