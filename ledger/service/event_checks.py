"""Whether a batch may be accepted: who signed it, for whom, in which order, and when.

Each check raises before anything is written; the numbers are those of ``docs/life-of-an-entry.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.codes import Side
from ledger.domain.errors import ConflictError, InvalidInputError, UnauthorizedError
from ledger.domain.event_v1 import check_event, check_stream
from ledger.domain.history import known_by_block
from ledger.domain.identifiers import parse_post
from ledger.domain.key_state import Allowed, authority, fold_agency, fold_post
from ledger.domain.records import EventBatch
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S, MAY_REPORT, standing
from ledger.domain.typed_data import digest as signing_digest
from ledger.service.event_batches import MAX_BATCH_EVENTS, batch_record
from ledger.service.intake import claim_digest
from ledger.service.registry_views import REGISTRY
from ledger.service.signatures import SignatureRefusedError, recover
from ledger.service.submission import domain_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.event_v1 import EventV1
    from ledger.domain.identifiers import PostRef
    from ledger.service.event_batches import SignedBatch
    from ledger.service.intake import Stream
    from ledger.service.ports import BlockRef
    from ledger.service.services import Services

RESPONSIBILITIES = "ResponsibilityLedger"


def check_shape(batch: SignedBatch) -> None:
    """1. The batch has a size that is allowed, and every event in it is well formed and of one stream.

    Raises:
        InvalidInputError: Names the event and the field.
    """
    if not 0 < len(batch.events) <= MAX_BATCH_EVENTS:
        raise InvalidInputError("events", len(batch.events), f"1 to {MAX_BATCH_EVENTS}")
    for place, event in enumerate(batch.events):
        try:
            check_event(event)
        except InvalidInputError as error:
            raise InvalidInputError(f"events[{place}].{error.field}", error.value, error.allowed) from error
        if (event.reporter, event.agreement) != (batch.reporter, batch.agreement):
            raise InvalidInputError(f"events[{place}].reporter", event.reporter, "the batch's reporter and agreement")


def check_batch_signature(services: Services, batch: SignedBatch, digests: Sequence[bytes]) -> bytes:
    """2. The signature over the batch is the stated signer's. Returns the digest that was signed.

    Raises:
        SignatureRefusedError: It is not.
    """
    signed = signing_digest(domain_of(services.deployment, EventBatch), batch_record(batch, digests))
    if (recovered := recover(signed, batch.signature)) != batch.signer:
        raise SignatureRefusedError(
            "the batch's signature is not the stated signer's", signer=batch.signer, recovered=recovered
        )
    return signed


def check_deadline(services: Services, batch: SignedBatch) -> None:
    """3. The batch's deadline has not passed.

    Raises:
        SignatureRefusedError: It has.
    """
    now = services.clock.now_ms() // 1000
    if batch.deadline < now:
        raise SignatureRefusedError("the batch's deadline has passed", deadline=batch.deadline, now=now)


def check_span(batch: SignedBatch, block: BlockRef) -> None:
    """Also 3. At the bound block the deadline has not passed either, and it is near: else no evidence of it would hold.

    Raises:
        SignatureRefusedError: It has passed.
        InvalidInputError: It is too far.
    """
    if batch.deadline < block.timestamp:
        raise SignatureRefusedError(
            "the batch's deadline has passed", deadline=batch.deadline, now=block.timestamp, block=block.number
        )
    if batch.deadline - block.timestamp > EVENT_DEADLINE_MAX_S:
        latest = block.timestamp + EVENT_DEADLINE_MAX_S
        raise InvalidInputError(
            "deadline", batch.deadline, f"at most {latest}, {EVENT_DEADLINE_MAX_S} s after the bound block"
        )


def check_authority(services: Services, batch: SignedBatch, block: BlockRef) -> None:
    """4. At the bound block the key spoke for the post, and the post might report these events.

    A reporter is a post of the agency whose record it is, or one that this agency has entrusted with the
    duty RECORD over the agreement (decisions 24).

    Raises:
        UnauthorizedError: Names what is missing.
    """
    ref = parse_post(batch.reporter)
    # What other threads have read of the chain since is not what the bound block's evidence will show.
    post = fold_post(known_by_block(services.state.history(REGISTRY, ref.id), block.number))
    agency = fold_agency(known_by_block(services.state.history(REGISTRY, ref.agency.id), block.number))
    if post is None or agency is None:
        raise UnauthorizedError("the reporter is no post that is known", post=batch.reporter)
    # The bound block may be a few seconds old, while a key bound since counts from its own block's time.
    allowed = authority(post, agency, key=batch.signer, any_of=MAY_REPORT, time=block.timestamp)
    if not isinstance(allowed, Allowed):
        raise UnauthorizedError(
            f"the key may not report for the post: {allowed.reason}", post=batch.reporter, signer=batch.signer
        )
    for place, event in enumerate(batch.events):
        if not may_report(services, ref, event, block):
            raise UnauthorizedError(
                "a post reports its own agency's side, or one that entrusted it", event=place, side=event.side.value
            )


def may_report(services: Services, post: PostRef, event: EventV1, block: BlockRef) -> bool:
    """Say whether a post may report an event that is bound at a block, by what the chain had recorded up to it."""
    right = standing(
        event,
        post,
        lambda key: services.state.history(RESPONSIBILITIES, key),
        block=block.number,
        time=block.timestamp,
    )
    return right is not None


def check_times(services: Services, batch: SignedBatch) -> None:
    """5. No event lies in the future beyond the clocks' skew.

    Raises:
        InvalidInputError: Names the event.
    """
    latest = services.clock.now_ms() + services.settings.clock_skew_max_s * 1000
    for place, event in enumerate(batch.events):
        if event.occurred_at_ms > latest:
            raise InvalidInputError(f"events[{place}].occurred_at_ms", event.occurred_at_ms, f"at most {latest}")


def check_places(batch: SignedBatch, stream: Stream) -> None:
    """6. The events follow on in their reporter's stream.

    Raises:
        ConflictError: A gap, or numbers that are taken.
        InvalidInputError: They do not follow each other.
    """
    first = batch.events[0]
    if first.reporter_seq != stream.next_seq or bytes.fromhex(first.prev_hash) != stream.last_event:
        raise ConflictError(
            "stream",
            "the batch does not follow the last event that the ledger holds",
            given_seq=first.reporter_seq,
            next_seq=stream.next_seq,
            given_prev_hash=first.prev_hash,
            last_hash=stream.last_event.hex(),
        )
    check_stream(batch.events, next_seq=stream.next_seq, prev_hash=stream.last_event)


def check_pairings(services: Services, batch: SignedBatch) -> None:
    """7. No exchange is reported twice from one side, nor from both sides by one reporter.

    Raises:
        ConflictError: It was reported, with the same or other content.
        UnauthorizedError: The reporter has told the other side of it.
    """
    seen: dict[tuple[str, str], EventV1] = {}
    for event in batch.events:
        if (held := services.intake.held(event)) is not None:
            same = held.claim == claim_digest(event)
            raise ConflictError(
                f"event {event.correlation or event.id}",
                "it is in the ledger already" if same else "it is in the ledger with other content",
                index=held.index,
                held=held.claim.hex(),
                given=claim_digest(event).hex(),
            )
        if not event.correlation:
            continue
        other = Side.CONSUMER if event.side is Side.PROVIDER else Side.PROVIDER
        if services.intake.other_side(event) is not None or (other.value, event.correlation) in seen:
            raise UnauthorizedError(
                "one key never reports both sides of an exchange", correlation=event.correlation, post=batch.reporter
            )
        if (event.side.value, event.correlation) in seen:
            raise ConflictError(f"event {event.correlation}", "the batch reports it twice")
        seen[event.side.value, event.correlation] = event
