"""Evidence of many events in one file (docs/spec/evidence-batch-v1.md): blocks, histories and proofs, each once.

The form holds what `ledger.evidence.file` holds for one event, with the audit paths of all entries under one checkpoint
as one multiproof, and those of all events of one signed batch as another. ``entries_of`` gives each event's own entry
back, as a file of it alone would hold it, so each goes through the same steps. Groups may be withheld, the same ones of
each event: a step that does not apply then applies to none of them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from ledger.domain import canonical
from ledger.domain.errors import VerificationError
from ledger.domain.event_groups import GROUPS, event_of_groups
from ledger.domain.event_v1 import digest
from ledger.domain.leaf import LeafV1
from ledger.evidence.file import Batch, Block, Entry, Group, Hex32, History, Number, Part, Small, State, read_as
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.multiproof import open_multiproof
from ledger.log.note import parse_note

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMAT: Final = "quanze-evidence-batch-v1"
BEGINNING: Final = b'{"batches":'
"""How the canonical bytes of this form begin, and those of no other."""

MAX_EVENTS: Final = 10_000


class SignedBatch(Part, frozen=True, kw_only=True):
    """A reporter's signature over a batch, and the multiproof of those of its events that the file holds."""

    count: Number
    deadline: Number
    nonce: Annotated[str, Meta(pattern="^(0|[1-9][0-9]{0,77})$", max_length=78)]
    path: list[Hex32]
    signature: str


class HeldEntry(Part, frozen=True, kw_only=True):
    """A fact: its groups, its log entry, and its place in one of the file's batches unless a group is withheld."""

    batch: Small | None
    groups: list[Group]
    index: Number
    leaf: LeafV1
    place: Number | None


class Anchored(Part, frozen=True, kw_only=True):
    """A checkpoint, its anchor, and the entries that were first anchored by it, with their multiproof."""

    anchor: tuple[Number, Small, Small]
    checkpoint: str
    entries: Annotated[list[HeldEntry], Meta(min_length=1, max_length=MAX_EVENTS)]
    path: list[Hex32]


class EventsEvidence(Part, frozen=True, kw_only=True):
    """The whole file."""

    batches: Annotated[list[SignedBatch], Meta(max_length=MAX_EVENTS)]
    blocks: list[Block]
    checkpoints: Annotated[list[Anchored], Meta(min_length=1, max_length=MAX_EVENTS)]
    format: Literal["quanze-evidence-batch-v1"]
    histories: list[History]
    kind: Literal["events", "stream"]
    state: State | None
    streams: dict[Hex32, str]
    subject: dict[str, str]


def parse_events(data: bytes) -> EventsEvidence:
    """Return the file that these bytes are.

    Raises:
        VerificationError: They are not its canonical form, or a member is missing, unknown or of another kind.
    """
    evidence = read_as(EventsEvidence, data)
    held = [entry for part in evidence.checkpoints for entry in part.entries]
    if any(first.index >= second.index for first, second in pairwise(held)):
        raise VerificationError(0, "the entries do not stand in the order of the log, or one stands twice")
    if any(first.anchor >= second.anchor for first, second in pairwise(evidence.checkpoints)):
        raise VerificationError(0, "the checkpoints do not stand in the order of their anchors")
    shown = shown_groups(evidence)
    for entry in held:
        if _names(entry.groups) != _names(held[0].groups):
            raise VerificationError(0, f"entry {entry.index} does not disclose the groups that the first one does")
        if (entry.batch is None, entry.place is None) != ((shown != GROUPS),) * 2:
            raise VerificationError(0, f"entry {entry.index} has a place in a batch just when all groups are disclosed")
    used = [] if shown != GROUPS else list(dict.fromkeys(entry.batch for entry in held))
    if used != list(range(len(evidence.batches))):
        raise VerificationError(0, "the batches do not stand in the order of their first entries, or one has none")
    opened = {entry.leaf.stream for entry in held} if "binding" in shown or evidence.kind == "stream" else set()
    if opened != set(evidence.streams):
        raise VerificationError(0, "a stream of an entry lacks its salt, or a salt is shown that opens nothing")
    return evidence


def print_events(evidence: EventsEvidence) -> bytes:
    """Return the file's bytes. Raises InvalidInputError outside the JSON subset."""
    return canonical.encode(msgspec.to_builtins(evidence))


def shown_groups(evidence: EventsEvidence) -> tuple[str, ...]:
    """Return the names of the groups that are disclosed, those of the first entry: `parse_events` has compared them."""
    return tuple(name for name in _names(evidence.checkpoints[0].entries[0].groups) if name is not None)


def entries_of(evidence: EventsEvidence) -> list[Entry]:
    """Return each event's own entry, with the audit paths that the multiproofs give.

    A multiproof of other nodes than the tree's gives paths to another root, which steps 2 and 7 refuse.

    Raises:
        VerificationError: A multiproof has other than the nodes that it needs, or two entries one place in a batch.
    """
    batches = _batches_of(evidence)
    is_bound = "binding" in shown_groups(evidence)
    made: list[Entry] = []
    for part in evidence.checkpoints:
        size = parse_checkpoint(parse_note(part.checkpoint.encode()).text).size
        hashes = {held.index: held.leaf.hash() for held in part.entries}
        _, paths = open_multiproof(hashes, size, [bytes.fromhex(node) for node in part.path])
        made += [
            Entry(
                anchor=part.anchor,
                batch=batches.get(held.index),
                checkpoint=part.checkpoint,
                groups=held.groups,
                index=held.index,
                leaf=held.leaf,
                path=[node.hex() for node in paths[held.index]],
                stream_salt=evidence.streams[held.leaf.stream] if is_bound else "",
            )
            for held in part.entries
        ]
    return made


def _batches_of(evidence: EventsEvidence) -> dict[int, Batch]:
    """Return index → the batch as a file of that entry alone would hold it; none where a group is withheld."""
    members: list[dict[int, HeldEntry]] = [{} for _ in evidence.batches]
    for part in evidence.checkpoints:
        for held in part.entries:
            if held.batch is None or held.place is None:
                continue
            if held.place in members[held.batch]:
                raise VerificationError(7, f"entry {held.index} has the place of another in its batch")
            members[held.batch][held.place] = held
    made: dict[int, Batch] = {}
    for batch, known in zip(evidence.batches, members, strict=True):
        digests = {place: digest(event_of_groups(_opened(held.groups))) for place, held in known.items()}
        _, paths = open_multiproof(digests, batch.count, [bytes.fromhex(node) for node in batch.path])
        for place, held in known.items():
            made[held.index] = Batch(
                count=batch.count,
                deadline=batch.deadline,
                nonce=batch.nonce,
                path=[node.hex() for node in paths[place]],
                place=place,
                signature=batch.signature,
            )
    return made


def _names(groups: Sequence[Group]) -> tuple[str | None, ...]:
    """Return the name of each group that is disclosed, None in the place of one that is withheld."""
    return tuple(None if isinstance(group, str) else group[1] for group in groups)


def _opened(groups: Sequence[Group]) -> dict[str, Any]:
    return {group[1]: group[2] for group in groups if not isinstance(group, str)}
