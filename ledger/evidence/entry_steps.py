"""The steps about a fact: from its disclosed groups to the anchor, its reporter's signature, and its verdict.

Each function is one numbered step of docs/spec/evidence-v1.md; it returns what it found in words, or raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from ledger.domain import events
from ledger.domain.agreement_state import fold_agreement
from ledger.domain.binding import Bound, bind
from ledger.domain.codes import DUTY_OF_KIND, Duty, Flag
from ledger.domain.commitment import Group, parse_leaf
from ledger.domain.errors import VerificationError
from ledger.domain.event_groups import GROUPS, binding_of_groups, event_of_groups
from ledger.domain.event_v1 import NO_HASH, digest
from ledger.domain.history import known_by_block
from ledger.domain.identifiers import duty_key, parse_post, post_id
from ledger.domain.leaf import stream_id
from ledger.domain.records import EventBatch
from ledger.domain.reporting import EVENT_DEADLINE_MAX_S, MAY_REPORT, Standing, standing
from ledger.domain.responsibility_state import fold_responsibility
from ledger.domain.scalars import ZERO32
from ledger.domain.typed_data import Domain
from ledger.domain.typed_data import digest as signing_digest
from ledger.evidence.file import unhex
from ledger.evidence.histories import AGREEMENTS, RESPONSIBILITIES
from ledger.evidence.signature import recover
from ledger.evidence.trust_root import BINDING_AGE_MAX_S
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.cosignature import CosignatureVerifier
from ledger.log.note import keys_that_signed, parse_note
from ledger.log.proofs import root_from_inclusion, verify_inclusion
from ledger.log.tree import leaf_hash, root_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ledger.domain.binding import Binding
    from ledger.domain.canonical import Json
    from ledger.domain.event_log import Event, Recorded
    from ledger.evidence.authority import Authorities
    from ledger.evidence.blocks import Blocks
    from ledger.evidence.file import Batch, Entry
    from ledger.evidence.file import Group as StatedGroup
    from ledger.evidence.histories import HeadKey
    from ledger.evidence.trust_root import TrustRoot
    from ledger.log.ports import NoteVerifier


@dataclass(frozen=True, slots=True)
class Opened:
    """A commitment with the groups that are disclosed of it."""

    root: bytes
    groups: Mapping[str, Json]
    withheld: int
    """How many hashes stand for what is withheld: each is one group's, or the node above several."""

    def told(self) -> str:
        """Return in words what is disclosed, and what is not."""
        shown = ", ".join(sorted(self.groups)) or "nothing"
        return f"disclosed {shown}" + (f", withheld {self.withheld} hashes of a group or more" if self.withheld else "")


@dataclass(frozen=True, slots=True)
class Claim:
    """What the group ``binding`` says, which the later steps rely on."""

    reporter: str
    agreement: str
    binding: Binding


def open_groups(stated: Sequence[StatedGroup], step: int) -> Opened:
    """Return the commitment over groups in their order, some of them disclosed.

    Raises:
        VerificationError: A group is not well formed, or names do not rise.
    """
    leaves: list[bytes] = []
    opened: dict[str, Json] = {}
    last = ""
    for group in stated:
        if isinstance(group, str):
            leaves.append(unhex(group, "a withheld group"))
            continue
        leaf = Group(*group).leaf()
        found = parse_leaf(leaf)
        if found.name <= last:
            raise VerificationError(step, f"group {found.name!r} stands out of order")
        last = found.name
        opened[last] = found.value
        leaves.append(leaf_hash(leaf))
    if not leaves or any(len(leaf) != len(ZERO32) for leaf in leaves):
        raise VerificationError(step, "a commitment has groups, each withheld one a hash of 32 bytes")
    return Opened(root_of(leaves), opened, len(leaves) - len(opened))


def check_entry(entry: Entry) -> tuple[dict[str, Json], str]:
    """1. The groups give the entry's commitment, and what they say of block and stream is what the entry says.

    Raises:
        VerificationError: They do not.
    """
    leaf, opened = entry.leaf, open_groups(entry.groups, 1)
    if len(entry.groups) != len(GROUPS) or not opened.groups:
        raise VerificationError(1, "an event has three groups, at least one of them disclosed")
    for name, group in zip(GROUPS, entry.groups, strict=True):
        if not isinstance(group, str) and group[1] != name:
            raise VerificationError(1, f"the group {group[1]!r} stands in the place of {name!r}")
    if opened.root.hex() != leaf.commitment:
        raise VerificationError(1, "the groups do not give the entry's commitment")
    if leaf.v != 1 or (leaf.seq == 0) != (leaf.prev == NO_HASH):
        raise VerificationError(1, "the entry is of another version, or does not begin or follow a stream")
    groups = dict(opened.groups)
    if "binding" not in groups:
        if entry.stream_salt:
            raise VerificationError(1, "a stream's salt is shown without the group that it opens")
    else:
        _check_claim(entry, groups)
    return groups, opened.told()


