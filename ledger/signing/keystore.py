"""A folder of encrypted keys, one file each, opened with one passphrase.

    keyring = FileKeyring(home / "keys", passphrase_from_file(path))
    keyring.create("office-head.ods-x26").sign_digest(digest)

Must stay true: a file appears whole or not at all and is never overwritten; files are 0600 and the folder
0700; addresses can be read without the passphrase; an opened key stays in this process's memory only.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
import uuid
from typing import TYPE_CHECKING, Any

from ledger.domain.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError, UnavailableError
from ledger.signing.envelope import DEFAULT_SCRYPT_N, Envelope, open_sealed, seal
from ledger.signing.signers import LocalSigner, LogKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:+-]{0,127}")
_NAME_RULE = "1 to 128 letters, digits and . _ @ : + - with a letter or digit first"
_V3 = 3
_PUBLIC_BYTES = 32
LOG_KEY_FORMAT = "quanze-log-key-v1"
_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class FileKeyring:
    """Named keys as keystore V3 files; the log's key beside them in the same envelope."""

    def __init__(self, folder: Path, passphrase: Callable[[], str], *, scrypt_n: int = DEFAULT_SCRYPT_N) -> None:
        self._folder = folder
        self._passphrase = passphrase
        self._scrypt_n = scrypt_n
        self._signers: dict[str, LocalSigner] = {}
        self._log_keys: dict[str, LogKey] = {}
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def __repr__(self) -> str:
        return f"FileKeyring({str(self._folder)!r})"

    def create(self, name: str, check: Callable[[LocalSigner], None] | None = None) -> LocalSigner:
        """Make a new random key, durable when this returns.

        Args:
            name: The key's name.
            check: Called with the key before it is kept; when it raises, no key is left behind.

        Raises:
            InvalidInputError: the name is not allowed.
            ConflictError: a key of this name exists.
        """
        self._path(name, ".json")
        secret = (secrets.randbelow(_SECP256K1_ORDER - 1) + 1).to_bytes(32, "big")
        if check is not None:
            check(LocalSigner(secret))
        return self.import_secret(name, secret)

    def import_secret(self, name: str, secret: bytes) -> LocalSigner:
        """Store a secret made elsewhere under a name. Raises as `create`."""
        path = self._path(name, ".json")
        signer = LocalSigner(secret)
        document = {
            "address": signer.address.hex(),
            "crypto": seal(secret, self._passphrase(), self._scrypt_n).to_json(),
            "id": derived_id(signer.address),
            "version": _V3,
        }
        with self._lock:
            _write_new(path, document, name)
            self._signers[name] = signer
        return signer

    def signer(self, name: str) -> LocalSigner:
        """Open a key.

        Raises:
            NotFoundError: no key has this name.
            UnauthorizedError: the passphrase does not open it.
            IntegrityError: the secret inside does not give the address on the file.
        """
        with self._lock:
            if (known := self._signers.get(name)) is not None:
                return known
            document = _read(self._path(name, ".json"), name)
            signer = LocalSigner(open_sealed(Envelope.from_json(document.get("crypto")), self._passphrase()))
            if signer.address != _address_in(document, name):
                raise IntegrityError(f"key {name}", "its secret does not give the address that its file states")
            self._signers[name] = signer
            return signer

    def names(self) -> list[str]:
        """Return the names of all secp256k1 keys, sorted."""
        return sorted(path.name.removesuffix(".json") for path in self._folder.glob("*.json"))

    def address(self, name: str) -> bytes:
        """Return a key's address; needs no passphrase.

        Raises:
            NotFoundError: no key has this name.
        """
        with self._lock:
            if (known := self._signers.get(name)) is not None:
                return known.address
        return _address_in(_read(self._path(name, ".json"), name), name)

    def create_log_key(self, name: str) -> LogKey:
        """Make a new Ed25519 key for the log. Raises as `create`."""
        path = self._path(name, ".ed25519")
        seed = secrets.token_bytes(32)
        key = LogKey(seed)
        document = {
            "crypto": seal(seed, self._passphrase(), self._scrypt_n).to_json(),
            "format": LOG_KEY_FORMAT,
            "public_key": key.public_key.hex(),
        }
        with self._lock:
            _write_new(path, document, name)
            self._log_keys[name] = key
        return key

    def log_key(self, name: str) -> LogKey:
        """Open the log's key. Raises as `signer`."""
        with self._lock:
            if (known := self._log_keys.get(name)) is not None:
                return known
            document = _read(self._path(name, ".ed25519"), name)
            key = LogKey(open_sealed(Envelope.from_json(document.get("crypto")), self._passphrase()))
            if key.public_key.hex() != document.get("public_key"):
                raise IntegrityError(f"key {name}", "its secret does not give the public key that its file states")
            self._log_keys[name] = key
            return key

    def log_public_key(self, name: str) -> bytes:
        """Return the 32 public bytes on a log key's file; needs no passphrase.

        Raises:
            NotFoundError: no key has this name.
            InvalidInputError: the file is no log key's.
        """
        document = _read(self._path(name, ".ed25519"), name)
        try:
            public = bytes.fromhex(str(document["public_key"]))
        except (KeyError, ValueError):
            public = b""
        if len(public) != _PUBLIC_BYTES:
            raise InvalidInputError(f"key {name}", "public_key", f"{_PUBLIC_BYTES} bytes in hex")
        return public

    def _path(self, name: str, suffix: str) -> Path:
        if not _NAME.fullmatch(name) or ".." in name or name.endswith((".json", ".ed25519")):
            raise InvalidInputError("key name", name, _NAME_RULE)
        return self._folder / (name + suffix)


def _address_in(document: dict[str, Any], name: str) -> bytes:
    try:
        return bytes.fromhex(str(document["address"]).removeprefix("0x"))
    except (KeyError, ValueError) as error:
        raise InvalidInputError(f"key {name}", "address", "20 bytes in hex") from error


def _read(path: Path, name: str) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError("key", name) from error
    except ValueError as error:
        raise InvalidInputError(f"key {name}", path.name, "a keystore file in JSON") from error
    if not isinstance(document, dict):
        raise InvalidInputError(f"key {name}", path.name, "a keystore file in JSON")
    return document


def derived_id(address: bytes) -> str:
    """Return the id that keystore V3 wants: made of the address, so that no byte of a key's file is without meaning."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, address.hex()))


def _write_new(path: Path, document: dict[str, Any], name: str) -> None:
    """Write a file whole and durable under a name that nobody has; link() refuses to overwrite.

    Raises:
        ConflictError: The name is taken.
        UnavailableError: The disk is full, or fails.
    """
    try:
        _write_durably(path, document)
    except FileExistsError as error:
        raise ConflictError(f"key {name}", "a key of this name exists already") from error
    except OSError as error:
        raise UnavailableError("the keys' folder", str(error), key=name) from error


def _write_durably(path: Path, document: dict[str, Any]) -> None:
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(document, file, indent=2, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
