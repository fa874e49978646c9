"""Who sealed a Clique header: the proof of authority that geth networks of known signers run (EIP-225)."""

from __future__ import annotations

from typing import Final

from ledger.chain.engine.transaction import recover
from ledger.domain import rlp
from ledger.domain.keccak import keccak256

__all__ = ["clique_seal"]

_VANITY: Final = 32
_SIGNATURE: Final = 65
_EXTRA_DATA: Final = 12


def clique_seal(header_rlp: bytes) -> tuple[bytes, bytes] | None:
    """Return signer and signature of a Clique header, or None if the header carries no such seal.

    The signature is over the header without its last 65 bytes of extra data.
    """
    fields = rlp.decode(header_rlp)
    if not isinstance(fields, list):
        return None
    extra = fields[_EXTRA_DATA]
    if not isinstance(extra, bytes) or len(extra) < _VANITY + _SIGNATURE or not any(extra[-_SIGNATURE:]):
        return None
    unsealed = [*fields[:_EXTRA_DATA], extra[:-_SIGNATURE], *fields[_EXTRA_DATA + 1 :]]
    try:
        return recover(keccak256(rlp.encode(unsealed)), extra[-_SIGNATURE:]), extra[-_SIGNATURE:]
    except ValueError:
        return None
