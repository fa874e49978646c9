"""The sealer's signature over a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.chain.engine.transaction import recover
from ledger.domain.errors import UnavailableError
from ledger.domain.seal import seal_digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.chain.engine.block import Header

__all__ = ["signed_seal"]


def signed_seal(
    sign: Callable[[bytes], bytes], header: Header, *, chain_id: int, genesis_hash: bytes
) -> tuple[bytes, bytes]:
    """Have a block's seal signed; return the address that it shows, and the seal.

    Raises:
        UnavailableError: What the key returned is no signature.
    """
    digest = seal_digest(chain_id, genesis_hash, number=header.number, block_hash=header.hash)
    seal = sign(digest)
    try:
        return recover(digest, seal), seal
    except ValueError as error:
        raise UnavailableError("the sealer's key", f"it made no signature: {error}") from error
