"""The server's half of appending: check a signed batch, bind it, make it durable, answer with receipts.

Order of writing: the events' files, then the log. Batches are given their places one after another, in memory; what
waits then goes to disk together, with one sync of each store, and a receipt leaves only after both. A crash before
the log's sync leaves events that no leaf commits to: opening cuts them off, and the reporter, who has no receipt,
sends the same batch again.
"""

from __future__ import annotations

import secrets
from array import array
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ledger.domain.commitment import SALT_BYTES
from ledger.domain.errors import ConflictError, InvalidInputError, UnavailableError
from ledger.domain.event_v1 import EventV1, encode_event, parse_event
from ledger.domain.leaf import LeafWriter
from ledger.log.encoded import EncodedEntries
from ledger.log.tree import HASH_SIZE_BYTES, leaf_hash
from ledger.service import event_checks
from ledger.service.call_data import call_data
from ledger.service.event_batches import Appended, Rejected, reject, with_followers
from ledger.service.intake import batch_key, other_side, pairing_keys, senders_key
from ledger.service.pieces import pieces
from ledger.service.placing import Placing
from ledger.service.read_only import ReadOnlyHomeError
from ledger.service.standstill import check_uncontradicted
from ledger.service.stored_batches import SALTS_BYTES, RejectedEvent, StoredBatch
from ledger.service.times import iso_ms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.service.block_view import BoundKind
    from ledger.service.event_batches import SignedBatch
    from ledger.service.event_checks import Faults
    from ledger.service.group_appender import Waiting
    from ledger.service.ports import BlockRef
    from ledger.service.services import Services

_FRESH_WAIT_S: Final = 10.0


def append_signed_batch(services: Services, batch: SignedBatch) -> list[dict[str, Any]]:
    """Accept a reporter's batch and return one receipt an event; all or none. Raises as `append_batch`."""
    return append_batch(services, batch, atomic=True).receipts


def append_batch(services: Services, batch: SignedBatch, *, atomic: bool) -> Appended:
    """Accept a reporter's batch up to its first event that is wrong, and tell why the others are not.

    Each event names the one before it, so nothing after a rejected event can stand at its place. The same bytes
    again get the first answer, even after the deadline.

    Args:
        services: The services.
        batch: The batch; its signature is over all its events.
        atomic: Refuse the whole batch for one event that is wrong.

    Raises:
        InvalidInputError: The batch is not well formed, or its deadline too far; or as follows.
        UnauthorizedError: The signature, key, post or deadline does not allow it; or as follows.
        ConflictError: Another batch has the nonce, or the first event is out of place; or as follows.
        LedgerError: The first event that is wrong, where no event is accepted.
        UnavailableError: No block is fresh enough to bind at, or the disk takes nothing.
    """
    check_writable(services)
    signed = _check_alone(services, batch, atomic=atomic)
    with services.append_lock:
        services.appender.heal(services)
        services.appender.seal_if_due(services)
        if (answered := _answered(services, batch, signed)) is not None:
            return answered
        waiting, kinds = _take(services, batch, signed, atomic=atomic)
    services.appender.finish(services, waiting)
    stored = waiting.batch
    receipts = _receipts(
        stored,
        batch.events[: stored.count],
        [*pieces(waiting.leaves.hashes, HASH_SIZE_BYTES)],
        ((kind.verdict, kind.mismatches, kind.flags) for kind in kinds),
    )
    return Appended(receipts, with_followers(_told_again(stored.head.rejected), batch.count))


@dataclass(frozen=True, slots=True)
class _Signed:
    """What a batch shows without the ledger: its lines, their digests, the signed digest, and what is misshapen."""

    lines: Sequence[bytes]
    digests: Sequence[bytes]
    digest: bytes
    faults: Faults


def _check_alone(services: Services, batch: SignedBatch, *, atomic: bool) -> _Signed:
    """Check what needs no state; other threads append meanwhile."""
    faults = event_checks.check_shape(batch)
    if batch.rejected and (atomic or not batch.events):
        first = batch.rejected[0]
        raise _whole(first.place, InvalidInputError(first.field, first.value, first.allowed))
    _refuse_whole(faults, atomic=atomic)
    lines = batch.lines or [encode_event(event) for event in batch.events]
    digests = [leaf_hash(line) for line in lines]
    return _Signed(lines, digests, event_checks.check_batch_signature(services, batch, digests), faults)


def _refuse_whole(faults: Faults, *, atomic: bool) -> None:
    """Raise the first fault where it leaves nothing to accept."""
    if faults and (atomic or faults[0][0] == 0):
        place, error = faults[0]
        raise _whole(place, error)


