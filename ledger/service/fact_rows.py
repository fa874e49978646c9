"""A leaf of the log and its vault document as one row of the index.

Only what the row holds is read from the document, and its types are checked. Whether the document is what its
leaf commits to was checked when it was put, is checked again by ``fsck``, and not here for each row: the index
answers no question that somebody relies on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ledger.domain.codes import Duty, EventKind, Flag, Mismatch, Side, Verdict
from ledger.domain.errors import IntegrityError
from ledger.domain.event_v1 import Count, OptionalHex32
from ledger.service.documents import values_of
from ledger.service.index_rows import FactRow

if TYPE_CHECKING:
    from ledger.domain.leaf import LeafV1
    from ledger.service.ports import VaultDocument


class _Binding(msgspec.Struct, frozen=True, gc=False):
    id: str
    reporter: str
    agreement: OptionalHex32
    bound_version: int
    bound_grant: int
    verdict: tuple[Mismatch, ...]
    flags: tuple[Flag, ...]
    duty: str
    responsible_post: OptionalHex32


class _Detail(msgspec.Struct, frozen=True, gc=False):
    correlation: str


class _Exchange(msgspec.Struct, frozen=True, gc=False):
    kind: EventKind
    side: Side
    occurred_at_ms: Count
    provider: str
    requester: str
    dataset: str
    purpose: str
    recipient: str
    outcome: str


class _Groups(msgspec.Struct, frozen=True, gc=False):
    binding: _Binding
    detail: _Detail
    exchange: _Exchange


_DUTIES: Final = {duty.name: duty.value for duty in Duty}


def fact_row(index: int, leaf: LeafV1, document: VaultDocument) -> FactRow:
    """Return the row of one leaf. ``agreement`` is the one that the event names, found or not.

    Raises:
        IntegrityError: The document is another leaf's, or holds no event with its binding.
    """
    if document.commitment.hex() != leaf.commitment:
        raise IntegrityError("vault", "a document is not the one that its leaf commits to", leaf=index)
    try:
        groups = msgspec.convert(values_of(document), _Groups)
        duty = _DUTIES[groups.binding.duty]
    except (msgspec.ValidationError, KeyError) as error:
        raise IntegrityError("vault", "the document of a leaf holds no event", leaf=index, detail=str(error)) from error
    bound, exchange = groups.binding, groups.exchange
    return FactRow(
        leaf_index=index,
        stream=bytes.fromhex(leaf.stream),
        seq=leaf.seq,
        commitment=document.commitment,
        bound_block=leaf.block,
        bound_block_hash=bytes.fromhex(leaf.block_hash),
        accepted_at_ms=leaf.accepted_at_ms,
        occurred_at_ms=exchange.occurred_at_ms,
        event_id=bound.id,
        kind=exchange.kind.value,
        side=exchange.side.value,
        provider=exchange.provider,
        requester=exchange.requester,
        dataset=exchange.dataset,
        purpose=exchange.purpose,
        recipient=exchange.recipient,
        outcome=exchange.outcome,
        correlation=groups.detail.correlation,
        reporter=bound.reporter,
        agreement=bytes.fromhex(bound.agreement),
        version=bound.bound_version,
        grant=bound.bound_grant,
        verdict=(Verdict.MISMATCH if bound.verdict else Verdict.WITHIN_SCOPE).value,
        mismatches=tuple(code.value for code in bound.verdict),
        flags=tuple(flag.value for flag in bound.flags),
        duty=duty,
        responsible_post=bound.responsible_post,
    )
