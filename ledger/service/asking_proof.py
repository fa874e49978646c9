"""What proves an event, what does it show, and what is missing beside it?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.domain.agreement_state import fold_agreement
from ledger.domain.binding import Bound, bind
from ledger.domain.codes import DUTY_OF_KIND, Side
from ledger.domain.event_v1 import digest, to_object
from ledger.domain.history import known_by_block
from ledger.domain.identifiers import duty_key
from ledger.domain.responsibility_state import fold_responsibility
from ledger.log.proofs import verify_inclusion
from ledger.service.agreement_views import AGREEMENTS, is_demonstration
from ledger.service.anchoring import covering_anchor
from ledger.service.answers import as_of, frame, known_by
from ledger.service.event_documents import binding_of, event_of
from ledger.service.event_views import binding_json, find_leaf
from ledger.service.pairing import is_paired
from ledger.service.requests import Request
from ledger.service.responsibilities import LEDGER
from ledger.service.times import iso, iso_ms

if TYPE_CHECKING:
    from ledger.domain.binding import Binding
    from ledger.domain.event_log import Event, Recorded
    from ledger.domain.event_v1 import EventV1
    from ledger.domain.leaf import LeafV1
    from ledger.service.ports import VaultDocument
    from ledger.service.services import Services


class AskProof(Request, frozen=True, kw_only=True):
    """Arguments of ``ask prove``."""

    event: str
    at: str = ""
    known_at: str = ""


def ask_proof(services: Services, request: AskProof) -> dict[str, Any]:
    """Check an event's inclusion, its anchor and its verdict here and now, and say what stands beside it.

    Raises:
        NotFoundError: There is no such event.
        IntegrityError: It does not prove.
    """
    return prove_leaf(services, request, *find_leaf(services, request.event))


def prove_leaf(
    services: Services, request: AskProof, index: int, leaf: LeafV1, document: VaultDocument
) -> dict[str, Any]:
    """Answer ``ask_proof`` about an entry that was found.

    Raises:
        IntegrityError: It does not prove.
    """
    event, binding = event_of(document), binding_of(document)
    sources: list[Recorded[Event]] = []
    again = rebind(services, event, binding, sources)
    anchored = covering_anchor(services, index)
    size = anchored.event.size if anchored is not None else services.log.size()
    root = anchored.event.root if anchored is not None else services.log.root(size)
    verify_inclusion(leaf.hash(), index, size, services.log.inclusion_proof(index, size), root)
    if anchored is not None:
        sources.append(anchored)
    sources.sort(key=lambda recorded: recorded.position)
    at, known_at = as_of(services, request.at), known_by(services, request.known_at)
    proof = "ANCHORED" if anchored is not None else "INCLUDED"
    state = binding.verdict.value
    if binding.mismatches:
        state += " (" + ", ".join(code.value for code in binding.mismatches) + ")"
    framed = frame(
        services,
        {"ask": "prove", "event": event.id},
        at=at,
        known_at=known_at,
        sources=sources,
        gaps=_gaps(services, event),
    )
    framed["proof"]["status"] = proof
    # A fact is known from the first anchor that covers it; who asks without a time asks what there is now.
    is_known = not request.known_at or (anchored is not None and anchored.timestamp <= known_at)
    answer = f"Event {event.id} is leaf {index} of the log, {proof.lower()}: {state}"
    if not is_known:
        since = f"it was anchored at {iso(anchored.timestamp)}" if anchored is not None else "no anchor covers it yet"
        answer = f"Event {event.id} was not known by {iso(known_at)}: {since}. Now it is leaf {index}: {state}"
    return {
        "answer": answer,
        "known": is_known,
        "event": to_object(event),
        "occurred_at": iso_ms(event.occurred_at_ms),
        "index": index,
        "leaf_hash": leaf.hash().hex(),
        "digest_signed_in_batch": digest(event).hex(),
        "binding": binding_json(services, binding),
        "verdict_recomputed": "SAME" if again == binding else "DIFFERS",
        "inclusion": {"size": size, "root": root.hex(), "verified": True},
        "fact_known_at": iso(anchored.timestamp) if anchored is not None else "",
        "accepted_at_claimed": iso_ms(leaf.accepted_at_ms),
        **framed,
    }


def rebind(
    services: Services, event: EventV1, binding: Binding, sources: list[Recorded[Event]] | None = None
) -> Binding:
    """Return the binding recomputed from what the chain had recorded by the bound block."""
    duty = DUTY_OF_KIND[event.kind]
    agreement, responsibility = None, fold_responsibility(())
    demonstration = False
    if event.agreement:
        about = bytes.fromhex(event.agreement)
        terms = list(known_by_block(services.state.history(AGREEMENTS, about), binding.block))
        duties = list(known_by_block(services.state.history(LEDGER, duty_key(duty, about)), binding.block))
        agreement, responsibility = fold_agreement(terms), fold_responsibility(duties)
        demonstration = agreement is not None and is_demonstration(services, about)
        if sources is not None:
            sources += [*terms, *duties]
    return bind(event, agreement, responsibility, Bound(binding.block, binding.block_hash), demonstration=demonstration)


def _gaps(services: Services, event: EventV1) -> list[str]:
    """Return what is missing beside an event: above all the other side's record of it."""
    if not event.correlation:
        return ["the event names no correlation, so the other side's record cannot be paired"]
    other = Side.CONSUMER if event.side is Side.PROVIDER else Side.PROVIDER
    return [] if is_paired(services, event) else [f"the {other.value.lower()}'s record of this exchange is missing"]