def _check_claim(entry: Entry, groups: Mapping[str, Json]) -> None:
    claim, leaf = claim_of(groups), entry.leaf
    if (claim.binding.block, claim.binding.block_hash.hex()) != (leaf.block, leaf.block_hash):
        raise VerificationError(1, "the binding is at another block than the entry")
    stated: Any = groups["binding"]
    if stated["reporter_seq"] != leaf.seq:
        raise VerificationError(1, "the reporter's number is not the entry's")
    if stream_id(entry.stream_salt, reporter=claim.reporter, agreement=claim.agreement) != leaf.stream:
        raise VerificationError(1, "the entry's stream is not its reporter's and agreement's")


def claim_of(groups: Mapping[str, Json]) -> Claim:
    """Return what the group ``binding`` claims. Raises InvalidInputError if it is not well formed."""
    binding = binding_of_groups(groups)
    stated: Any = groups["binding"]
    reporter, agreement = stated["reporter"], stated["agreement"]
    if not isinstance(reporter, str) or not isinstance(agreement, str) or len(agreement) not in {0, 64}:
        raise VerificationError(1, "the claimed reporter or agreement is no text of its kind")
    if agreement:
        unhex(agreement, "the agreement")
    parse_post(reporter)
    return Claim(reporter, agreement, binding)


def check_inclusion(entry: Entry) -> str:
    """2. The entry is a leaf of the tree that the checkpoint names.

    Raises:
        VerificationError: It is not.
    """
    checkpoint = parse_checkpoint(parse_note(entry.checkpoint.encode()).text)
    path = [bytes.fromhex(node) for node in entry.path]
    verify_inclusion(entry.leaf.hash(), entry.index, checkpoint.size, path, checkpoint.root)
    return f"entry {entry.index} of {checkpoint.size}"


def check_checkpoint(entry: Entry, root: TrustRoot) -> tuple[int, int, str]:
    """3. A key of the log signed the checkpoint, and enough witnesses cosigned it; nobody else did.

    A key that the log had before counts up to its size, and witnesses from theirs on. Each of the log's keys may also
    have cosigned. The numbers are of the witnesses that did and of those that there are.

    Raises:
        VerificationError: A signature is missing or wrong, or of a key that is not in the trust root.
    """
    return check_note(entry.checkpoint.encode(), root)


def check_note(note: bytes, root: TrustRoot) -> tuple[int, int, str]:
    """Check a checkpoint's note by itself. Returns and raises as `check_checkpoint`."""
    checkpoint = parse_checkpoint(parse_note(note).text)
    log_keys = root.log.keys_at(checkpoint.size)
    own = [CosignatureVerifier(key.name, key.public_key) for key in log_keys]
    asked = root.witnesses_at(checkpoint.size)
    witnesses = [CosignatureVerifier.from_vkey(vkey) for vkey in asked.keys]
    lines = [(line.name, line.key_id) for line in parse_note(note).signatures]
    known: list[NoteVerifier] = [*log_keys, *own, *witnesses]
    signed = keys_that_signed(parse_note(note), known)
    if not any((key.name, key.key_id) in signed for key in log_keys):
        raise VerificationError(3, f"no signature of {root.log.origin} by a key that counts at size {checkpoint.size}")
    if checkpoint.origin != root.log.origin:
        raise VerificationError(3, f"the origin is {checkpoint.origin}, not {root.log.origin}")
    if len(signed) != len(lines):
        raise VerificationError(3, "the checkpoint bears a signature twice, or one of an unknown key")
    cosigned = sum(1 for key in witnesses if (key.name, key.key_id) in signed)
    if cosigned < asked.threshold:
        raise VerificationError(3, f"{cosigned} witnesses signed, and {asked.threshold} are needed")
    return (
        cosigned,
        len(witnesses),
        f"signed by {checkpoint.origin}" + (f" and {cosigned} witnesses" if witnesses else ""),
    )


def check_anchor(entry: Entry, blocks: Blocks, root: TrustRoot) -> str:
    """4. The anchor contract recorded just this checkpoint, within a minute of the bound block.

    Raises:
        VerificationError: The receipt shows no such anchor, or it came too late (STALE_BINDING).
    """
    anchored = blocks.event(entry.anchor).recorded
    event = anchored.event
    if not isinstance(event, events.CheckpointAnchored) or anchored.address != root.address("CheckpointAnchor"):
        raise VerificationError(4, "the log in the receipt is no anchor of the trust root's contract")
    note = entry.checkpoint.encode()
    checkpoint = parse_checkpoint(parse_note(note).text)
    stated = (checkpoint.size, checkpoint.root, sha256(note).digest())
    if (event.size, event.root, event.note_hash) != stated:
        raise VerificationError(4, "the anchor is of another checkpoint")
    bound = blocks.header(entry.leaf.block)
    if bound.hash.hex() != entry.leaf.block_hash:
        raise VerificationError(4, f"block {entry.leaf.block} has another hash than the entry is bound at")
    age = anchored.timestamp - bound.timestamp
    if not 0 <= age <= BINDING_AGE_MAX_S:
        raise VerificationError(4, f"STALE_BINDING: the anchor's block came {age} s after the bound block")
    return f"anchored in block {anchored.block} at {anchored.timestamp}, {age} s after the bound block"


