"""Appending what was read ahead: the same batch, places, leaves and answer as `append_batch`, in less time.

The batch is known to be well formed, in order and signed as stated. What depends on the ledger is checked here, in the
numbers of ``docs/life-of-an-entry.md``; where anything is not as it should be, nothing is taken, and the batch goes the
long way, which says what is wrong. A retry goes the long way too.
"""

from __future__ import annotations

from array import array
from base64 import b64encode
from typing import TYPE_CHECKING, Final

import msgspec

from ledger.domain.commitment import SALT_BYTES
from ledger.domain.errors import LedgerError
from ledger.domain.event_v1 import read_line
from ledger.domain.identifiers import parse_post
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S
from ledger.service.event_appending import bindable_block, check_writable
from ledger.service.intake import batch_key, other_side, senders_key
from ledger.service.placing import Placing
from ledger.service.stored_batches import SALTS_BYTES, StoredBatch
from ledger.service.times import iso_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ledger.domain.event_v1 import EventV1
    from ledger.service.block_view import BlockView, BoundKind
    from ledger.service.group_appender import Waiting
    from ledger.service.intake import Stream
    from ledger.service.ports import BlockRef
    from ledger.service.read_ahead import ReadAhead
    from ledger.service.services import Services

_HASH: Final = 32
_encode: Final = msgspec.json.Encoder().encode


def append_ahead(services: Services, read: ReadAhead, *, idempotency_key: str) -> bytes | None:
    """Accept a batch that was read ahead, and return the answer as JSON; None if it must go the long way.

    Raises:
        UnavailableError: No block is fresh enough to bind at, or the disk takes nothing.
    """
    check_writable(services)
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
        examples = [read_line(line) for line in read.kinds]
        if not _is_plain(services, read, examples, block, view, stream, keys):
            return None
        kinds = [view.kind(event) for event in examples]
        waiting = _place(services, read, idempotency_key, block, kinds, stream, keys)
    services.appender.finish(services, waiting)
    return _answer(read, waiting, kinds)


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
    idempotency_key: str,
    block: BlockRef,
    kinds: Sequence[BoundKind],
    stream: Stream,
    keys: Sequence[int],
) -> Waiting:
    """Give the batch its place, make its leaves, and let it wait for the disk."""
    placing = Placing.now(services, block, stream)
    writer = placing.leaves()
    kind_of = array("H")
    kind_of.frombytes(read.kind_of)
    templates = [kind.template for kind in kinds]
    leaves: list[bytes] = []
    hashes: list[bytes] = []
    for place, seq, event_id, prev, salt, others in zip(
        kind_of,
        range(read.first_seq, read.first_seq + read.count),
        read.ids,
        _before_each(read),
        _salts(read),
        _pieces(read.others, 2 * _HASH),
        strict=True,
    ):
        leaf, digest = writer.next(templates[place].root_with(salt, event_id, prev, seq, others))
        leaves.append(leaf)
        hashes.append(digest)
    head = placing.head(
        kinds,
        nonce=read.nonce,
        deadline=read.deadline,
        signer=read.signer,
        signature=read.signature,
        signed=read.signed,
        idempotency_key=idempotency_key,
    )
    stored = StoredBatch(services.intake.size, read.count, head, (), read.salts, kind_of, read.packed)
    return services.appender.take(services, stored, leaves, hashes, keys, stream, last_event=read.digests[-_HASH:])


def _before_each(read: ReadAhead) -> Iterator[bytes]:
    """Yield for each event the digest of the one before in hex."""
    yield read.first_prev.encode()
    text = read.digests.hex().encode()
    for start in range(0, len(text) - 2 * _HASH, 2 * _HASH):
        yield text[start : start + 2 * _HASH]


def _salts(read: ReadAhead) -> Iterator[bytes]:
    """Yield each event's salt of the group ``binding`` in base64."""
    for start in range(0, len(read.salts), SALTS_BYTES):
        yield b64encode(read.salts[start : start + SALT_BYTES])


def _pieces(data: bytes, length: int) -> Iterator[bytes]:
    for start in range(0, len(data), length):
        yield data[start : start + length]


def _answer(read: ReadAhead, waiting: Waiting, kinds: Sequence[BoundKind]) -> bytes:
    """Return the receipts as JSON, the same document as the long way's answer."""
    head, first = waiting.batch.head, waiting.batch.first
    shared = b'","accepted_at_ms":%d,"accepted_at":"%b","block":%d,"block_hash":"%b","reporter_seq":' % (
        head.accepted_at_ms,
        iso_ms(head.accepted_at_ms).encode(),
        head.block,
        head.block_hash.encode(),
    )
    ends = [
        b',"verdict":%b,"mismatches":%b,"flags":%b}'
        % (_encode(kind.verdict), _encode(kind.mismatches), _encode(kind.flags))
        for kind in kinds
    ]
    receipts = [
        b'{"index":%d,"id":%b,"leaf_hash":"%b%b%d,"correlation":%b%b'
        % (first + place, event_id, digest.hex().encode(), shared, read.first_seq + place, correlation, ends[kind])
        for place, (event_id, digest, correlation, kind) in enumerate(
            zip(read.ids, waiting.hashes, read.correlations, waiting.batch.bound, strict=True)
        )
    ]
    return b'{"items":[%b],"rejected":[]}' % b",".join(receipts)
