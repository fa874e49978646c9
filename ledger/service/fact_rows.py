"""A leaf of the log and its vault document as one row of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.commitment import recommit
from ledger.domain.errors import IntegrityError
from ledger.service.event_documents import binding_of, event_of
from ledger.service.index_rows import FactRow

if TYPE_CHECKING:
    from typing import Any

    from ledger.domain.leaf import LeafV1
    from ledger.service.ports import VaultDocument


def fact_row(index: int, leaf: LeafV1, document: VaultDocument) -> FactRow:
    """Return the row of one leaf. ``agreement`` is the one that the event names, found or not.

    Raises:
        IntegrityError: The document is not the one that the leaf commits to.
        InvalidInputError: It holds no event.
    """
    groups: Any = document.groups
    if document.commitment.hex() != leaf.commitment or recommit(groups).root != document.commitment:
        raise IntegrityError("vault", "a document is not what its leaf commits to", leaf=index)
    event, binding = event_of(document), binding_of(document)
    return FactRow(
        leaf_index=index,
        stream=bytes.fromhex(leaf.stream),
        seq=leaf.seq,
        commitment=document.commitment,
        bound_block=leaf.block,
        bound_block_hash=bytes.fromhex(leaf.block_hash),
        accepted_at_ms=leaf.accepted_at_ms,
        occurred_at_ms=event.occurred_at_ms,
        event_id=event.id,
        kind=event.kind.value,
        side=event.side.value,
        provider=event.provider,
        requester=event.requester,
        dataset=event.dataset,
        purpose=event.purpose,
        recipient=event.recipient,
        outcome=event.outcome,
        correlation=event.correlation,
        reporter=event.reporter,
        agreement=bytes.fromhex(event.agreement),
        version=binding.version,
        grant=binding.grant,
        verdict=binding.verdict.value,
        mismatches=tuple(code.value for code in binding.mismatches),
        flags=tuple(flag.value for flag in binding.flags),
        duty=binding.duty.value,
        responsible_post=binding.responsible_post.hex(),
    )
