"""The log as the public sees it: checkpoint and anchors, and any entry with the path that proves it.

An entry is its leaf: nothing of the event stands in it in clear. Only in a home that was made for
a demonstration is the event beside it shown, and marked so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.errors import InvalidInputError, NotFoundError
from ledger.domain.event_v1 import to_object
from ledger.domain.leaf import parse_leaf
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import parse_note
from ledger.log.proofs import verify_inclusion
from ledger.log.tree import leaf_hash, node_hash
from ledger.service.anchoring import covering_anchor
from ledger.service.event_documents import binding_of, event_of, opened
from ledger.service.event_states import state_of
from ledger.service.pages.names import Name, post_name
from ledger.service.requests import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.binding import Binding
    from ledger.domain.event_log import Recorded
    from ledger.domain.event_v1 import EventV1
    from ledger.domain.events import CheckpointAnchored
    from ledger.domain.leaf import LeafV1
    from ledger.service.services import Services

_DIGITS = 16
"""More digits than the index of any entry has."""


class LogPage(Request, frozen=True, kw_only=True):
    """Arguments of `log_page`: ``before`` is the index of the last page's oldest entry."""

    before: str = ""
    limit: int = 20


class EntryPage(Request, frozen=True, kw_only=True):
    """Arguments of `entry_page`: an index in the log."""

    index: str


@dataclass(frozen=True, slots=True)
class AnchorLine:
    """A checkpoint that the chain holds."""

    size: int
    root: str
    note_hash: str
    block: int
    tx: str
    at: int


@dataclass(frozen=True, slots=True)
class LeafLine:
    """An entry in a list; ``anchored`` says whether an anchor covers it."""

    index: int
    leaf_hash: str
    seq: int
    accepted_at_ms: int
    anchored: bool


