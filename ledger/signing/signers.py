"""Keys opened in memory: secp256k1 for posts and relayers, Ed25519 for the log's checkpoints.

Neither prints its secret: the representation shows the public side only.
"""

from __future__ import annotations

from coincurve import PrivateKey
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.domain.errors import InvalidInputError
from ledger.domain.keccak import keccak256

_DIGEST_BYTES = 32
_FIRST_V = 27


def address_of(public_key: bytes) -> bytes:
    """Return the Ethereum address of an uncompressed public key (65 bytes, first 0x04)."""
    return keccak256(public_key[1:])[12:]


class LocalSigner:
    """A secp256k1 key in this process. Signatures are deterministic (RFC 6979) and have a low s."""

    __slots__ = ("_address", "_key")

    def __init__(self, secret: bytes) -> None:
        """Take a secret of 32 bytes.

        Raises:
            InvalidInputError: it is no secp256k1 secret. The value is not shown.
        """
        try:
            self._key = PrivateKey(secret)
        except ValueError as error:
            raise InvalidInputError("secret", "(not shown)", "32 bytes below the order of secp256k1") from error
        self._address = address_of(self._key.public_key.format(compressed=False))

    @property
    def address(self) -> bytes:
        """The 20-byte Ethereum address."""
        return self._address

    def sign_digest(self, digest: bytes) -> bytes:
        """Return r, s and v (27 or 28) over a 32-byte digest, 65 bytes."""
        if len(digest) != _DIGEST_BYTES:
            raise InvalidInputError("digest", f"{len(digest)} bytes", "32 bytes")
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([_FIRST_V + signature[64]])

    def __repr__(self) -> str:
        return f"LocalSigner(0x{self._address.hex()})"


class LogKey:
    """The log's Ed25519 key."""

    __slots__ = ("_key", "_public")

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @property
    def public_key(self) -> bytes:
        """The 32-byte public key."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"LogKey(0x{self._public.hex()})"
