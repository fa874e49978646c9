"""Appending what was read ahead: the same batch, places, leaves and answer as `append_batch`, in less time.

The batch is known to be well formed and in order. Its signature, and what depends on the ledger, are checked here, in
the numbers of ``docs/life-of-an-entry.md``; where anything is not as it should be, nothing is taken, and the batch goes
the long way, which says what is wrong. A retry goes the long way too.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.domain.errors import LedgerError
from ledger.domain.event_v1 import read_line
from ledger.domain.identifiers import parse_post
from ledger.domain.records import EventBatch
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.domain.typed_data import digest as signing_digest
from ledger.service.event_appending import bindable_block, check_writable
from ledger.service.event_batches import record_of
from ledger.service.intake import batch_key, other_side, senders_key
from ledger.service.placing import Placing
from ledger.service.signatures import recover
from ledger.service.stored_batches import StoredBatch
from ledger.service.submission import domain_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.event_v1 import EventV1
    from ledger.service.block_view import BlockView, BoundKind
    from ledger.service.group_appender import Waiting
    from ledger.service.intake import Stream
    from ledger.service.ports import BlockRef
    from ledger.service.read_ahead import ReadAhead
    from ledger.service.services import Services

_HASH: Final = 32


def append_ahead(services: Services, read: ReadAhead, *, idempotency_key: str) -> bytes | None:
    """Accept a batch that was read ahead, and return the answer as JSON; None if it must go the long way.

    Raises:
        UnavailableError: No block is fresh enough to bind at, or the disk takes nothing.
    """
    check_writable(services)
    signed = _signed(services, read)
    if signed is None:
        return None
    keys = _numbers(read.keys)
    told = [batch_key(read.signer, int(read.nonce))]
    if idempotency_key:
        told.append(senders_key(read.signer, idempotency_key))
    with services.append_lock:
        services.appender.heal(services)
        services.appender.seal_if_due(services)
        if services.intake.keys.find(told):
            return None  # It is a retry, which needs no block.
        block = bindable_block(services, read.reporter, read.signer)
        view = services.appender.view(services, block)
        stream = services.intake.stream(read.reporter, read.agreement)
        try:
            examples = [read_line(line) for line in read.kinds]
        except msgspec.MsgspecError:
            return None
        if not _is_plain(services, read, examples, block, view, stream, keys):
            return None
        kinds = [view.kind(event) for event in examples]
        waiting, receipts = _place(services, read, signed, idempotency_key, block, kinds, stream, keys)
    services.appender.finish(services, waiting)
    return b'{"items":[%b],"rejected":[]}' % receipts


def _signed(services: Services, read: ReadAhead) -> bytes | None:
    """Return what the batch's key signed, None if it did not sign these events' digests."""
    try:
        record = record_of(
            read.reporter,
            read.agreement,
            count=read.count,
            root=services.leaf_maker.root(read.digests),
            nonce=int(read.nonce),
            deadline=read.deadline,
        )
        signed = signing_digest(domain_of(services.deployment, EventBatch), record)
        return signed if recover(signed, read.signature) == read.signer else None
    except (LedgerError, ValueError):
        return None


def _numbers(data: bytes) -> list[int]:
    numbers = array("Q")
    numbers.frombytes(data)
    return numbers.tolist()


def _is_plain(
    services: Services,
    read: ReadAhead,
    examples: Sequence[EventV1],
    block: BlockRef,
    view: BlockView,
    stream: Stream,
    keys: Sequence[int],
) -> bool:
    """Say whether every check of the long way would pass."""
    now_ms = services.clock.now_ms()
    # 3. Its deadline has not passed, and is near enough to the bound block.
    if not max(now_ms // 1000, block.timestamp) <= read.deadline <= block.timestamp + EVENT_DEADLINE_MAX_S:
        return False
    # 5. No event lies in the future.
    if read.latest_ms > now_ms + services.settings.clock_skew_max_s * 1000:
        return False
    # 6. They follow on in their stream.
    if (read.first_seq, read.first_prev) != (stream.next_seq, stream.last_event.hex()):
        return False
    # 4. At the bound block the key spoke for the post, and the post might report them.
    try:
        view.check_authority(read.reporter, read.signer)
        post = parse_post(read.reporter)
        if not all(view.may_report(post, event) for event in examples):
            return False
    except LedgerError:
        return False
    # 7. No exchange is told twice.
    if len({key | 1 for key in keys}) != len(keys):
        return False
    return not services.intake.keys.find([*keys, *map(other_side, keys)])


def _place(
    services: Services,
    read: ReadAhead,
    signed: bytes,
    idempotency_key: str,
    block: BlockRef,
    kinds: Sequence[BoundKind],
    stream: Stream,
    keys: Sequence[int],
) -> tuple[Waiting, bytes]:
    """Give the batch its place, make its leaves and receipts, and let it wait for the disk."""
    placing = Placing.now(services, block, stream)
    made = services.leaf_maker.make(read, services.intake.size, placing, kinds)
    head = placing.head(
        kinds,
        nonce=read.nonce,
        deadline=read.deadline,
        signer=read.signer,
        signature=read.signature,
        signed=signed,
        idempotency_key=idempotency_key,
    )
    kind_of = array("H")
    kind_of.frombytes(read.kind_of)
    stored = StoredBatch(services.intake.size, read.count, head, (), read.salts, kind_of, read.packed)
    waiting = services.appender.take(services, stored, made.leaves, keys, stream, last_event=read.digests[-_HASH:])
    return waiting, made.receipts
