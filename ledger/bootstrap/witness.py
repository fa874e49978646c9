"""The home of a witness: a folder ``witness`` with its key, its name and what it signed last of each log.

Making one has three steps, each durable before the next: (1) the key; (2) the empty record; (3) ``witness.json`` with
the name. A run that dies between two goes on at its next start. Opening never makes a record anew.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.bootstrap.parts import passphrase_of
from ledger.domain.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError
from ledger.home import write_json
from ledger.log.cosignature import CosignatureVerifier, Cosigner
from ledger.log.note import is_key_name
from ledger.log.policy import parse_logs
from ledger.signing.keystore import FileKeyring
from ledger.witnessing.serving import serve
from ledger.witnessing.state import WitnessState, make_state
from ledger.witnessing.witness import Witness

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from ledger.settings import Settings

_FOLDER: Final = "witness"
_RECORD: Final = "witness.json"
_FORMAT: Final = "quanze-witness-v1"
_KEY: Final = "witness"


@dataclass(frozen=True, slots=True)
class OpenWitness:
    """A witness that may serve: its verifier key, the origins that it watches, how to serve and to close it."""

    vkey: str
    origins: tuple[str, ...]
    serve: Callable[[socket.socket], None]
    close: Callable[[], None]


def init_witness(settings: Settings, name: str) -> str:
    """Make a witness and return its verifier key; one of the same name that is there already stays as it is.

    Raises:
        InvalidInputError: The name is no key name, or there is no passphrase.
        ConflictError: There is a witness of another name.
    """
    if not is_key_name(name):
        raise InvalidInputError("name", name, "text without white space and plus signs, as witness.example.org/w1")
    folder = settings.home / _FOLDER
    record = folder / _RECORD
    if record.exists():
        found = _read(folder)
        if found.name != name:
            raise ConflictError("witness", "it has another name", found=found.name, given=name)
        return found.vkey
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    keyring = _keyring(settings, folder)
    try:
        key = keyring.log_key(_KEY)
    except NotFoundError:
        key = keyring.create_log_key(_KEY)
    make_state(folder)
    verifier = CosignatureVerifier(name, key.public_key)
    write_json(record, {"format": _FORMAT, "name": name, "vkey": verifier.vkey})
    return verifier.vkey


def witness_key(settings: Settings) -> str:
    """Return the verifier key of the home's witness; needs no passphrase.

    Raises:
        InvalidInputError: There is no witness.
        IntegrityError: Its record is damaged.
    """
    return _read(settings.home / _FOLDER).vkey


def open_witness(settings: Settings, logs_file: Path) -> OpenWitness:
    """Open the home's witness for this process alone.

    Raises:
        InvalidInputError: There is no witness, no passphrase, or the file of logs cannot be read or is none.
        UnavailableError: Another process is this witness.
        IntegrityError: Its record is damaged or missing, or its key is not the one that it was made with.
    """
    folder = settings.home / _FOLDER
    verifier = _read(folder)
    try:
        logs = parse_logs(logs_file.read_bytes())
    except OSError as error:
        raise InvalidInputError("--logs", str(logs_file), "a file that can be read") from error
    with ExitStack() as opened:
        state = WitnessState.open(folder)
        opened.callback(state.close)
        key = _keyring(settings, folder).log_key(_KEY)
        if key.public_key != verifier.public_key:
            raise IntegrityError("witness", "its key is not the one in its record", file=_RECORD)
        cosigner = Cosigner(verifier.name, key.public_key, key.sign, lambda: 0)
        witness = Witness(state, cosigner, logs)
        close = opened.pop_all().close
    return OpenWitness(verifier.vkey, tuple(logs), lambda listener: serve(witness, listener), close)


def _keyring(settings: Settings, folder: Path) -> FileKeyring:
    return FileKeyring(folder / "keys", passphrase_of(settings), scrypt_n=settings.keystore_scrypt_n)


def _read(folder: Path) -> CosignatureVerifier:
    record = folder / _RECORD
    if not record.exists():
        raise InvalidInputError("home", str(folder.parent), "a home with a witness, made by `quanze witness init`")
    try:
        found: dict[str, Any] = json.loads(record.read_bytes())
        verifier = CosignatureVerifier.from_vkey(found["vkey"])
        if found["format"] == _FORMAT and found["name"] == verifier.name:
            return verifier
    except (ValueError, KeyError, TypeError, InvalidInputError):
        pass
    raise IntegrityError("witness", "its record is damaged", file=str(record))
