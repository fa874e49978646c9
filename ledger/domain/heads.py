"""Running heads: the hash chain that each contract keeps of all events of an object, recomputed from raw logs.

    head = keccak256(abi.encode(previousHead, block.number, block.timestamp, eventDigest))
    eventDigest = keccak256(topic0 ‖ … ‖ topicN ‖ data), of the log exactly as emitted

So a history that leaves out, adds, alters or reorders one event gives another head than the contract's storage.
`head_keys` says which heads an event advances; the contracts and this table must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain import events
from ledger.domain.identifiers import duty_key, entry_key, recipient_key
from ledger.domain.keccak import keccak256
from ledger.domain.scalars import WORD_BYTES, ZERO32

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ledger.domain.event_log import Event

EMPTY_HEAD: Final = ZERO32
"""The head of an object about which nothing was ever recorded: the empty storage slot."""

HEADS_SLOT: Final = 0
"""The storage slot of ``mapping(bytes32 => bytes32) _heads`` in every contract that has heads."""


def event_digest(topics: Sequence[bytes], data: bytes) -> bytes:
    """Return what a contract folds into the heads for one log."""
    return keccak256(b"".join(topics) + data)


def advance(head: bytes, *, block: int, timestamp: int, digest: bytes) -> bytes:
    """Return the head after one more event."""
    return keccak256(head + block.to_bytes(WORD_BYTES, "big") + timestamp.to_bytes(WORD_BYTES, "big") + digest)


def fold_head(steps: Iterable[tuple[int, int, bytes]], head: bytes = EMPTY_HEAD) -> bytes:
    """Return the head after events given as (block number, block timestamp, event digest), in chain order."""
    for block, timestamp, digest in steps:
        head = advance(head, block=block, timestamp=timestamp, digest=digest)
    return head


def head_slot(key: bytes) -> bytes:
    """Return the storage slot that holds the head of ``key``."""
    return keccak256(key + HEADS_SLOT.to_bytes(WORD_BYTES, "big"))


def head_keys(event: Event) -> tuple[bytes, ...]:
    """Return the keys of the heads that the event's contract advances, in the order in which it does."""
    match event:
        case events.PostRegistered() | events.PostRolesSet() | events.PostRetired():
            return (event.post,)
        case events.KeyBound() | events.KeyRetired():
            return (event.post,)
        case (
            events.AgencyAdmitted()
            | events.AgencyCapacitiesSet()
            | events.AgencySuspended()
            | events.AgencyReinstated()
            | events.RootReplacementAnnounced()
            | events.RootReplacementCancelled()
            | events.RootKeyChanged()
            | events.AgencySucceeded()
        ):
            return (event.agency,)
        case events.EntryPublished() | events.EntryWithdrawn():
            return entry_key(event.dataset, event.version), event.dataset
        case events.AgreementProposed():
            pairs = dict.fromkeys(recipient_key(grant.recipient, grant.dataset) for grant in event.terms.grants)
            return event.agreement, *pairs
        case (
            events.AgreementSigned()
            | events.AgreementActivated()
            | events.AgreementSuspended()
            | events.AgreementResumed()
            | events.AgreementTerminated()
            | events.ProposalCancelled()
            | events.DisposalCertified()
            | events.AgreementDisposed()
        ):
            return (event.agreement,)
        case events.ResponsibilityAssigned() | events.ResponsibilityAccepted() | events.ResponsibilityEnded():
            return (duty_key(event.duty, event.object),)
        case events.CaseAdvanced() | events.CaseOpened():
            return (event.case_id,)
        case _:  # CheckpointAnchor keeps no heads: its own root is one.
            return ()
