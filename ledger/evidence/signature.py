"""Recovering who signed 32 bytes, from a secp256k1 signature of 65 bytes r ‖ s ‖ v."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from coincurve import PublicKey

from ledger.domain.errors import VerificationError
from ledger.domain.keccak import keccak256

_BYTES: Final = 65
_FIRST_V: Final = 27
_STEP: Final = "signature"
_KEPT: Final = 4096
"""Signatures whose signers are kept, as in `ledger.evidence.kept`: some 1.5 MB."""


@lru_cache(_KEPT)
def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the address whose key signed ``digest``.

    Raises:
        VerificationError: The bytes are no signature that a key can have made, or v is neither 27 nor 28.
    """
    if len(signature) != _BYTES or signature[64] - _FIRST_V not in {0, 1}:
        raise VerificationError(_STEP, "a signature is not 65 bytes with v of 27 or 28")
    compact = signature[:64] + bytes((signature[64] - _FIRST_V,))
    try:
        key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except Exception as error:  # coincurve raises ValueError, or a bare Exception for a point that is not on the curve.
        raise VerificationError(_STEP, "a signature belongs to no key") from error
    return keccak256(key.format(compressed=False)[1:])[12:]
