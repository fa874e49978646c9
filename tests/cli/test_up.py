"""The service and the verbs beside it: one home, one owner, copies while it runs, and a clean stop."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ledger import bootstrap
from ledger.service.requests import Nothing
from ledger.service.verbs import VERBS, Verb
from tests.cli.command import (
    AUTHORITY,
    DATASET,
    PROVIDER,
    QUANZE,
    REQUESTER,
    Command,
    draft_of,
    head,
    make_world,
    sign_agreement,
)

REPORTER = f"reporter@{REQUESTER}"


@pytest.fixture(scope="module")
def home(quanze: Command) -> Command:
    """A home that is not up, with a world in it."""
    with quanze.up():
        make_world(quanze)
        sign_agreement(quanze, "UP")
    return quanze


def _lines(count: int, first: int = 0) -> bytes:
    event = {"kind": "ACCESS", "side": "CONSUMER", "provider": PROVIDER, "requester": REQUESTER, "dataset": DATASET}
    rows = [
        {**event, "occurred_at_ms": 1_757_894_400_000 + number, "agreement": "UP", "correlation": f"c-{number}"}
        for number in range(first, first + count)
    ]
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_verbs_give_the_same_beside_the_service_and_without_it(home: Command) -> None:
    reads = (("agency", "list"), ("post", "list"), ("agreement", "show", "UP"), ("event", "list"), ("key", "list"))
    without = [home.done(*read) for read in reads]
    refused = home("agency", "add", PROVIDER, "--name-en", "x", "--json")
    with home.up() as up:
        assert home.done("status")["up"] is True
        assert [home.done(*read) for read in reads] == without
        beside = home("agency", "add", PROVIDER, "--name-en", "x", "--json")
        assert (beside.code, beside.error) == (refused.code, refused.error)
        # No passphrase is needed where the service has unlocked the keys.
        locked = Command(home.home, {name: value for name, value in home.settings.items() if "PASSPHRASE" not in name})
        assert locked.done("post", "add", f"night@{AUTHORITY}", "--roles", "INSPECTOR", "--key", "night")
        with urllib.request.urlopen(up["address"] + "health", timeout=10) as answer:
            assert answer.status == 200
        assert _rpc(up["address"], "eth_chainId") == hex(up["chain_id"])
    assert home.done("status")["up"] is False
    assert not home.done("status")["home"].startswith("http")
    assert not (home.home / "run" / "quanze.sock").exists()


def _rpc(address: str, method: str) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []}).encode()
    request = urllib.request.Request(address + "rpc", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())["result"]


def test_other_verbs_go_on_beside_a_long_check(home: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in home.environment.items():
        monkeypatch.setenv(name, value)
    services = bootstrap.open_home(bootstrap.read_settings())
    started, go_on = threading.Event(), threading.Event()

    def check(_services: object, _request: object, _progress: object) -> dict[str, bool]:
        started.set()
        return {"went_on": go_on.wait(30)}

    services.verbs = {
        **VERBS,
        "check": Verb("check", Nothing, check, is_long=True, runs_beside=VERBS["fsck"].runs_beside),
    }
    try:
        with ThreadPoolExecutor(1) as pool:
            checked = pool.submit(services.dispatch, "check", {})
            assert started.wait(30)
            assert services.dispatch("status", {})["agencies"] >= 3
            go_on.set()
            assert checked.result() == {"went_on": True}
    finally:
        services.close()


def test_a_home_has_one_owner(home: Command) -> None:
    with home.up():
        second = home.program("up", "--port", "0")
        assert second.returncode == 5
        assert "in use" in second.stderr
        assert home.done("status")["up"] is True


def test_a_taken_port_is_told_before_the_slow_start(home: Command) -> None:
    with home.up() as up:
        port = up["address"].rsplit(":", 1)[1].rstrip("/")
        other = Command(home.home.with_name("nothing"), home.settings).program("up", "--port", port)
        assert other.returncode == 5
        assert port in other.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_part_cleanly(home: Command, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [QUANZE, "up", "--port", "0"], env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdout, process.stderr:
        up = json.loads(process.stdout.readline())
        assert up["event"] == "up"
        process.send_signal(number)
        assert process.wait(30) == 0
        assert b"Traceback" not in process.stderr.read()
    assert home.done("fsck")["defects"] == []


def test_no_answer_names_the_server_program(home: Command) -> None:
    with home.up() as up, urllib.request.urlopen(f"{up['address']}health") as answer:
        assert answer.status == 200
        assert answer.headers["server"] is None


def test_the_log_is_anchored_by_itself(home: Command) -> None:
    often = Command(home.home, {**home.settings, "QUANZE_ANCHOR_MAX_AGE_S": "0.2"})
    with often.up():
        often.done("event", "append", "-", "--as", REPORTER, "--no-anchor", stdin=_lines(10, 500))
        size = often.done("status")["log_size"]
        told = often.done("event", "state", str(size - 1), "--wait", "final", "--timeout", "60")
        assert told["state"] == "FINAL"
        assert told["accepted_at"] <= told["included_at"] <= told["final_at"]
        assert told["frontiers"]["final"] == {"at": told["final_at"], "block": told["anchor"]["block"], "size": size}
        assert often.done("status")["not_anchored"] == 0
        refused = often("event", "state", str(size - 1), "--wait", "soon")
        assert (refused.code, "accepted, included, anchored, final" in refused.err) == (3, True)
    stays = home("event", "append", "-", "--as", REPORTER, "--no-anchor", "--json", stdin=_lines(1, 900)).json["last"]
    assert home("event", "state", str(stays), "--wait", "final").code == 5, "nothing brings it further"
    assert home.done("event", "state", str(stays))["state"] == "ACCEPTED"


def test_a_backup_taken_while_it_runs_is_a_home(home: Command, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    stop = threading.Event()
    failed: list[object] = []

    def keep_appending() -> None:
        for number in range(1_000, 100_000, 20):
            said = home.program("event", "append", "-", "--as", REPORTER, "--json", stdin=_lines(20, number))
            if said.returncode != 0:
                failed.append(said.stderr)
            if stop.is_set():
                return

    with home.up():
        writer = threading.Thread(target=keep_appending)
        writer.start()
        made = home.done("backup", str(copy))
        stop.set()
        writer.join()
        assert not failed
        assert home("backup", str(copy)).code == 4, "a backup never overwrites"
        grown = home.done("status")["log_size"]
    assert made["log_size"] <= grown

    restored = Command(tmp_path / "restored", home.settings)
    found = restored.done("restore", str(copy))
    assert found["log_size"] >= made["log_size"]
    assert restored.done("fsck")["defects"] == []
    assert restored.done("agreement", "show", "UP") == home.done("agreement", "show", "UP")
    assert restored("restore", str(copy)).code == 4, "a restore never overwrites"
    restored.done("event", "append", "-", "--as", REPORTER, stdin=_lines(5, 200_000))
    assert Command(tmp_path / "other", home.settings)("restore", str(tmp_path)).code == 3


def test_the_passphrase_is_read_from_no_variable(home: Command) -> None:
    """A variable would be inherited by every child and shown by the system's own tools."""
    without = {name: value for name, value in home.settings.items() if name != "QUANZE_PASSPHRASE_FILE"}
    right = Path(home.settings["QUANZE_PASSPHRASE_FILE"]).read_text(encoding="ascii").strip()
    said = Command(home.home, {**without, "QUANZE_PASSPHRASE": right})("key", "new", "by-variable")
    assert said.code != 0
    assert "QUANZE_PASSPHRASE_FILE" in said.err
    assert right not in said.err + said.out
    assert "by-variable" not in {key["name"] for key in home.done("key", "list")["items"]}


