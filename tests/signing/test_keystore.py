from __future__ import annotations

import json
import logging
import stat
from typing import TYPE_CHECKING

import pytest
from coincurve import PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from eth_account import Account

from ledger.domain.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError, UnauthorizedError
from ledger.signing.envelope import Envelope, open_sealed, seal
from ledger.signing.keystore import FileKeyring
from ledger.signing.passphrase import passphrase_from_file
from ledger.signing.signers import LocalSigner, address_of

if TYPE_CHECKING:
    from pathlib import Path

N = 2**4
PASSPHRASE = "correct horse 电池"
SECRET = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")


def ring(folder: Path, passphrase: str = PASSPHRASE) -> FileKeyring:
    return FileKeyring(folder, lambda: passphrase, scrypt_n=N)


def test_key_survives_reopening_and_signs_the_same(tmp_path: Path) -> None:
    made = ring(tmp_path).create("office-head")
    opened = ring(tmp_path).signer("office-head")
    assert opened.address == made.address == ring(tmp_path).address("office-head")
    assert opened.sign_digest(b"\x07" * 32) == made.sign_digest(b"\x07" * 32)
    assert ring(tmp_path).names() == ["office-head"]


def test_signature_recovers_to_the_address() -> None:
    signer = LocalSigner(SECRET)
    signature = signer.sign_digest(b"\x11" * 32)
    assert signature[64] in (27, 28)
    public = PublicKey.from_signature_and_message(
        signature[:64] + bytes([signature[64] - 27]), b"\x11" * 32, hasher=None
    )
    assert (
        address_of(public.format(compressed=False))
        == signer.address
        == bytes.fromhex("2c7536e3605d9c16a7a3d7b1898e529396a65c23")
    )


def test_signature_equals_that_of_eth_account() -> None:
    theirs = Account.unsafe_sign_hash(b"\x22" * 32, SECRET).signature
    assert LocalSigner(SECRET).sign_digest(b"\x22" * 32) == bytes(theirs)


def test_eth_account_opens_our_file(tmp_path: Path) -> None:
    ring(tmp_path).import_secret("k", SECRET)
    assert bytes(Account.decrypt((tmp_path / "k.json").read_text(), PASSPHRASE)) == SECRET


def test_we_open_a_file_of_eth_account(tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text(json.dumps(Account.encrypt(SECRET, PASSPHRASE, kdf="scrypt", iterations=N)))
    assert ring(tmp_path).signer("k").address == LocalSigner(SECRET).address


def test_wrong_passphrase_is_unauthorized_and_tells_no_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ring(tmp_path).import_secret("k", SECRET)
    with pytest.raises(UnauthorizedError) as caught:
        ring(tmp_path, "guess-1234").signer("k")
    told = caught.value.explain() + repr(ring(tmp_path)) + repr(LocalSigner(SECRET)) + caplog.text
    assert "guess-1234" not in told
    assert SECRET.hex() not in told


def test_altered_ciphertext_is_refused(tmp_path: Path) -> None:
    ring(tmp_path).import_secret("k", SECRET)
    path = tmp_path / "k.json"
    document = json.loads(path.read_text())
    text = document["crypto"]["ciphertext"]
    document["crypto"]["ciphertext"] = ("0" if text[0] != "0" else "1") + text[1:]
    path.write_text(json.dumps(document))
    with pytest.raises(UnauthorizedError):
        ring(tmp_path).signer("k")


def test_altered_address_is_an_integrity_error(tmp_path: Path) -> None:
    ring(tmp_path).import_secret("k", SECRET)
    path = tmp_path / "k.json"
    document = json.loads(path.read_text())
    document["address"] = "00" * 20
    path.write_text(json.dumps(document))
    with pytest.raises(IntegrityError):
        ring(tmp_path).signer("k")


def test_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    keyring = ring(tmp_path)
    first = keyring.create("k").address
    with pytest.raises(ConflictError):
        keyring.create("k")
    assert ring(tmp_path).signer("k").address == first
    assert [path.name for path in tmp_path.iterdir()] == ["k.json"]


def test_unknown_key_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        ring(tmp_path).signer("nobody")
    with pytest.raises(NotFoundError):
        ring(tmp_path).address("nobody")


@pytest.mark.parametrize("name", ["", "../k", "a/b", ".hidden", "a..b", "x" * 129, "a\x00b", "k.json", "数", "a b"])
def test_bad_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError):
        ring(tmp_path).create(name)
    assert list(tmp_path.iterdir()) == []


def test_files_are_private(tmp_path: Path) -> None:
    keyring = ring(tmp_path / "keys")
    keyring.create("k")
    keyring.create_log_key("log")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_log_key_survives_reopening_and_verifies(tmp_path: Path) -> None:
    public = ring(tmp_path).create_log_key("log").public_key
    signature = ring(tmp_path).log_key("log").sign(b"checkpoint")
    Ed25519PublicKey.from_public_bytes(public).verify(signature, b"checkpoint")
    with pytest.raises(UnauthorizedError):
        ring(tmp_path, "other").log_key("log")
    assert ring(tmp_path).names() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"kdf": "pbkdf2"},
        {"cipher": "aes-256-cbc"},
        {"kdfparams": {"n": 2**40, "r": 8, "p": 1, "dklen": 32, "salt": "00"}},
        {"kdfparams": {"n": 3, "r": 8, "p": 1, "dklen": 32, "salt": "00"}},
        {"mac": "zz"},
        {"cipherparams": None},
    ],
)
def test_hostile_envelopes_are_refused_before_any_work(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        Envelope.from_json({**seal(b"x" * 32, "p", N).to_json(), **changes})


def test_envelope_round_trips_through_json() -> None:
    envelope = seal(b"s" * 32, PASSPHRASE, N)
    assert open_sealed(Envelope.from_json(json.loads(json.dumps(envelope.to_json()))), PASSPHRASE) == b"s" * 32


@pytest.mark.parametrize("n", [0, 1, 3, 2**21])
def test_seal_refuses_a_work_factor_it_would_not_open(n: int) -> None:
    with pytest.raises(InvalidInputError):
        seal(b"s" * 32, PASSPHRASE, n)


def test_passphrase_file_gives_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_bytes("pass 词\r\nrest".encode())
    assert passphrase_from_file(path)() == "pass 词"


@pytest.mark.parametrize("content", [b"", b"\nsecond", b"\xff\xfe"])
def test_passphrase_file_that_gives_none_is_named_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "p"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="QUANZE_PASSPHRASE_FILE"):
        passphrase_from_file(path)()


def test_missing_passphrase_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        passphrase_from_file(tmp_path / "none")()
