"""The chain of a home: the embedded engine, or a network's endpoint (``QUANZE_CHAIN_URL``).

A home is made for one of the two and stays with it: its record says which. What differs between them beyond the port
(the gateway, the copy, the check from genesis) is here, so that the rest of the composition need not ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ledger.bootstrap.parts import LazySigner, open_embedded, open_gateway
from ledger.chain.engine.attested import AttestedNetwork
from ledger.chain.engine.remote import FinalityDepth, FinalizedTag
from ledger.domain.errors import IntegrityError, InvalidInputError
from ledger.service.fsck import Defect, StoreCheck
from ledger.service.upkeep import StoreCopy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.chain.engine import EmbeddedChain
    from ledger.home import Home
    from ledger.service.ledger_state import LedgerState
    from ledger.service.ports import Chain
    from ledger.service.services import Services
    from ledger.settings import Settings
    from ledger.signing.keystore import FileKeyring

EMBEDDED: Final = "embedded"
NETWORK: Final = "network"

_HEADERS_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Engine:
    """A started chain, and what a home does with it besides the port."""

    chain: Chain
    copies: tuple[StoreCopy, ...]
    check: StoreCheck
    gateway: Callable[[Services], Callable[[bytes], bytes | None] | None]
    index_reach: Callable[[LedgerState], Callable[[], int | None]]
    """Up to which block the index goes, given the state that answers are folded from; None is the chain's head."""


def engine_kind(settings: Settings) -> str:
    """Return which engine the settings ask for."""
    return NETWORK if settings.chain_url else EMBEDDED


def network_chain_id(settings: Settings, home_keys: FileKeyring) -> int:
    """Return the chain id of the endpoint that the settings name, asked over the wire."""
    chain = _network(settings, home_keys, None)
    try:
        return chain.chain_id()
    finally:
        chain.close()


def open_engine(settings: Settings, home: Home, record: Mapping[str, Any], keyring: FileKeyring) -> Engine:
    """Start the chain of a home.

    Args:
        settings: The settings of this process.
        home: The home.
        record: Its record, or the plan of one that is being made.
        keyring: Its keys.

    Raises:
        InvalidInputError: The settings ask for another engine than the home was made for.
        UnavailableError: The engine cannot start, or the endpoint does not answer.
        IntegrityError: The engine's journal is damaged, or the endpoint is of another chain.
    """
    made_for, asked = record.get("engine", EMBEDDED), engine_kind(settings)
    if made_for != asked:
        allowed = "nothing: the home has an engine of its own" if made_for == EMBEDDED else "the network's endpoint"
        raise InvalidInputError("QUANZE_CHAIN_URL", settings.chain_url or "", allowed)
    if asked == EMBEDDED:
        embedded = open_embedded(settings, home, record, keyring)
        embedded.start()
        return Engine(
            chain=embedded,
            copies=(StoreCopy("chain", lambda folder: embedded.backup(folder / home.chain.name)),),
            check=StoreCheck("chain", lambda told: _check_replay(embedded, told)),
            gateway=lambda services: open_gateway(embedded, services),
            index_reach=lambda state: lambda: state.refresh().number,  # Never ahead of what answers are folded from.
        )
    network = _network(settings, keyring, record["chain_id"]).start()
    return Engine(
        chain=network,
        copies=(),  # The network keeps its own blocks.
        check=StoreCheck("chain", lambda told: _check_links(network, told)),
        gateway=lambda _services: None,  # Wallets and tools ask the network itself.
        index_reach=lambda _state: lambda: None,  # To the head, and back where the network takes blocks back.
    )


def _network(settings: Settings, keyring: FileKeyring, chain_id: int | None) -> AttestedNetwork:
    depth = settings.chain_finality_blocks
    sealer = LazySigner(keyring, "sealer")
    return AttestedNetwork(
        settings.chain_url or "",
        sealer=sealer.address,
        sign=sealer.sign_digest,
        finality=FinalizedTag() if depth is None else FinalityDepth(depth),
        chain_id=chain_id,
    )


def _check_replay(chain: EmbeddedChain, told: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
    altered = [Defect("chain", f"snapshots/{file}", reason) for file, reason in chain.altered_snapshots().items()]
    try:
        return chain.replay_from_genesis(lambda done, total: told("chain", done, total)), altered
    except IntegrityError as error:
        return 0, [Defect("chain", str(error.fields.get("block", "")), error.explain()), *altered]


def _check_links(chain: AttestedNetwork, told: Callable[[str, int, int], None]) -> tuple[int, list[Defect]]:
    """Follow the parents from genesis to the newest final block."""
    final = chain.final_block()
    parent, checked = bytes(32), 0
    for first in range(0, final.number + 1, _HEADERS_AT_ONCE):
        last = min(first + _HEADERS_AT_ONCE - 1, final.number)
        try:
            headers = chain.headers(first, last)
        except IntegrityError as error:
            return checked, [Defect("chain", str(error.fields.get("block", first)), error.explain())]
        for header in headers:
            if header.number != checked or header.parent_hash != parent:
                return checked, [Defect("chain", str(header.number), "its parent is another block than the one below")]
            parent, checked = header.hash, checked + 1
        told("chain", checked, final.number + 1)
    return checked, []
