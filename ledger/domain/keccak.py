"""Keccak-256 as Ethereum uses it (not the NIST SHA3-256 of ``hashlib``)."""

from __future__ import annotations

import sha3


def keccak256(data: bytes) -> bytes:
    """Return the Keccak-256 digest of ``data``."""
    digest: bytes = sha3.keccak_256(data).digest()
    return digest


def keccak256_text(text: str) -> bytes:
    """Return the Keccak-256 digest of the text's UTF-8 bytes: how every text id gets its on-chain form."""
    return keccak256(text.encode())
