"""A log in memory that grows, proves that it does, and can be forked: what a witness is shown in tests."""

from __future__ import annotations

from ledger.log.checkpoint import Checkpoint, sign_checkpoint
from ledger.log.cosignature import CosignatureVerifier, Cosigner
from ledger.log.note import Ed25519Signer, Ed25519Verifier
from ledger.log.tree import leaf_hash, perfect_root
from ledger.log.witness import AddCheckpoint

LOG = Ed25519Signer("example.org/log", bytes(range(32)))
LOG_KEY = Ed25519Verifier.from_vkey(LOG.vkey)
LOGS = {LOG.name: (LOG_KEY,)}
WITNESS_SEED = bytes([7]) * 32
WITNESS = Cosigner.from_seed("witness.example/w1", WITNESS_SEED, lambda: 0)
WITNESS_KEY = CosignatureVerifier.from_vkey(WITNESS.vkey)


def root_of(leaves: list[bytes]) -> bytes:
    """Return the RFC 6962 root, by its recursive definition."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return perfect_root([root_of(leaves[:split]), root_of(leaves[split:])])


def consistency(leaves: list[bytes], old: int, *, is_whole: bool = True) -> list[bytes]:
    """Return the RFC 6962 §2.1.2 proof, by its recursive definition."""
    if old == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if old <= split:
        return [*consistency(leaves[:split], old, is_whole=is_whole), root_of(leaves[split:])]
    return [*consistency(leaves[split:], old - split, is_whole=False), root_of(leaves[:split])]


class GrowingLog:
    """``size`` leaves that follow from a name; two of different names fork after their common leaves."""

    def __init__(self, size: int, *, fork: str = "", shared: int = 0, signer: Ed25519Signer = LOG) -> None:
        self.leaves = [leaf_hash(f"{fork if place >= shared else ''} {place}".encode()) for place in range(size)]
        self.signer = signer

    def note(self, size: int) -> bytes:
        """Return the signed checkpoint of the first leaves."""
        return sign_checkpoint(Checkpoint(self.signer.name, size, root_of(self.leaves[:size])), [self.signer])

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """Return the proof between two sizes above 0."""
        return consistency(self.leaves[:new], old)

    def request(self, old: int, size: int) -> AddCheckpoint:
        """Return what an honest log sends."""
        proof = self.consistency_proof(old, size) if 0 < old <= size else []
        return AddCheckpoint(old, tuple(proof), self.note(size))
