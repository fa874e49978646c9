"""Where a batch comes to stand: its time, block and stream, and what these give its leaves and its head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.leaf import LeafWriter
from ledger.service.ledger_time import ledger_time
from ledger.service.stored_batches import BatchHead

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.service.block_view import BoundKind
    from ledger.service.intake import Stream
    from ledger.service.ports import BlockRef
    from ledger.service.services import Services
    from ledger.service.stored_batches import RejectedEvent


@dataclass(frozen=True, slots=True)
class Placing:
    """A batch's place; the caller holds the append lock until the batch is taken."""

    accepted_at_ms: int
    block: BlockRef
    stream: Stream

    @classmethod
    def now(cls, services: Services, block: BlockRef, stream: Stream) -> Placing:
        """Return a place at the present ledger time. Raises as `ledger_time`."""
        time = ledger_time(
            services.clock.now_ms(), services.intake.last_accepted_ms, back_max_s=services.settings.clock_back_max_s
        )
        return cls(time, block, stream)

    def leaves(self) -> LeafWriter:
        """Return what writes the batch's leaves."""
        return LeafWriter(
            accepted_at_ms=self.accepted_at_ms,
            block=self.block.number,
            block_hash=self.block.hash.hex(),
            stream=self.stream.id,
            prev=self.stream.last_leaf,
            seq=self.stream.next_seq,
        )

    def head(
        self,
        kinds: Iterable[BoundKind],
        *,
        nonce: str,
        deadline: int,
        signer: bytes,
        signature: bytes,
        signed: bytes,
        idempotency_key: str,
        rejected: tuple[RejectedEvent, ...] = (),
    ) -> BatchHead:
        """Return the batch's head; ``kinds`` in the order in which its events name them."""
        return BatchHead(
            accepted_at_ms=self.accepted_at_ms,
            agreement=self.stream.agreement,
            bindings=tuple(kind.bound for kind in kinds),
            block=self.block.number,
            block_hash=self.block.hash.hex(),
            deadline=deadline,
            idempotency_key=idempotency_key,
            nonce=nonce,
            rejected=rejected,
            reporter=self.stream.reporter,
            signature=signature.hex(),
            signed=signed.hex(),
            signer=signer.hex(),
            stream=self.stream.id,
            stream_salt=self.stream.salt,
        )
