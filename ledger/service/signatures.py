"""Recovering who signed a digest."""

from __future__ import annotations

from coincurve import PublicKey

from ledger.domain.errors import UnauthorizedError
from ledger.domain.keccak import keccak256

_SIGNATURE_BYTES = 65
_FIRST_V = 27


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the address whose key signed ``digest``.

    Raises:
        UnauthorizedError: The bytes are no signature (65 bytes, v of 27 or 28).
    """
    if len(signature) != _SIGNATURE_BYTES or signature[64] - _FIRST_V not in {0, 1}:
        raise UnauthorizedError("the signature is not 65 bytes with v of 27 or 28")
    try:
        key = PublicKey.from_signature_and_message(
            signature[:64] + bytes([signature[64] - _FIRST_V]), digest, hasher=None
        )
    except ValueError as error:
        raise UnauthorizedError("the signature belongs to no key") from error
    return keccak256(key.format(compressed=False)[1:])[12:]