@dataclass(frozen=True, slots=True)
class LogView:
    """The log's present state with its newest anchors and a page of entries, the newest first."""

    origin: str
    vkey: str
    size: int
    checkpoint_size: int
    checkpoint_root: str
    checkpoint: str
    anchored: int
    anchors: tuple[AnchorLine, ...]
    anchor_count: int
    entries: tuple[LeafLine, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an audit path: the neighbour, its side, and the value that the two give."""

    level: int
    is_left: bool
    neighbour: str
    value: str


@dataclass(frozen=True, slots=True)
class ProofView:
    """An entry's inclusion under a root that was signed, and anchored where ``anchor`` says so."""

    index: int
    size: int
    root: str
    leaf_hash: str
    steps: tuple[Step, ...]
    anchor: AnchorLine | None


@dataclass(frozen=True, slots=True)
class Shown:
    """The private part of an entry, in a demonstration's home alone."""

    event: dict[str, object]
    provider: str
    verdict: str
    mismatches: tuple[str, ...]
    flags: tuple[str, ...]
    duty: str
    responsible: Name | None
    agreement: str


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry: its leaf, its proof (None until a checkpoint covers it), and its neighbours in the log."""

    index: int
    size: int
    leaf: LeafV1
    leaf_text: str
    state: str
    included_at_ms: int
    final_at_ms: int
    """Zeros where this process does not know: it was not so yet, or before it started."""
    proof: ProofView | None
    shown: Shown | None


def log_page(services: Services, request: LogPage) -> LogView:
    """Show the log's checkpoint, its anchors and a page of its entries.

    Raises:
        InvalidInputError: ``before`` is no index.
    """
    size = services.log.size()
    if request.before and (not request.before.isascii() or not request.before.isdecimal()):
        raise InvalidInputError("before", request.before, "the index of an entry")
    last = min(int(request.before[:_DIGITS]), size) if request.before else size
    first = max(last - request.limit, 0)
    anchors = services.state.anchors()
    anchored = anchors[-1].event.size if anchors else 0
    note = services.log.checkpoint()
    checkpoint = parse_checkpoint(parse_note(note).text)
    leaves = [parse_leaf(data) for data in services.log.leaves(first, last)]
    entries = [
        LeafLine(first + place, leaf.hash().hex(), leaf.seq, leaf.accepted_at_ms, first + place < anchored)
        for place, leaf in enumerate(leaves)
    ]
    return LogView(
        origin=services.deployment.log_origin,
        vkey=services.deployment.log_vkey,
        size=size,
        checkpoint_size=checkpoint.size,
        checkpoint_root=checkpoint.root.hex(),
        checkpoint=note.decode("utf-8", "replace"),
        anchored=anchored,
        anchors=tuple(anchor_line(recorded) for recorded in reversed(anchors[-request.limit :])),
        anchor_count=len(anchors),
        entries=tuple(reversed(entries)),
        next=str(first) if first > 0 else "",
    )


def entry_page(services: Services, request: EntryPage) -> EntryView:
    """Show an entry with its proof.

    Raises:
        NotFoundError: There is no such entry.
        VerificationError: It does not prove.
    """
    index = _index(services, request.index)
    data = services.log.leaf(index)
    leaf = parse_leaf(data)
    return EntryView(
        index=index,
        size=services.log.size(),
        leaf=leaf,
        leaf_text=data.decode(),
        state=state_of(services, index).value,
        included_at_ms=services.frontiers.included_at(index),
        final_at_ms=services.frontiers.final_at(index),
        proof=_proof(services, index, data),
        shown=_shown(services, index) if services.deployment.demonstration else None,
    )


def anchor_line(recorded: Recorded[CheckpointAnchored]) -> AnchorLine:
    """Return an anchor for showing."""
    return AnchorLine(
        size=recorded.event.size,
        root=recorded.event.root.hex(),
        note_hash=recorded.event.note_hash.hex(),
        block=recorded.block,
        tx=recorded.tx_hash.hex(),
        at=recorded.timestamp,
    )


def path_steps(start: bytes, index: int, size: int, path: Sequence[bytes]) -> tuple[Step, ...]:
    """Return an audit path's steps with the value after each (RFC 9162 §2.1.3.2); the caller checks the last one."""
    inner = (index ^ (size - 1)).bit_length()
    steps: list[Step] = []
    value = start
    for level, neighbour in enumerate(path):
        is_left = level >= inner or bool(index >> level & 1)
        value = node_hash(neighbour, value) if is_left else node_hash(value, neighbour)
        steps.append(Step(level + 1, is_left, neighbour.hex(), value.hex()))
    return tuple(steps)


def _index(services: Services, text: str) -> int:
    fits = text.isascii() and text.isdecimal() and len(text) <= _DIGITS
    if not fits or int(text) >= services.log.size():
        raise NotFoundError("entry", text)
    return int(text)


def _proof(services: Services, index: int, data: bytes) -> ProofView | None:
    """Prove under the first anchor that covers the entry, else under the newest checkpoint."""
    anchored = covering_anchor(services, index)
    if anchored is not None:
        size, root = anchored.event.size, anchored.event.root
    else:
        checkpoint = parse_checkpoint(parse_note(services.log.checkpoint()).text)
        size, root = checkpoint.size, checkpoint.root
    if size <= index:
        return None
    start = leaf_hash(data)
    path = services.log.inclusion_proof(index, size)
    verify_inclusion(start, index, size, path, root)
    return ProofView(
        index=index,
        size=size,
        root=root.hex(),
        leaf_hash=start.hex(),
        steps=path_steps(start, index, size, path),
        anchor=anchor_line(anchored) if anchored is not None else None,
    )


def _shown(services: Services, index: int) -> Shown:
    _, document = opened(services, index)
    event, binding = event_of(document), binding_of(document)
    return _shown_of(services, event, binding)


def _shown_of(services: Services, event: EventV1, binding: Binding) -> Shown:
    return Shown(
        event=dict(to_object(event)),
        provider=event.provider,
        verdict=binding.verdict.value,
        mismatches=tuple(code.value for code in binding.mismatches),
        flags=tuple(flag.value for flag in binding.flags),
        duty=binding.duty.name,
        responsible=post_name(services, binding.responsible_post) if any(binding.responsible_post) else None,
        agreement=event.agreement,
    )
