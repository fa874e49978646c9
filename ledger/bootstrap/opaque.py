"""Opening the home of a plain log: its name, its key and its files, made where there are none.

Making one has three steps, each durable before the next: (1) ``opaque.json`` with the log's name; (2) the key;
(3) the log, which publishes a checkpoint of size 0. A run that dies between two goes on at its next start.
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.bootstrap.parts import LOG_KEY, LazyNoteSigner, open_keyring
from ledger.domain.errors import ConflictError, IntegrityError, InvalidInputError, NotFoundError
from ledger.home import Home, HomeLock, write_atomically, write_json
from ledger.log.cosignature import Cosigner
from ledger.log.note import Ed25519Verifier, is_key_name
from ledger.log.plain_key import parse_plain_key, print_plain_key
from ledger.log.storage import FolderFetcher, FolderLog
from ledger.service.opaque_log import OpaqueLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.log.ports import Fetcher, NoteSigner
    from ledger.settings import Settings

_FORMAT: Final = "quanze-opaque-log-v1"
_RECORD: Final = "opaque.json"
_PLAIN_KEY: Final = "log.private"
_SEED_BYTES: Final = 32
_MADE_BY_US: Final = frozenset({"keys", "run", "log", _RECORD})


@dataclass(frozen=True, slots=True)
class OpaqueHome:
    """An open plain log: what writes it, what reads its public files, its key, and what closes all."""

    log: OpaqueLog
    fetcher: Fetcher
    vkey: str
    is_key_sealed: bool
    close: Callable[[], None]


def open_opaque(settings: Settings, *, origin: str = "") -> OpaqueHome:
    """Open a plain log for this process alone; make it if the home is empty.

    Raises:
        ConflictError: the home is a ledger's, or holds something else, or its log has another name.
        InvalidInputError: the name is no key name, or a sealed key needs a passphrase.
        UnavailableError: another process has the home.
        IntegrityError: the log's files disagree, or its key is gone.
    """
    home = Home(settings.home)
    _check_kind(home)
    with ExitStack() as opened:
        home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        home.path.chmod(0o700)
        opened.callback(HomeLock(home).release)
        name = _settle_name(home, origin)
        signer, is_sealed = _open_key(settings, home, name)
        home.log.mkdir(exist_ok=True, mode=0o700)
        key = Ed25519Verifier.from_vkey(signer.vkey)
        cosigner = Cosigner(name, key.public_key, signer.sign, lambda: int(time.time()))
        log = OpaqueLog(lambda: FolderLog.open(home.log, signer=signer, origin=name, cosigners=[cosigner]))
        opened.callback(log.close)
        return OpaqueHome(log, FolderFetcher(home.log), signer.vkey, is_sealed, opened.pop_all().close)


def public_log_key(settings: Settings) -> str:
    """Return the verifier key of a home's log, a ledger's or a plain one. Needs no passphrase.

    Raises:
        InvalidInputError: there is no finished home.
    """
    home = Home(settings.home)
    record = home.path / _RECORD
    if not record.exists():
        return str(home.read_config()["log_vkey"])
    name = _read_name(record)
    plain = home.keys / _PLAIN_KEY
    if plain.exists():
        return parse_plain_key(plain.read_text(encoding="ascii")).vkey
    return _sealed_vkey(home, name)


def has_sealed_log_key(settings: Settings) -> bool:
    """Say whether the home's log key is there and needs a passphrase."""
    return (Home(settings.home).keys / f"{LOG_KEY}.ed25519").exists()


def is_opaque_home(path: Path) -> bool:
    """Say whether a folder is the home of a plain log."""
    return (path / _RECORD).exists()


def _check_kind(home: Home) -> None:
    if home.config.exists() or home.init_plan.exists():
        raise ConflictError(
            "home", "it is a ledger's; a plain log needs a home of its own", path=str(home.path), wanted="an empty one"
        )
    if not home.path.exists() or is_opaque_home(home.path):
        return
    if others := sorted(entry.name for entry in home.path.iterdir() if entry.name not in _MADE_BY_US):
        raise ConflictError("home", "it holds something that is no plain log", path=str(home.path), found=others[0])


def _settle_name(home: Home, origin: str) -> str:
    record = home.path / _RECORD
    if record.exists():
        name = _read_name(record)
        if origin and origin != name:
            raise ConflictError("origin", "the log has another name", found=name, given=origin)
        return name
    name = origin or f"quanze.invalid/opaque/{secrets.token_hex(8)}"
    if not is_key_name(name):
        raise InvalidInputError("origin", name, "text without white space and plus signs")
    write_json(record, {"format": _FORMAT, "origin": name})
    return name


def _read_name(record: Path) -> str:
    try:
        found: Any = json.loads(record.read_bytes())
        if found["format"] == _FORMAT and is_key_name(found["origin"]):
            return str(found["origin"])
    except (ValueError, KeyError, TypeError):
        pass
    raise IntegrityError("home", "its record is damaged", file=_RECORD)


def _open_key(settings: Settings, home: Home, name: str) -> tuple[NoteSigner, bool]:
    """Return the log's key and whether its file is sealed; make one for a log that has none yet."""
    home.keys.mkdir(exist_ok=True, mode=0o700)
    plain = home.keys / _PLAIN_KEY
    if plain.exists():
        signer = parse_plain_key(plain.read_text(encoding="ascii"))
        if signer.name != name:
            raise IntegrityError("log key", "it is another log's", key=signer.name, log=name)
        return signer, False
    keyring = open_keyring(settings, home)
    try:
        keyring.log_key(LOG_KEY)
    except NotFoundError:
        if (home.log / "checkpoint").exists():
            raise IntegrityError(
                "log key", "the log has checkpoints but its key is gone", folder=str(home.keys)
            ) from None
        if settings.passphrase_file is None and settings.passphrase is None:
            text = print_plain_key(name, secrets.token_bytes(_SEED_BYTES))
            write_atomically(plain, text.encode("ascii"))
            return parse_plain_key(text), False
        keyring.create_log_key(LOG_KEY)
    return LazyNoteSigner(keyring, _sealed_vkey(home, name)), True


def _sealed_vkey(home: Home, name: str) -> str:
    path = home.keys / f"{LOG_KEY}.ed25519"
    try:
        public: Any = json.loads(path.read_bytes())["public_key"]
        return Ed25519Verifier(name, bytes.fromhex(public)).vkey
    except FileNotFoundError as error:
        raise InvalidInputError("home", str(home.path), "a home whose log has a key") from error
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError("log key", "its file is damaged", file=path.name) from error