def _whole(place: int, error: Exception) -> Exception:
    """Return an error about an event as one about its batch."""
    if not isinstance(error, InvalidInputError):
        return error
    field = error.field.removeprefix("$").removeprefix(".")
    return InvalidInputError(f"events[{place}]" + (f".{field}" if field else ""), error.value, error.allowed)


def _answered(services: Services, batch: SignedBatch, signed: _Signed) -> Appended | None:
    """Return the first answer to a batch that was accepted before.

    Raises:
        ConflictError: Its nonce or key was used for another batch.
    """
    wanted = [("nonce", batch_key(batch.signer, batch.nonce))]
    if batch.idempotency_key:
        wanted.insert(0, ("idempotency key", senders_key(batch.signer, batch.idempotency_key)))
    found = services.intake.keys.find([key for _, key in wanted])
    answer: Appended | None = None
    for what, key in wanted:
        if key not in found:
            continue
        services.appender.settle(services)
        stored = services.events.batch(found[key])
        if stored.head.signer != batch.signer.hex():
            continue
        if what == "nonce" and stored.head.nonce != str(batch.nonce):
            continue
        if what != "nonce" and stored.head.idempotency_key != batch.idempotency_key:
            continue
        if stored.head.signed != signed.digest.hex():
            raise ConflictError(
                what, "it was used for another batch", first=stored.head.signed, given=signed.digest.hex()
            )
        answer = answer_of(services, stored)
    return answer


def answer_of(services: Services, stored: StoredBatch) -> Appended:
    """Return the answer that a stored batch got: the same each time it is asked."""
    bindings = (stored.binding_of(place) for place in range(stored.count))
    receipts = _receipts(
        stored,
        map(parse_event, stored.lines[: stored.count]),
        map(leaf_hash, services.log.leaves(stored.first, stored.end)),
        (
            (one.verdict.value, [code.value for code in one.mismatches], [flag.value for flag in one.flags])
            for one in bindings
        ),
    )
    return Appended(receipts, with_followers(_told_again(stored.head.rejected), len(stored.lines)))


def bindable_block(services: Services, reporter: str, signer: bytes) -> BlockRef:
    """Return the newest final block, which must be young enough that an anchor can still follow in time.

    Where one must be brought about, the sender's authority is checked first: nobody else costs a transaction.

    Raises:
        UnauthorizedError: The chain is idle, and at its newest block the key may not report for the post.
        UnavailableError: The chain has made no block for too long (STALE_BINDING), or is behind the log.
    """
    limit = services.settings.binding_age_max_s // 2
    try:
        block = services.state.refresh()
    except UnavailableError:
        # A binding is to a named block, never to now: the last one that was read serves while it is young enough.
        block = services.state.final
    if services.now_s() - block.timestamp > limit:
        services.appender.view(services, block).check_authority(reporter, signer)
        tick(services, block)
        block = services.state.refresh()
    age = services.now_s() - block.timestamp
    if age > limit:
        raise UnavailableError("chain", "STALE_BINDING: the newest block is too old to bind at", age_s=age)
    if block.number < services.intake.last_block:
        raise UnavailableError(
            "chain", "it is behind the block that was bound last", block=block.number, bound=services.intake.last_block
        )
    return block


def check_writable(services: Services) -> None:
    """Return if the home takes events.

    Raises:
        ReadOnlyHomeError: It was opened for reading alone.
        WitnessesContradictError: The log's witnesses know another log.
    """
    if services.settings.read_only:
        raise ReadOnlyHomeError("home", "it was opened for reading alone")
    check_uncontradicted(services)


def tick(services: Services, block: BlockRef) -> None:
    """Bring about a block after ``block``, by sending a call that changes nothing."""
    key = f"tick:{block.hash.hex()}"
    services.outbox.send(key, services.deployment.address("CheckpointAnchor"), call_data("latest", []))
    services.outbox.wait(key, _FRESH_WAIT_S)


