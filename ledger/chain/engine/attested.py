"""A network whose blocks this home attests: what the operator saw as final, signed as the embedded sealer signs.

A network's own validators may seal in ways that a verifier does not read. Until a deployment names them, its trust
root names the home's sealer key, and evidence says so: ``OPERATOR_ONLY``.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Self

from ledger.chain.engine.remote import FinalityDepth, FinalizedTag, RemoteChain
from ledger.domain.errors import UnavailableError
from ledger.domain.seal import seal_digest
from ledger.service.ports import Seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.service.ports import BlockBundle

__all__ = ["AttestedNetwork"]


class AttestedNetwork(RemoteChain):
    """A `RemoteChain` whose final blocks carry one seal, this home's.

    Args:
        url: The network's endpoint.
        sealer: The address of the key that ``sign`` signs with.
        sign: Signs 32 bytes: 65 bytes r, s, v.
        finality: What counts as final.
        chain_id: As `RemoteChain`.
    """

    def __init__(
        self,
        url: str,
        *,
        sealer: bytes,
        sign: Callable[[bytes], bytes],
        finality: FinalityDepth | FinalizedTag,
        chain_id: int | None = None,
    ) -> None:
        super().__init__(url, finality=finality, chain_id=chain_id)
        self._sealer = sealer
        self._sign = sign
        self._genesis: bytes | None = None

    def start(self) -> Self:
        """Ask the endpoint once, so that a wrong one is told before anything is written.

        Raises:
            UnavailableError: It does not answer.
            IntegrityError: It is of another chain.
        """
        self.chain_id()
        return self

    def block(self, number: int) -> BlockBundle:
        """Return a final block with this home's seal.

        Raises:
            UnavailableError: The block is not final yet: nobody signs what may be replaced.
            LedgerError: As `RemoteChain.block`.
        """
        bundle = super().block(number)
        if number > (final := self.final_block().number):
            raise UnavailableError("chain", "the block is not final yet", block=number, final=final)
        if self._genesis is None:
            self._genesis = bundle.ref.hash if number == 0 else super().block(0).ref.hash
        digest = seal_digest(self.chain_id(), self._genesis, number=number, block_hash=bundle.ref.hash)
        return dataclasses.replace(bundle, seals=(Seal(self._sealer, self._sign(digest)),))
