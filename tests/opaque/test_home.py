"""The home of a plain log: its name and key, and what it refuses to be mixed with."""

from __future__ import annotations

import json
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from ledger.domain.errors import IntegrityError
from ledger.log.note import Ed25519Signer
from ledger.log.plain_key import parse_plain_key, print_plain_key
from tests.opaque.client import add, checkpoint_over
from tests.opaque.server import QUANZE, environment, running

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def quanze(
    home: Path, *arguments: str, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([QUANZE, *arguments], env=environment(home, settings), capture_output=True, check=False)


def serve(home: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return quanze(home, "log", "serve", "--opaque", *arguments)


def sealed(folder: Path) -> dict[str, str]:
    passphrase = folder / "passphrase"
    passphrase.write_text("a passphrase that must never be shown\n", encoding="ascii")
    return {"QUANZE_PASSPHRASE_FILE": str(passphrase), "QUANZE_KEYSTORE_SCRYPT_N": "16"}


def test_key_in_clear_is_the_owners_alone_and_said_to_be_in_clear(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, "--origin", "log.example/plain") as server:
        checkpoint_over(server, 0)
    path = home / "keys" / "log.private"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert parse_plain_key(path.read_text()).vkey == server.vkey
    assert quanze(home, "log", "key", "--public").stdout.decode().strip() == server.vkey
    assert json.loads(quanze(home, "log", "key", "--public", "--json").stdout) == {"vkey": server.vkey}


def test_sealed_key_is_used_when_there_is_a_passphrase(tmp_path: Path) -> None:
    home, settings = tmp_path / "home", sealed(tmp_path)
    with running(home, settings=settings) as server:
        assert add(server, b"sealed") == 0
        checkpoint_over(server, 1)
    assert [path.name for path in (home / "keys").iterdir()] == ["log.ed25519"]
    assert quanze(home, "log", "key", "--public").stdout.decode().strip() == server.vkey
    without = serve(home)
    assert without.returncode == 3
    assert b"QUANZE_PASSPHRASE_FILE" in without.stderr


def test_home_of_a_ledger_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.json").write_text("{}")
    refused = serve(home)
    assert refused.returncode == 4
    assert b"a ledger's" in refused.stderr
    assert sorted(path.name for path in home.iterdir()) == ["config.json"]


def test_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    refused = serve(tmp_path)
    assert refused.returncode == 4
    assert b"letters.txt" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letters.txt"]


def test_ledger_is_not_made_in_the_home_of_a_plain_log(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home):
        pass
    refused = quanze(home, "init", settings=sealed(tmp_path))
    assert refused.returncode == 4, refused
    assert b"plain log" in refused.stderr


def test_log_keeps_its_name(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, "--origin", "log.example/one"):
        pass
    refused = serve(home, "--origin", "log.example/two")
    assert refused.returncode == 4
    assert b"log.example/one" in refused.stderr


def test_name_that_no_checkpoint_may_carry_is_refused(tmp_path: Path) -> None:
    assert serve(tmp_path / "home", "--origin", "two words").returncode == 3


def test_start_after_a_death_between_name_and_key_goes_on(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    record = {"format": "quanze-opaque-log-v1", "origin": "log.example/begun"}
    (tmp_path / "home" / "opaque.json").write_text(json.dumps(record))
    with running(tmp_path / "home") as server:
        assert server.vkey.startswith("log.example/begun+")
        assert add(server, b"x") == 0


def test_log_whose_key_is_gone_is_not_given_another(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home):
        pass
    (home / "keys" / "log.private").unlink()
    refused = serve(home)
    assert refused.returncode == 1
    assert b"its key is gone" in refused.stderr


@pytest.mark.parametrize("record", [b"", b"{}", b'{"format": "quanze-opaque-log-v2", "origin": "x"}', b"[1]"])
def test_damaged_record_is_named(tmp_path: Path, record: bytes) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "opaque.json").write_bytes(record)
    refused = serve(tmp_path / "home")
    assert refused.returncode == 1
    assert b"opaque.json" in refused.stderr


def test_serving_is_off_unless_asked_for_and_the_private_key_is_never_shown(tmp_path: Path) -> None:
    assert quanze(tmp_path / "home", "log", "serve").returncode == 3
    assert quanze(tmp_path / "home", "log", "key").returncode == 3
    assert quanze(tmp_path / "home", "log", "key", "--public").returncode == 3
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("address", ["8440", "127.0.0.1", "127.0.0.1:x", ":1", "127.0.0.1:70000"])
def test_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    refused = serve(tmp_path / "home", "--listen", address)
    assert refused.returncode == 3
    assert b"--listen" in refused.stderr


def test_plain_key_has_one_spelling() -> None:
    text = print_plain_key("log.example/key", bytes(range(32)))
    assert parse_plain_key(text).vkey == Ed25519Signer("log.example/key", bytes(range(32))).vkey
    for altered in (text[1:], text.replace("key+", "kex+"), text + "\n", text.replace("PRIVATE", "PUBLIC"), "", "+++"):
        with pytest.raises(IntegrityError) as refused:
            parse_plain_key(altered)
        assert text.strip()[-20:] not in str(refused.value)