def _take(
    services: Services, batch: SignedBatch, signed: _Signed, *, atomic: bool
) -> tuple[Waiting, Sequence[BoundKind]]:
    """Give a batch its place: check it against the ledger, bind it, and let it wait for the disk."""
    intake = services.intake
    event_checks.check_deadline(services, batch)
    late = event_checks.check_times(services, batch)
    _refuse_whole(late, atomic=atomic)
    block = bindable_block(services, batch.reporter, batch.signer)
    event_checks.check_span(batch, block)
    view = services.appender.view(services, block)
    foreign = event_checks.check_authority(batch, view)
    _refuse_whole(foreign, atomic=atomic)
    stream = intake.stream(batch.reporter, batch.agreement)
    misplaced = event_checks.check_places(batch, signed.digests, stream)
    _refuse_whole(misplaced, atomic=atomic)
    keys = pairing_keys(batch.events)
    found = intake.keys.find(keys + [other_side(key) for key in keys])
    told = event_checks.check_pairings(services, batch, keys, found)
    _refuse_whole(told, atomic=atomic)
    rejected = _rejections(batch, [*signed.faults, *late, *foreign, *misplaced, *told])
    count = min((one.place for one in rejected), default=len(batch.events))

    placing = Placing.now(services, block, stream)
    events = batch.events[:count]
    kinds = [view.kind(event) for event in events]
    salts = secrets.token_bytes(SALTS_BYTES * count)
    leaves, hashes = _leaves(events, kinds, salts, placing.leaves())
    distinct = {id(kind): kind for kind in kinds}
    places = {known: place for place, known in enumerate(distinct)}
    head = placing.head(
        distinct.values(),
        nonce=str(batch.nonce),
        deadline=batch.deadline,
        signer=batch.signer,
        signature=batch.signature,
        signed=signed.digest,
        idempotency_key=batch.idempotency_key,
        rejected=rejected,
    )
    stored = StoredBatch(
        intake.size, count, head, signed.lines, salts, array("H", [places[id(kind)] for kind in kinds])
    )
    waiting = services.appender.take(
        services, stored, EncodedEntries.of(leaves, hashes), keys[:count], stream, last_event=signed.digests[count - 1]
    )
    return waiting, kinds


def _leaves(
    events: Sequence[EventV1], kinds: Sequence[BoundKind], salts: bytes, writer: LeafWriter
) -> tuple[list[bytes], list[bytes]]:
    """Return the events' leaves and their hashes."""
    texts = [b64encode(salts[start : start + SALT_BYTES]) for start in range(0, len(salts), SALT_BYTES)]
    leaves, hashes = [], []
    for event, kind, one, two, three in zip(events, kinds, texts[::3], texts[1::3], texts[2::3], strict=True):
        leaf, digest = writer.next(kind.template.root(event, (one, two, three)))
        leaves.append(leaf)
        hashes.append(digest)
    return leaves, hashes


def _rejections(batch: SignedBatch, faults: Faults) -> tuple[RejectedEvent, ...]:
    """Return why single events are not accepted, one reason for each, in the batch's order."""
    found: dict[int, Rejected] = {}
    for one in (*batch.rejected, *(reject(place, error) for place, error in faults)):
        found.setdefault(one.place, one)
    return tuple(
        RejectedEvent(
            place=place, code=one.code, field=_clean(one.field), value=_plain(one.value), allowed=_clean(one.allowed)
        )
        for place, one in sorted(found.items())
    )


def _plain(value: object) -> str:
    if isinstance(value, str):
        return _clean(value)
    try:
        return msgspec.json.encode(value, enc_hook=str, order="sorted").decode()
    except UnicodeEncodeError:
        return _clean(repr(value))


def _clean(text: str) -> str:
    """Return text that can be written: a hostile line may hold half a character."""
    return text.encode("utf-8", "replace").decode()


def _told_again(rejected: Sequence[RejectedEvent]) -> list[Rejected]:
    return [Rejected(one.place, one.code, one.field, one.value, one.allowed) for one in rejected]


def _receipts(
    stored: StoredBatch,
    events: Iterable[EventV1],
    hashes: Iterable[bytes],
    found: Iterable[tuple[str, Sequence[str], Sequence[str]]],
) -> list[dict[str, Any]]:
    """Return the receipts of a batch's events, each with its verdict, mismatches and flags."""
    head = stored.head
    accepted_at_ms, accepted_at, block, block_hash = (
        head.accepted_at_ms,
        iso_ms(head.accepted_at_ms),
        head.block,
        head.block_hash,
    )
    return [
        {
            "index": index,
            "id": event.id,
            "leaf_hash": digest.hex(),
            "accepted_at_ms": accepted_at_ms,
            "accepted_at": accepted_at,
            "block": block,
            "block_hash": block_hash,
            "reporter_seq": event.reporter_seq,
            "correlation": event.correlation,
            "verdict": verdict,
            "mismatches": [*mismatches],
            "flags": [*flags],
        }
        for index, event, digest, (verdict, mismatches, flags) in zip(
            range(stored.first, stored.end), events, hashes, found, strict=True
        )
    ]
