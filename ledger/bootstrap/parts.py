"""The parts of a home, each made of its concrete class from settings and the home's record."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from ledger.chain.artifacts import load_abis
from ledger.chain.contract_errors import ContractErrors
from ledger.chain.engine import EmbeddedChain, EngineConfig
from ledger.chain.gateway import Gateway, GatewayLimits
from ledger.chain.outbox import TransactionOutbox
from ledger.chain.outbox_store import OutboxStore
from ledger.domain.errors import InvalidInputError, UnavailableError
from ledger.log.note import Ed25519Verifier
from ledger.service.registry_views import SpeakingKeys
from ledger.settings import Settings
from ledger.signing.keystore import FileKeyring
from ledger.signing.passphrase import passphrase_from_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.home import Home
    from ledger.service.deployment import Deployment
    from ledger.service.ports import Chain
    from ledger.service.services import Services

LOG_KEY: Final = "log"
"""The name of a log's first key; a later one has its number behind it (`log_key_name`)."""

_SENDERS: Final = ("relayer", "registrar", "operator")


def read_settings() -> Settings:
    """Return the settings of this process's environment.

    Raises:
        InvalidInputError: A variable's value is not allowed; it is named, and shown unless it is a secret.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "QUANZE_" + "_".join(str(part) for part in first["loc"]).upper()
        shown = "(not shown)" if "passphrase" in first["loc"] else first["input"]
        raise InvalidInputError(name, shown, first["msg"]) from None  # The chain would show every variable's value.


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000


class LazySigner:
    """A key of the keyring that is unlocked when it first signs, so that reading needs no passphrase."""

    def __init__(self, keyring: FileKeyring, name: str) -> None:
        self._keyring = keyring
        self._name = name
        self.address = keyring.address(name)

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign 32 bytes."""
        return self._keyring.signer(self._name).sign_digest(digest)


class LazyNoteSigner:
    """A key of the log, unlocked when it first signs."""

    def __init__(self, keyring: FileKeyring, vkey: str, key_name: str = LOG_KEY) -> None:
        verifier = Ed25519Verifier.from_vkey(vkey)
        self.name, self.key_id, self.vkey = verifier.name, verifier.key_id, verifier.vkey
        self._keyring = keyring
        self._key_name = key_name

    def sign(self, text: bytes) -> bytes:
        """Sign a note's text."""
        return self._keyring.log_key(self._key_name).sign(text)


def log_key_name(before: int) -> str:
    """Return the name in the keyring of the log's key that has so many keys before it: log, log-2, log-3."""
    return LOG_KEY if before == 0 else f"{LOG_KEY}-{before + 1}"


def open_keyring(settings: Settings, home: Home) -> FileKeyring:
    """Return the home's keys, to be unlocked by whatever passphrase the settings give."""
    return FileKeyring(home.keys, passphrase_of(settings), scrypt_n=settings.keystore_scrypt_n)


def open_embedded(settings: Settings, home: Home, plan: Mapping[str, Any], keyring: FileKeyring) -> EmbeddedChain:
    """Return the embedded engine of a home, not started."""
    config = EngineConfig(
        folder=home.chain,
        anvil=settings.anvil or _find_anvil(),
        chain_id=plan["chain_id"],
        genesis_time=plan["genesis_time"],
        time_lead_max_s=settings.block_time_lead_max_s,
    )
    return EmbeddedChain(config, LazySigner(keyring, "sealer").sign_digest)


def open_outbox(store: OutboxStore, chain: Chain, keyring: FileKeyring, deployment: Deployment) -> TransactionOutbox:
    """Return the outbox with the home's system keys as senders."""
    return TransactionOutbox(
        store,
        chain,
        {role: [LazySigner(keyring, role)] for role in _SENDERS},
        ContractErrors(load_abis()),
        names={contract.address: name for name, contract in deployment.contracts.items()},
    )


def open_gateway(chain: EmbeddedChain, services: Services) -> Callable[[bytes], bytes | None]:
    """Return what answers JSON-RPC: reads, and transactions of our relayers and of keys that speak for posts."""
    deployment = services.deployment
    contracts = frozenset(contract.address for contract in deployment.contracts.values())
    relayers = frozenset(services.keyring.address(role) for role in _SENDERS)
    speaks = SpeakingKeys(services)
    gateway = Gateway(
        chain,
        contracts=lambda: contracts,
        is_registered=lambda address: address in relayers or speaks(address),
        limits=GatewayLimits(),
        version="Quanze",
    )
    return gateway.answer


def passphrase_of(settings: Settings) -> Callable[[], str]:
    """Return what gives the passphrase when a key is first opened; it raises InvalidInputError where there is none."""
    if settings.passphrase_file is not None:
        return passphrase_from_file(settings.passphrase_file)
    if (secret := settings.passphrase) is not None:
        return secret.get_secret_value

    def missing() -> str:
        raise InvalidInputError("QUANZE_PASSPHRASE_FILE", "", "a file whose first line unlocks the keys")

    return missing


def _find_anvil() -> Path:
    for folder in Path(__file__).resolve().parents:
        found = sorted((folder / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil"))
        if found:
            return found[0]
    raise UnavailableError("anvil", "the program is not installed; run `make setup`, or set QUANZE_ANVIL")
