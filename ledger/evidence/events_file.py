"""Evidence of many events in one file (docs/spec/evidence-batch-v1.md): blocks, histories and proofs, each once.

The form holds what `ledger.evidence.file` holds for one event, with the audit paths of all entries under one checkpoint
as one multiproof, and those of all events of one signed batch as another. ``entries_of`` gives each event's own entry
back, as a file of it alone would hold it, so each goes through the same steps.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from msgspec import Meta

from ledger.domain import canonical
from ledger.domain.errors import VerificationError
from ledger.domain.event_groups import event_of_groups
from ledger.domain.event_v1 import digest
from ledger.domain.leaf import LeafV1
from ledger.evidence.file import Batch, Block, Entry, Group, Hex32, History, Number, Part, Small, State, read_as
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.multiproof import open_multiproof
from ledger.log.note import parse_note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ledger.domain.canonical import Json

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
    """A fact: its groups, its log entry, and its place in one of the file's batches."""

    batch: Small
    groups: list[Group]
    index: Number
    leaf: LeafV1
    place: Number


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
    state: State
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
    if list(dict.fromkeys(entry.batch for entry in held)) != list(range(len(evidence.batches))):
        raise VerificationError(0, "the batches do not stand in the order of their first entries, or one has none")
    if {entry.leaf.stream for entry in held} != set(evidence.streams):
        raise VerificationError(0, "a stream of an entry lacks its salt, or a salt has no entry")
    return evidence


def print_events(evidence: EventsEvidence) -> bytes:
    """Return the file's bytes. Raises InvalidInputError outside the JSON subset."""
    return canonical.encode(msgspec.to_builtins(evidence))


def entries_of(evidence: EventsEvidence) -> list[Entry]:
    """Return each event's own entry, with the audit paths that the multiproofs give.

    A multiproof of other nodes than the tree's gives paths to another root, which steps 2 and 7 refuse.

    Raises:
        VerificationError: A multiproof has other than the nodes that it needs, or an event's groups are not disclosed.
    """
    in_batches: list[dict[int, bytes]] = [{} for _ in evidence.batches]
    for part in evidence.checkpoints:
        for held in part.entries:
            known = in_batches[held.batch]
            if held.place in known:
                raise VerificationError(7, f"entry {held.index} has the place of another in its batch")
            known[held.place] = digest(event_of_groups(_disclosed(held)))
    batch_paths = [
        open_multiproof(known, batch.count, [bytes.fromhex(node) for node in batch.path])[1]
        for known, batch in zip(in_batches, evidence.batches, strict=True)
    ]
    made: list[Entry] = []
    for part in evidence.checkpoints:
        size = parse_checkpoint(parse_note(part.checkpoint.encode()).text).size
        hashes = {held.index: held.leaf.hash() for held in part.entries}
        _, paths = open_multiproof(hashes, size, [bytes.fromhex(node) for node in part.path])
        for held in part.entries:
            batch = evidence.batches[held.batch]
            made.append(
                Entry(
                    anchor=part.anchor,
                    batch=Batch(
                        count=batch.count,
                        deadline=batch.deadline,
                        nonce=batch.nonce,
                        path=[node.hex() for node in batch_paths[held.batch][held.place]],
                        place=held.place,
                        signature=batch.signature,
                    ),
                    checkpoint=part.checkpoint,
                    groups=held.groups,
                    index=held.index,
                    leaf=held.leaf,
                    path=[node.hex() for node in paths[held.index]],
                    stream_salt=evidence.streams[held.leaf.stream],
                )
            )
    return made


def _disclosed(held: HeldEntry) -> Mapping[str, Json]:
    groups: dict[str, Json] = {}
    for group in held.groups:
        if isinstance(group, str):
            raise VerificationError(1, f"entry {held.index}: in a file of many events all groups are disclosed")
        groups[group[1]] = group[2]
    return groups
