"""Recovering who signed a digest, and the error for what was not signed as it says."""

from __future__ import annotations

from coincurve import PublicKey

from ledger.domain.errors import UnauthorizedError
from ledger.domain.keccak import keccak256

_SIGNATURE_BYTES = 65
_FIRST_V = 27


class SignatureRefusedError(UnauthorizedError):
    """What was sent is not signed by the key that it names, or no longer counts."""

    code = "signature_refused"
    meaning = "The signature is not the stated key's, or its deadline has passed."
    remedy = (
        "Sign the record's digest in this deployment's domain again, with a later deadline, and send what was signed."
    )


class SignatureMissingError(SignatureRefusedError):
    """What is asked for is told to a post that signs the question, and nobody signed it."""

    code = "signature_missing"
    meaning = "Only certain posts may read this, and the request is not signed by one."
    remedy = "Sign the request's line as `ReadAsPost` and send it in the header `Authorization`; docs/api.md shows how."


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the address whose key signed ``digest``.

    Raises:
        SignatureRefusedError: The bytes are no signature (65 bytes, v of 27 or 28).
    """
    if len(signature) != _SIGNATURE_BYTES or signature[64] - _FIRST_V not in {0, 1}:
        raise SignatureRefusedError("the signature is not 65 bytes with v of 27 or 28")
    try:
        key = PublicKey.from_signature_and_message(
            signature[:64] + bytes([signature[64] - _FIRST_V]), digest, hasher=None
        )
    except ValueError as error:
        raise SignatureRefusedError("the signature belongs to no key") from error
    return keccak256(key.format(compressed=False)[1:])[12:]
