"""Seals: the sealer's signature over each block, so that a header vouches for more than itself.

Signed is the EIP-712 record ``Seal(bytes32 deployment,uint64 number,bytes32 blockHash)`` in the domain ``Quanze Seal``
version 1 of the chain. ``deployment`` is keccak256(abi.encode(chainId, genesisHash)).
"""

from __future__ import annotations

from typing import Final

from ledger.domain.keccak import keccak256

__all__ = ["deployment_id", "seal_digest"]

_DOMAIN_TYPE: Final = keccak256(b"EIP712Domain(string name,string version,uint256 chainId)")
_SEAL_TYPE: Final = keccak256(b"Seal(bytes32 deployment,uint64 number,bytes32 blockHash)")
_NAME: Final = keccak256(b"Quanze Seal")
_VERSION: Final = keccak256(b"1")


def deployment_id(chain_id: int, genesis_hash: bytes) -> bytes:
    """Return the deployment's id, which no other chain shares."""
    return keccak256(chain_id.to_bytes(32, "big") + genesis_hash)


def seal_digest(chain_id: int, genesis_hash: bytes, *, number: int, block_hash: bytes) -> bytes:
    """Return the 32 bytes that a sealer signs for a block."""
    domain = keccak256(_DOMAIN_TYPE + _NAME + _VERSION + chain_id.to_bytes(32, "big"))
    deployment = deployment_id(chain_id, genesis_hash)
    record = keccak256(_SEAL_TYPE + deployment + number.to_bytes(32, "big") + block_hash)
    return keccak256(b"\x19\x01" + domain + record)
