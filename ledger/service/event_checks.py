"""Whether a batch may be accepted: who signed it, for whom, in which order, and when.

Each check raises before anything is written; the numbers are those of ``docs/life-of-an-entry.md``. A check of single
events tells all that it finds: a list of places with the error of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.codes import Side
from ledger.domain.errors import ConflictError, InvalidInputError, LedgerError, UnauthorizedError
from ledger.domain.event_v1 import EventV1, check_claims, check_own, claims_of, parse_event
from ledger.domain.identifiers import parse_post
from ledger.domain.records import EventBatch
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.domain.typed_data import digest as signing_digest
from ledger.service.event_batches import MAX_BATCH_EVENTS, batch_record
from ledger.service.intake import claim_digest, other_side
from ledger.service.signatures import SignatureRefusedError, recover
from ledger.service.submission import domain_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.service.block_view import BlockView
    from ledger.service.event_batches import SignedBatch
    from ledger.service.intake import Stream
    from ledger.service.ports import BlockRef
    from ledger.service.services import Services

Faults = list[tuple[int, LedgerError]]
"""What is wrong with single events of a batch, by place; empty when nothing is."""


def check_shape(batch: SignedBatch) -> Faults:
    """1. The batch has a size that is allowed, and every event in it is well formed and of one stream.

    Returns:
        The events that are not.

    Raises:
        InvalidInputError: The batch is empty or too large.
    """
    if not 0 < batch.count <= MAX_BATCH_EVENTS:
        raise InvalidInputError("events", batch.count, f"1 to {MAX_BATCH_EVENTS}")
    faults: Faults = []
    known: set[tuple[object, ...]] = set()
    reporter, agreement = batch.reporter, batch.agreement
    for place, event in enumerate(batch.events):
        try:
            claims = claims_of(event)
            if claims not in known:
                check_claims(event)
                if (event.reporter, event.agreement) != (reporter, agreement):
                    raise InvalidInputError("reporter", event.reporter, "the batch's reporter and agreement")
                known.add(claims)
            check_own(event)
        except InvalidInputError as error:
            faults.append((place, error))
    return faults


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


def check_authority(batch: SignedBatch, view: BlockView) -> Faults:
    """4. At the bound block the key spoke for the post, and the post might report these events.

    A reporter is a post of the agency whose record it is, or one that this agency has entrusted with the
    duty RECORD over the agreement.

    Returns:
        The events that the post may not report.

    Raises:
        UnauthorizedError: Names what is missing.
    """
    view.check_authority(batch.reporter, batch.signer)
    post = parse_post(batch.reporter)
    return [
        (
            place,
            UnauthorizedError(
                "a post reports its own agency's side, or one that entrusted it", event=place, side=event.side.value
            ),
        )
        for place, event in enumerate(batch.events)
        if not view.may_report(post, event)
    ]


def check_times(services: Services, batch: SignedBatch) -> Faults:
    """5. No event lies in the future beyond the clocks' skew.

    Returns:
        The events that do.
    """
    latest = services.clock.now_ms() + services.settings.clock_skew_max_s * 1000
    return [
        (place, InvalidInputError("occurred_at_ms", event.occurred_at_ms, f"at most {latest}"))
        for place, event in enumerate(batch.events)
        if event.occurred_at_ms > latest
    ]


def check_places(batch: SignedBatch, digests: Sequence[bytes], stream: Stream) -> Faults:
    """6. The events follow on in their reporter's stream.

    Returns:
        The first event that does not follow the one before it in the batch, if there is one.

    Raises:
        ConflictError: The first one does not follow what the ledger holds: a gap, or numbers that are taken.
    """
    for place, event in enumerate(batch.events):
        before = digests[place - 1] if place else stream.last_event
        if event.reporter_seq != stream.next_seq + place or event.prev_hash != before.hex():
            if place == 0:
                raise ConflictError(
                    "stream",
                    "the batch does not follow the last event that the ledger holds",
                    given_seq=event.reporter_seq,
                    next_seq=stream.next_seq,
                    given_prev_hash=event.prev_hash,
                    last_hash=stream.last_event.hex(),
                )
            if event.reporter_seq != stream.next_seq + place:
                return [(place, InvalidInputError("reporter_seq", event.reporter_seq, str(stream.next_seq + place)))]
            return [(place, InvalidInputError("prev_hash", event.prev_hash, before.hex()))]
    return []


def check_pairings(services: Services, batch: SignedBatch, keys: Sequence[int], found: Mapping[int, int]) -> Faults:
    """7. No exchange is reported twice from one side, nor from both sides by one reporter.

    Args:
        services: The services.
        batch: The batch.
        keys: Its events' pairing keys.
        found: The leaves under these keys and those of the other sides; others may share a key.

    Returns:
        The events that are in the ledger already, with the same or other content; those whose other side the
        reporter has told; and those that stand in the batch twice.
    """
    if not found and len({key | 1 for key in keys}) == len(keys):
        return []
    faults: Faults = []
    seen: dict[int, EventV1] = {}
    for place, (event, key) in enumerate(zip(batch.events, keys, strict=False)):
        held = held_at(services, event, found.get(key))
        if held is not None:
            index, known = held
            same = claim_digest(known) == claim_digest(event)
            error: LedgerError = ConflictError(
                f"event {event.correlation or event.id}",
                "it is in the ledger already" if same else "it is in the ledger with other content",
                index=index,
                held=claim_digest(known).hex(),
                given=claim_digest(event).hex(),
            )
            faults.append((place, error))
        elif key in found:
            # Another exchange has its key, which a reporter can only bring about on purpose; taken, it would hide that.
            told = ConflictError(
                f"event {event.correlation or event.id}", "its correlation cannot be told from another's"
            )
            faults.append((place, told))
        elif event.correlation and (
            held_at(services, event, found.get(other_side(key)), is_other=True) is not None or other_side(key) in seen
        ):
            error = UnauthorizedError(
                "one key never reports both sides of an exchange", correlation=event.correlation, post=batch.reporter
            )
            faults.append((place, error))
        elif key in seen:
            faults.append(
                (place, ConflictError(f"event {event.correlation or event.id}", "the batch reports it twice"))
            )
        seen[key] = event
    return faults


def held_at(
    services: Services, event: EventV1, index: int | None, *, is_other: bool = False
) -> tuple[int, EventV1] | None:
    """Return an event and its leaf if it tells the same exchange, from the same side or the other one."""
    if index is None:
        return None
    services.appender.settle(services)  # What is found may still be on its way to the disk.
    batch = services.events.batch(index)
    known = parse_event(batch.lines[index - batch.first])
    other = Side.CONSUMER if event.side is Side.PROVIDER else Side.PROVIDER
    if (known.reporter, known.correlation) != (event.reporter, event.correlation):
        return None
    if known.side is not (other if is_other else event.side):
        return None
    if not event.correlation and claim_digest(known) != claim_digest(event):
        return None
    return index, known
