"""What an embedded chain is made with, and the bounds it works in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import InvalidInputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["CHAIN_ID_MAX", "CHAIN_ID_MIN", "EngineConfig"]

CHAIN_ID_MIN: Final = 2**32
CHAIN_ID_MAX: Final = 2**52
"""Ids of deployments are drawn between these, so that none is reused; wallets read ids as JavaScript numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """One deployment's chain.

    Attributes:
        folder: Where journal and snapshots are.
        anvil: The anvil program (the ELF itself, not npm's wrapper).
        chain_id: Drawn at random once, from ``CHAIN_ID_MIN`` to ``CHAIN_ID_MAX``.
        genesis_time: The genesis block's time, in Unix seconds. It never changes.
        block_gas_limit: Gas in one block. Part of every header, so it never changes either.
        transaction_gas_max: Gas that one transaction may ask for.
        transaction_bytes_max: Size of one raw transaction.
        block_transactions_max: Transactions in one block.
        pending_max: Transactions in the queue; more are refused until it shrinks.
        nonce_gap_max: How far a transaction may be ahead of its sender's next nonce.
        snapshot_transactions: Take a snapshot after so many transactions...
        snapshot_blocks: ...or so many blocks.
        heartbeat_s: Mine an empty block when the newest is this old; 0 = never.
        time_lead_max_s: How far block time may run ahead of the clock, so that blocks can follow each other faster than
            one a second. Tests raise it; a ledger keeps 0, for its times are read as facts.
        rpc_timeout_s: The longest wait for the node's answer.
    """

    folder: Path
    anvil: Path
    chain_id: int
    genesis_time: int
    block_gas_limit: int = 1_000_000_000
    transaction_gas_max: int = 30_000_000
    transaction_bytes_max: int = 131_072
    block_transactions_max: int = 1_000
    pending_max: int = 200_000
    nonce_gap_max: int = 1_024
    snapshot_transactions: int = 5_000
    snapshot_blocks: int = 500
    heartbeat_s: int = 0
    time_lead_max_s: int = 0
    rpc_timeout_s: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what could not work.

        Raises:
            InvalidInputError: A value is out of its bounds.
        """
        if not CHAIN_ID_MIN <= self.chain_id <= CHAIN_ID_MAX:
            raise InvalidInputError("chain_id", self.chain_id, f"{CHAIN_ID_MIN} to {CHAIN_ID_MAX}")
        if not 0 < self.genesis_time < 2**40:
            raise InvalidInputError("genesis_time", self.genesis_time, "Unix seconds")
        if not 21_000 <= self.transaction_gas_max <= self.block_gas_limit:
            raise InvalidInputError("transaction_gas_max", self.transaction_gas_max, "21000 to the block's gas limit")
