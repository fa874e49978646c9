"""Events of the log for showing: one, a page of them, and where a reporter's next one goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.canonical import MAX_INTEGER
from ledger.domain.codes import Flag
from ledger.domain.errors import InvalidInputError, NotFoundError
from ledger.domain.event_v1 import to_object
from ledger.domain.identifiers import parse_post, post_id
from ledger.service import registry_views
from ledger.service.agreement_views import resolve_agreement, text_or_empty
from ledger.service.anchoring import covering_anchor
from ledger.service.event_documents import binding_of, bound_events, event_of, opened
from ledger.service.profiles import is_marked
from ledger.service.requests import Request
from ledger.service.times import iso, iso_ms

if TYPE_CHECKING:
    from ledger.domain.binding import Binding
    from ledger.domain.event_v1 import EventV1
    from ledger.domain.leaf import LeafV1
    from ledger.service.ports import VaultDocument
    from ledger.service.services import Services

_SCANNED = 500


class ShowEvent(Request, frozen=True, kw_only=True):
    """Arguments of ``event show``: an id, or an index in the log."""

    event: str


class ListEvents(Request, frozen=True, kw_only=True):
    """Arguments of ``event list``; ``after`` is the cursor of the page before."""

    agreement: str = ""
    verdict: str = ""
    after: str = ""
    limit: int = 100


class LastEvent(Request, frozen=True, kw_only=True):
    """Arguments of ``event last``."""

    post: str
    agreement: str = ""


def places(services: Services, text: str) -> list[int]:
    """Return the indices that a text means: the entry's, or those of the events with this id.

    Digits mean an index wherever the log reaches it: a reporter chooses its events' ids, and must not be able
    to stand in an entry's place.
    """
    if text.isascii() and text.isdecimal() and len(text) < len(str(MAX_INTEGER)) and int(text) < services.log.size():
        return [int(text)]
    services.indexing.catch_up_soon()
    return [row.leaf_index for row in services.index.find_event(text)]


def find_leaf(services: Services, text: str) -> tuple[int, LeafV1, VaultDocument]:
    """Return an event's index, leaf and document, by its index or its id.

    Raises:
        NotFoundError: There is no such event.
    """
    indices = places(services, text)
    if not indices:
        raise NotFoundError("event", text)
    return indices[0], *opened(services, indices[0])


def show_event(services: Services, request: ShowEvent) -> dict[str, Any]:
    """Show an event with its binding, its leaf and the anchor that covers it.

    Raises:
        NotFoundError: There is no such event.
    """
    return event_json(services, *find_leaf(services, request.event))


def event_json(services: Services, index: int, leaf: LeafV1, document: VaultDocument) -> dict[str, Any]:
    """Return an event with its binding, its leaf and the anchor that covers it as JSON values."""
    event, binding = event_of(document), binding_of(document)
    anchored = covering_anchor(services, index)
    return {
        "index": index,
        "event": to_object(event),
        "occurred_at": iso_ms(event.occurred_at_ms),
        "demonstration": _is_demonstration(services, event, binding),
        "binding": binding_json(services, binding),
        "leaf_hash": leaf.hash().hex(),
        "leaf": {
            "accepted_at_ms": leaf.accepted_at_ms,
            "commitment": leaf.commitment,
            "prev": leaf.prev,
            "seq": leaf.seq,
            "stream": leaf.stream,
        },
        "accepted_at": iso_ms(leaf.accepted_at_ms),
        "anchored": None
        if anchored is None
        else {
            "size": anchored.event.size,
            "block": anchored.block,
            "tx": anchored.tx_hash.hex(),
            "at": iso(anchored.timestamp),
        },
    }


def binding_json(services: Services, binding: Binding) -> dict[str, Any]:
    """Return a binding as JSON values."""
    return {
        "verdict": binding.verdict.value,
        "mismatches": [code.value for code in binding.mismatches],
        "flags": [flag.value for flag in binding.flags],
        "agreement": binding.agreement.hex(),
        "version": binding.version,
        "grant": binding.grant,
        "duty": binding.duty.name,
        "responsible_post": text_or_empty(services, binding.responsible_post),
        "block": binding.block,
        "block_hash": binding.block_hash.hex(),
    }


def list_events(services: Services, request: ListEvents) -> dict[str, Any]:
    """List events in the order of the log, a page at a time.

    Raises:
        InvalidInputError: A cursor that is none.
    """
    if request.after and not request.after.isdecimal():
        raise InvalidInputError("after", request.after, "the cursor of the page before")
    agreement = resolve_agreement(services, request.agreement).agreement.hex() if request.agreement else ""
    index = int(request.after) + 1 if request.after else 0
    size = services.log.size()
    items: list[dict[str, Any]] = []
    while index < size and len(items) < request.limit:
        last = min(index + _SCANNED, size)
        for place, event, binding in bound_events(services, index, last):
            index = place + 1
            if agreement and event.agreement != agreement:
                continue
            if request.verdict and request.verdict.upper() not in {binding.verdict.value, *binding.mismatches}:
                continue
            items.append(
                {**_row(index - 1, event, binding), "demonstration": _is_demonstration(services, event, binding)}
            )
            if len(items) == request.limit:
                break
    return {"items": items, "next": str(index - 1) if index < size else ""}


def last_event(services: Services, request: LastEvent) -> dict[str, Any]:
    """Return the last sequence number that the ledger holds of a reporter's stream, -1 for none."""
    post = parse_post(request.post)
    agreement = resolve_agreement(services, request.agreement).agreement.hex() if request.agreement else ""
    stream = services.intake.stream(str(post), agreement)
    return {
        "post": str(post),
        "agreement": agreement,
        "last_seq": stream.next_seq - 1,
        "next_seq": stream.next_seq,
        "last_hash": stream.last_event.hex(),
    }


def _is_demonstration(services: Services, event: EventV1, binding: Binding) -> bool:
    """Say whether the agreement that an event is bound to, or the post that reported it, is a demonstration's."""
    if Flag.DEMONSTRATION in binding.flags:
        return True
    post = registry_views.find_post(services, post_id(event.reporter))
    return post is not None and is_marked(services, post.profile)


def _row(index: int, event: EventV1, binding: Binding) -> dict[str, Any]:
    return {
        "index": index,
        "id": event.id,
        "kind": event.kind.value,
        "side": event.side.value,
        "occurred_at": iso_ms(event.occurred_at_ms),
        "dataset": event.dataset,
        "requester": event.requester,
        "verdict": binding.verdict.value,
        "mismatches": [code.value for code in binding.mismatches],
        "flags": [flag.value for flag in binding.flags],
    }
