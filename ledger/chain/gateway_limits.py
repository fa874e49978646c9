"""The gateway's bounds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GatewayLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayLimits:
    """What one client may ask for at once.

    A batch that has taken its time, or whose answers have grown to their size, gets an error for each call that is
    left: the calls are many and small to write, and what they cost is ours.
    """

    body_bytes_max: int = 1_048_576
    batch_max: int = 100
    log_blocks_max: int = 10_000
    logs_max: int = 10_000
    batch_s_max: float = 5.0
    answer_bytes_max: int = 16 << 20
    call_gas_max: int = 50_000_000
    transaction_gas_max: int = 25_000_000
    transaction_bytes_max: int = 65_536
    held_max: int = 64
