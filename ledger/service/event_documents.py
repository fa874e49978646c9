"""An event as a private document: its three groups, and beside them what proves who signed it.

It is made from the batch in which it is kept. The signature travels with each event: the batch's fields, the event's
place and its audit path in the batch's tree. So evidence of one event needs no other document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ledger.domain.codes import Tier
from ledger.domain.errors import IntegrityError
from ledger.domain.event_groups import binding_of_groups, commit_event, event_of_groups
from ledger.domain.event_v1 import parse_event
from ledger.domain.leaf import LeafV1, parse_leaf
from ledger.log.tree import HashList, inclusion_proof, leaf_hashes
from ledger.service.documents import values_of
from ledger.service.ports import VaultDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.domain.binding import Binding
    from ledger.domain.canonical import Json
    from ledger.domain.commitment import Commitment
    from ledger.domain.event_v1 import EventV1
    from ledger.service.services import Services
    from ledger.service.stored_batches import BatchHead, StoredBatch

KIND: Final = "event"


def opened(services: Services, index: int) -> tuple[LeafV1, VaultDocument]:
    """Return a leaf and the document that it commits to.

    Raises:
        NotFoundError: The log has no such leaf.
        IntegrityError: What is kept is not what the leaf commits to.
    """
    leaf = parse_leaf(services.log.leaf(index))
    batch = services.events.batch(index)
    document = document_in(batch, index - batch.first, batch_tree(batch))
    if document.commitment.hex() != leaf.commitment:
        raise IntegrityError("events", "an event is not the one that its leaf commits to", leaf=index)
    return leaf, document


def documents_from(services: Services, first: int, last: int) -> Iterator[tuple[int, VaultDocument]]:
    """Yield the documents of leaves [first, last) with their indices. Raises as `EventStore.batch`."""
    for batch in services.events.batches(first):
        tree = batch_tree(batch)
        for index in range(max(first, batch.first), min(last, batch.end)):
            yield index, document_in(batch, index - batch.first, tree)
        if batch.end >= last:
            return


def bound_events(services: Services, first: int, last: int) -> Iterator[tuple[int, EventV1, Binding]]:
    """Yield the events of leaves [first, last) with their indices and bindings. Raises as `EventStore.batch`."""
    for batch in services.events.batches(first):
        for index in range(max(first, batch.first), min(last, batch.end)):
            place = index - batch.first
            yield index, parse_event(batch.lines[place]), batch.binding_of(place)
        if batch.end >= last:
            return


def batch_tree(batch: StoredBatch) -> HashList:
    """Return the tree of a batch's digests, whose root its signature covers."""
    return HashList(leaf_hashes(batch.lines))


def document_in(batch: StoredBatch, place: int, tree: HashList) -> VaultDocument:
    """Return the document of the event at a place of its batch.

    Raises:
        InvalidInputError: The line there is no event.
    """
    commitment = commit_event(parse_event(batch.lines[place]), batch.binding_of(place), batch.raw_salts_of(place))
    count = len(batch.lines)
    return event_document(commitment, batch.head, count=count, place=place, path=inclusion_proof(tree, place, count))


def event_document(
    commitment: Commitment, head: BatchHead, *, count: int, place: int, path: Sequence[bytes]
) -> VaultDocument:
    """Return the document of an event.

    Args:
        commitment: From `commit_event`.
        head: What its batch says.
        count: How many events the batch's signature covers.
        place: The event's index among them.
        path: Its audit path in the tree of their digests.
    """
    return VaultDocument(
        commitment=commitment.root,
        kind=KIND,
        tier=Tier.PARTIES.value,
        groups=commitment.by_name(),
        extra={
            "batch_digest": head.signed,
            "count": count,
            "deadline": head.deadline,
            "nonce": head.nonce,
            "path": [node.hex() for node in path],
            "place": place,
            "signature": head.signature,
            "signer": head.signer,
            "stream_salt": head.stream_salt,
            **({"idempotency_key": head.idempotency_key} if head.idempotency_key else {}),
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