def test_a_kill_loses_nothing_that_was_acknowledged(home: Command) -> None:
    process = subprocess.Popen([QUANZE, "up", "--port", "0"], env=home.environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline()
        appended = home.done("event", "append", "-", "--as", REPORTER, "--no-anchor", stdin=_lines(7, 300_000))
        home.done("agency", "add", "ods:X26", "--name-en", "Killed")
        process.kill()
        process.wait()
    assert home.done("event", "show", str(appended["last"]))["index"] == appended["last"]
    assert home.done("agency", "show", "ods:X26")["agency"] == "ods:X26"
    assert home.done("fsck")["defects"] == []


def test_a_missing_passphrase_file_is_named_and_reading_needs_none(home: Command) -> None:
    locked = Command(home.home, {**home.settings, "QUANZE_PASSPHRASE_FILE": str(home.home / "missing")})
    assert locked.done("agency", "list")["items"]
    said = locked("key", "new", "never")
    assert said.code in {3, 5}
    assert "missing" in said.err
    none = Command(home.home, {"QUANZE_BLOCK_TIME_LEAD_MAX_S": "100000"})
    said = none("agreement", "draft", "-", "--as", head(PROVIDER), stdin=json.dumps(draft_of("NEVER")).encode())
    assert said.code == 3
    assert "QUANZE_PASSPHRASE_FILE" in said.err
