"""Events as they may be read: their leaf by anyone, what they say by the parties alone (docs/adr/0050).

A leaf holds nothing of its event in clear, and nothing here joins the two: no list by agreement or reporter,
no search by an event's own id. The exception is a home made for a demonstration, in which no event is
anybody's; there all is shown, and marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ledger.domain.canonical import MAX_INTEGER
from ledger.domain.codes import PostRole
from ledger.domain.errors import InvalidInputError, NotFoundError, UnauthorizedError
from ledger.domain.identifiers import parse_post
from ledger.domain.leaf import parse_leaf
from ledger.service import registry_views
from ledger.service.anchoring import covering_anchor
from ledger.service.answers import as_of, frame, known_by
from ledger.service.asking_proof import AskProof, ask_proof, prove_leaf
from ledger.service.event_documents import event_of, opened
from ledger.service.event_states import state_of
from ledger.service.event_views import LastEvent, ShowEvent, event_json, find_leaf, last_event, places
from ledger.service.paging import Paged, check_limit
from ledger.service.reading_log import anchor_json, published
from ledger.service.signatures import SignatureMissingError
from ledger.service.times import iso_ms

if TYPE_CHECKING:
    from ledger.domain.event_v1 import EventV1
    from ledger.domain.identifiers import PostRef
    from ledger.domain.leaf import LeafV1
    from ledger.service.ports import VaultDocument
    from ledger.service.services import Services

READS_ALL: Final = PostRole.INSPECTOR | PostRole.SHARING_AUTHORITY
"""Posts that may read every event: those who supervise sharing, and those who inspect it."""


_SCANNED: Final = 20_000
"""Entries that one page looks through for a stream's."""


_DIGITS: Final = len(str(MAX_INTEGER))


class PageEvents(Paged, frozen=True, kw_only=True):
    """Which entries: all, or one stream's; the cursor is an index."""

    stream: str = ""


def page_events(services: Services, request: PageEvents) -> dict[str, object]:
    """List entries in the order of the log, as far as the published checkpoint goes.

    Raises:
        InvalidInputError: A cursor that is none, or a length that is not allowed.
    """
    limit = check_limit(request.limit)
    checkpoint = published(services)
    first = _index(request.after, "after") + 1 if request.after else 0
    items: list[dict[str, object]] = []
    following = ""
    last = min(first + _SCANNED, checkpoint.size)
    for index, data in enumerate(services.log.leaves(min(first, last), last), first):
        leaf = parse_leaf(data)
        if request.stream and leaf.stream != request.stream:
            continue
        if len(items) == limit:
            following = str(items[-1]["index"])
            break
        items.append(leaf_json(index, leaf))
    if not following and last < checkpoint.size:
        following = str(last - 1)
    return {
        "items": items,
        "next": following,
        "log_size": checkpoint.size,
        "checkpoint": services.log.checkpoint().decode(),
        "demonstration": services.deployment.demonstration,
    }


def public_event(services: Services, request: ShowEvent) -> dict[str, object]:
    """Show an entry with what proves it; in a demonstration's home also what it says.

    Raises:
        NotFoundError: The log has no entry at this index.
    """
    if services.deployment.demonstration:
        index, leaf, document = find_leaf(services, request.event)
        shown = event_json(services, index, leaf, document)
        return {**shown, **_proved(services, index, leaf), "demonstration": True}
    index = _index(request.event, "event")
    if index >= services.log.size():
        raise NotFoundError("event", request.event)
    return _proved(services, index, parse_leaf(services.log.leaf(index)))


def party_event(services: Services, request: ShowEvent, post: PostRef) -> dict[str, object]:
    """Show an event to a post that may read it, by index or by its reporter's id.

    Raises:
        NotFoundError: There is no such event, or it is not for this post: the two look alike.
    """
    index, leaf, document = readable(services, request.event, post)
    return {**event_json(services, index, leaf, document), **_proved(services, index, leaf)}