def event_base(claim: Claim) -> tuple[list[HeadKey], list[bytes]]:
    """Return the histories that a binding relies on, and the posts that must be known besides those that acted."""
    posts = [post_id(claim.reporter)]
    if claim.binding.responsible_post:
        posts.append(claim.binding.responsible_post)
    if not claim.agreement:
        return [], posts
    about = bytes.fromhex(claim.agreement)
    # A reporter of another agency needs to be entrusted with the duty RECORD; whether it is one, the exchange tells.
    duties = (claim.binding.duty, Duty.RECORD)
    return [(AGREEMENTS, about), *((RESPONSIBILITIES, duty_key(duty, about)) for duty in duties)], posts


def check_reporter(
    entry: Entry, batch: Batch, groups: Mapping[str, Json], blocks: Blocks, root: TrustRoot, authorities: Authorities,
    read: Callable[[str, bytes], Sequence[Recorded[Event]]],
) -> str:  # fmt: skip
    """7. The reporter's key signed the batch that the event came in, and the reporter might report it.

    Raises:
        VerificationError: It did not, or might not.
    """
    event = event_of_groups(groups)
    path = [bytes.fromhex(node) for node in batch.path]
    record = EventBatch(
        post=post_id(event.reporter),
        agreement=bytes.fromhex(event.agreement) if event.agreement else ZERO32,
        count=batch.count,
        root=root_from_inclusion(digest(event), batch.place, batch.count, path),
        nonce=int(batch.nonce),
        deadline=batch.deadline,
    )
    signed = signing_digest(Domain(root.chain_id, root.address("CheckpointAnchor")), record)
    signer = recover(signed, unhex(batch.signature, "the batch's signature"))
    if (event.reporter_seq == 0) != (event.prev_hash == NO_HASH):
        raise VerificationError(7, "the event neither begins its reporter's stream nor follows another")
    bound = blocks.header(entry.leaf.block)
    if batch.deadline < bound.timestamp:
        raise VerificationError(7, "the batch's deadline had passed")
    if batch.deadline - bound.timestamp > EVENT_DEADLINE_MAX_S:
        raise VerificationError(7, f"the batch's deadline is more than {EVENT_DEADLINE_MAX_S} s after the bound block")
    after = (bound.number + 1, 0)
    authorities.check_post(record.post, signer, any_of=MAY_REPORT, before=after, time=bound.timestamp)
    right = standing(
        event,
        parse_post(event.reporter),
        lambda key: read(RESPONSIBILITIES, key),
        block=bound.number,
        time=bound.timestamp,
    )
    if right is None:
        raise VerificationError(7, f"{event.reporter} reports another agency's side, which has not entrusted it")
    told = "" if right is Standing.OWN else f", {right.value}"
    return f"{event.reporter} signed it as event {event.reporter_seq} of its stream{told}"


def check_verdict(
    groups: Mapping[str, Json], root: TrustRoot, read: Callable[[str, bytes], Sequence[Recorded[Event]]]
) -> str:
    """8. The binding is what the event and the histories up to the bound block give.

    Raises:
        VerificationError: It is another.
    """
    # A withheld group ``detail`` plays no part in a verdict.
    detail: dict[str, Json] = {"correlation": "", "size": -1, "source": {}}
    event = event_of_groups({"detail": detail, **groups})
    binding = binding_of_groups(groups)
    duty = DUTY_OF_KIND[event.kind]
    if duty is not binding.duty:
        raise VerificationError(8, f"{event.kind.value} falls under {duty.name}, not {binding.duty.name}")
    agreement, responsibility = None, fold_responsibility(())
    if event.agreement:
        about = bytes.fromhex(event.agreement)
        agreement = fold_agreement(known_by_block(read(AGREEMENTS, about), binding.block))
        duties = known_by_block(read(RESPONSIBILITIES, duty_key(duty, about)), binding.block)
        responsibility = fold_responsibility(duties)
    # Whether keys were made for a demonstration only the operator can tell; the trust root tells it of all.
    demonstration = agreement is not None and (root.demonstration or Flag.DEMONSTRATION in binding.flags)
    again = bind(
        event,
        agreement,
        responsibility,
        Bound(binding.block, binding.block_hash),
        demonstration=demonstration,
    )
    if again != binding:
        found = ", ".join(again.mismatches) or again.verdict.value
        said = ", ".join(binding.mismatches) or binding.verdict.value
        raise VerificationError(8, f"the binding says {said}, and the histories give {found}, or another place in them")
    told = ", ".join(binding.mismatches) or binding.verdict.value
    return told + (f" ({', '.join(binding.flags)})" if binding.flags else "")
