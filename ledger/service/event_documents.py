"""An event in the vault: its three groups, and beside them what proves who signed it.

The signature travels with each event: the batch's fields, the event's place and its audit path in the
batch's tree. So evidence of one event needs no other document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ledger.domain.codes import Tier
from ledger.domain.event_groups import binding_of_groups, event_of_groups
from ledger.service.documents import values_of
from ledger.service.ports import VaultDocument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.binding import Binding
    from ledger.domain.canonical import Json
    from ledger.domain.commitment import Commitment
    from ledger.domain.event_v1 import EventV1
    from ledger.service.event_batches import SignedBatch

KIND: Final = "event"


def event_document(
    commitment: Commitment,
    batch: SignedBatch,
    *,
    batch_digest: bytes,
    place: int,
    path: Sequence[bytes],
    stream_salt: str,
) -> VaultDocument:
    """Return the vault document of one accepted event.

    Args:
        commitment: From `commit_event`.
        batch: The batch that brought it.
        batch_digest: What the batch's signature is over.
        place: The event's index in the batch.
        path: Its audit path in the tree of the batch's digests.
        stream_salt: What opens the leaf's stream.
    """
    return VaultDocument(
        commitment=commitment.root,
        kind=KIND,
        tier=Tier.PARTIES.value,
        groups=commitment.by_name(),
        extra={
            "batch_digest": batch_digest.hex(),
            "count": len(batch.events),
            "deadline": batch.deadline,
            "nonce": str(batch.nonce),
            "path": [node.hex() for node in path],
            "place": place,
            "signature": batch.signature.hex(),
            "signer": batch.signer.hex(),
            "stream_salt": stream_salt,
            **({"idempotency_key": batch.idempotency_key} if batch.idempotency_key else {}),
        },
    )


def event_of(document: VaultDocument) -> EventV1:
    """Return the event in a document. Raises InvalidInputError if it holds none."""
    return event_of_groups(_values(document))


def binding_of(document: VaultDocument) -> Binding:
    """Return the binding in a document. Raises InvalidInputError if it holds none."""
    return binding_of_groups(_values(document))


def _values(document: VaultDocument) -> dict[str, Json]:
    values: dict[str, Any] = values_of(document)
    return values