def public_proof(services: Services, request: AskProof) -> dict[str, Any]:
    """Answer what proves an entry, without what it says; all of it in a demonstration's home.

    Raises:
        NotFoundError: The log has no entry at this index.
    """
    if services.deployment.demonstration:
        return {**ask_proof(services, request), "demonstration": True}
    shown = public_event(services, ShowEvent(event=request.event))
    index = shown["index"]
    at, known_at = as_of(services, request.at), known_by(services, request.known_at)
    anchored = covering_anchor(services, _index(request.event, "event"))
    gaps = ["what the event says is disclosed to its parties only"]
    question = {"ask": "prove", "event": str(index)}
    sources = [anchored] if anchored is not None else []
    framed = frame(services, question, at=at, known_at=known_at, sources=sources, gaps=gaps)
    framed["proof"]["status"] = "ANCHORED" if anchored is not None else shown["state"]
    return {"answer": f"Entry {index} of the log is {str(shown['state']).lower()}", **shown, **framed}


def party_proof(services: Services, request: AskProof, post: PostRef) -> dict[str, Any]:
    """Answer what proves an event, to a post that may read it.

    Raises:
        NotFoundError: There is no such event, or it is not for this post.
    """
    return prove_leaf(services, request, *readable(services, request.event, post))


def reporters_last(services: Services, request: LastEvent, post: PostRef | None) -> dict[str, Any]:
    """Tell a reporter where its next event goes; anyone in a demonstration's home.

    Raises:
        SignatureMissingError: Nobody signed the question.
        UnauthorizedError: Another post asks.
    """
    asked = parse_post(request.post, "reporter")
    if asked != post and not services.deployment.demonstration:
        if post is None:
            raise SignatureMissingError("a reporter signs when it asks for its own stream", reporter=str(asked))
        raise UnauthorizedError("a post asks for its own streams only", reporter=str(asked), asking=str(post))
    return last_event(services, request)


def may_read(services: Services, post: PostRef, event: EventV1) -> bool:
    """Say whether a post may read what an event says: its reporter, posts of its parties, and supervisors.

    A post supervises only while its agency has the capacity for it, as a contract would have it act.
    """
    if str(post) == event.reporter or str(post.agency) in {event.provider, event.requester, event.recipient}:
        return True
    found, agency = registry_views.find_post(services, post.id), registry_views.find_agency(services, post.agency.id)
    now = services.now_s()
    if found is None or agency is None or not agency.is_live_at(now):
        return False
    return bool(found.roles_at(now) & agency.capacities_at(now) & READS_ALL)


def leaf_json(index: int, leaf: LeafV1) -> dict[str, object]:
    """Return an entry of the log as JSON values."""
    return {
        "index": index,
        "leaf_hash": leaf.hash().hex(),
        "leaf": {
            "accepted_at_ms": leaf.accepted_at_ms,
            "block": leaf.block,
            "block_hash": leaf.block_hash,
            "commitment": leaf.commitment,
            "prev": leaf.prev,
            "seq": leaf.seq,
            "stream": leaf.stream,
            "v": leaf.v,
        },
        "accepted_at": iso_ms(leaf.accepted_at_ms),
    }


def readable(services: Services, text: str, post: PostRef) -> tuple[int, LeafV1, VaultDocument]:
    """Return the event at an index, or else the first one of an id, that the post may read.

    Raises:
        NotFoundError: There is none.
    """
    for index in places(services, text):
        leaf, document = opened(services, index)
        if may_read(services, post, event_of(document)):
            return index, leaf, document
    raise NotFoundError("event", text)


def _proved(services: Services, index: int, leaf: LeafV1) -> dict[str, object]:
    """Return an entry's leaf, its state, and the proof under the published checkpoint once that covers it."""
    checkpoint, anchored = published(services), covering_anchor(services, index)
    proof: dict[str, object] | None = None
    if index < checkpoint.size:
        proof = {
            "size": checkpoint.size,
            "root": checkpoint.root.hex(),
            "path": [node.hex() for node in services.log.inclusion_proof(index, checkpoint.size)],
            "checkpoint": services.log.checkpoint().decode(),
        }
    return {
        **leaf_json(index, leaf),
        "leaf_bytes": leaf.encode().decode(),
        "state": state_of(services, index).value,
        "inclusion": proof,
        "anchor": anchor_json(anchored) if anchored is not None else None,
    }


def _index(text: str, field: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        if field == "event":
            raise NotFoundError("event", text)
        raise InvalidInputError(field, text, "the cursor `next` of the page before")
    return int(text)
