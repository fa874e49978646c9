"""One frozen record for each contract event, with the event's name, field order and indexed fields.

AgreementSigned.from_log(topics, data)     -> the event, or InvalidInputError

Which of them a log holds is told by ``ledger.domain.event_decoding``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ledger.domain.event_log import Event as Event  # noqa: PLC0414 - callers find it beside its events
from ledger.domain.event_log import Recorded as Recorded  # noqa: PLC0414 - as above
from ledger.domain.records import Terms
from ledger.domain.scalars import INDEXED, Address, Bool, Bytes32, Uint8, Uint16, Uint32, Uint64

TopicBytes32 = Annotated[Bytes32, INDEXED]
TopicAddress = Annotated[Address, INDEXED]
TopicUint8 = Annotated[Uint8, INDEXED]
TopicUint32 = Annotated[Uint32, INDEXED]
TopicUint64 = Annotated[Uint64, INDEXED]


# AgencyRegistry


@dataclass(frozen=True, slots=True)
class AgencyAdmitted(Event):
    """The registrar admitted an agency with its root key."""

    agency: TopicBytes32
    scheme: Bytes32
    root_key: Address
    capacities: Uint32
    profile: Bytes32


@dataclass(frozen=True, slots=True)
class AgencyCapacitiesSet(Event):
    """The registrar changed which roles an agency's posts may hold."""

    agency: TopicBytes32
    capacities: Uint32


@dataclass(frozen=True, slots=True)
class AgencySuspended(Event):
    """The registrar suspended an agency: none of its posts may act."""

    agency: TopicBytes32
    reason: Bytes32


@dataclass(frozen=True, slots=True)
class AgencyReinstated(Event):
    """The registrar let a suspended agency act again."""

    agency: TopicBytes32


@dataclass(frozen=True, slots=True)
class RootReplacementAnnounced(Event):
    """The registrar announced a new root key; it takes effect no earlier than ``effective_at``."""

    agency: TopicBytes32
    new_root: Address
    effective_at: Uint64


@dataclass(frozen=True, slots=True)
class RootReplacementCancelled(Event):
    """An announced root key will not take effect."""

    agency: TopicBytes32


@dataclass(frozen=True, slots=True)
class RootKeyChanged(Event):
    """An agency has another root key."""

    agency: TopicBytes32
    old_root: Address
    new_root: Address


@dataclass(frozen=True, slots=True)
class AgencySucceeded(Event):
    """Another agency takes the place of this one."""

    agency: TopicBytes32
    successor: Bytes32
    effective_at: Uint64


@dataclass(frozen=True, slots=True)
class PostRegistered(Event):
    """An agency set up a post."""

    post: TopicBytes32
    agency: TopicBytes32
    roles: Uint32
    profile: Bytes32


@dataclass(frozen=True, slots=True)
class PostRolesSet(Event):
    """An agency changed what a post may do."""

    post: TopicBytes32
    roles: Uint32


@dataclass(frozen=True, slots=True)
class PostRetired(Event):
    """An agency ended a post."""

    post: TopicBytes32
    reason: Bytes32


@dataclass(frozen=True, slots=True)
class KeyBound(Event):
    """A key speaks for a post in [valid_from, valid_to)."""

    post: TopicBytes32
    key: TopicAddress
    valid_from: Uint64
    valid_to: Uint64


@dataclass(frozen=True, slots=True)
class KeyRetired(Event):
    """A key stopped speaking for its post."""

    post: TopicBytes32
    key: TopicAddress
    at: Uint64
    reason: Bytes32


# Catalogue


@dataclass(frozen=True, slots=True)
class EntryPublished(Event):
    """A version of a dataset's entry was published."""

    dataset: TopicBytes32
    version: TopicUint32
    agency: TopicBytes32
    post: Bytes32
    code: Bytes32
    attribute: Uint8
    grade: Uint8
    review_required: Bool
    law: Bytes32
    content: Bytes32


@dataclass(frozen=True, slots=True)
class EntryWithdrawn(Event):
    """A version of a dataset's entry was withdrawn."""

    dataset: TopicBytes32
    version: TopicUint32
    post: Bytes32
    reason: Bytes32


# AgreementLedger


@dataclass(frozen=True, slots=True)
class AgreementProposed(Event):
    """A version of an agreement was proposed, with all its terms."""

    agreement: TopicBytes32
    version: TopicUint32
    post: TopicBytes32
    terms_hash: Bytes32
    terms: Terms


@dataclass(frozen=True, slots=True)
class AgreementSigned(Event):
    """A party's post signed a version."""

    agreement: TopicBytes32
    version: TopicUint32
    post: TopicBytes32
    party: Bytes32
    signer: Address


@dataclass(frozen=True, slots=True)
class AgreementActivated(Event):
    """The last party signed: the version is in force."""

    agreement: TopicBytes32
    version: TopicUint32


@dataclass(frozen=True, slots=True)
class AgreementSuspended(Event):
    """An agreement does not count until it is resumed."""

    agreement: TopicBytes32
    post: TopicBytes32
    reason: Bytes32
    by_authority: Bool


@dataclass(frozen=True, slots=True)
class AgreementResumed(Event):
    """A suspended agreement counts again."""

    agreement: TopicBytes32
    post: TopicBytes32


@dataclass(frozen=True, slots=True)
class AgreementTerminated(Event):
    """An agreement was ended."""

    agreement: TopicBytes32
    post: TopicBytes32
    reason: Bytes32


@dataclass(frozen=True, slots=True)
class ProposalCancelled(Event):
    """A version that was not active yet was withdrawn."""

    agreement: TopicBytes32
    version: TopicUint32
    post: TopicBytes32
    reason: Bytes32


@dataclass(frozen=True, slots=True)
class DisposalCertified(Event):
    """A party certified that the data are disposed of."""

    agreement: TopicBytes32
    post: TopicBytes32
    party: Bytes32
    certificate: Bytes32


@dataclass(frozen=True, slots=True)
class AgreementDisposed(Event):
    """Every party that received data certified their disposal."""

    agreement: TopicBytes32


# ResponsibilityLedger


@dataclass(frozen=True, slots=True)
class ResponsibilityAssigned(Event):
    """A post was proposed for a duty."""

    assignment: TopicBytes32
    object: TopicBytes32
    duty: TopicUint8
    by_post: Bytes32
    object_kind: Uint8
    assignee: Bytes32
    role: Uint8
    share_bps: Uint16
    valid_from: Uint64
    valid_to: Uint64
    basis: Bytes32
    predecessor: Bytes32


@dataclass(frozen=True, slots=True)
class ResponsibilityAccepted(Event):
    """The assignee took the duty."""

    assignment: TopicBytes32
    object: TopicBytes32
    duty: TopicUint8
    post: Bytes32


@dataclass(frozen=True, slots=True)
class ResponsibilityEnded(Event):
    """An assignment ends at ``at``."""

    assignment: TopicBytes32
    object: TopicBytes32
    duty: TopicUint8
    by_post: Bytes32
    at: Uint64
    cause: Uint8
    reason: Bytes32


# CaseLedger


@dataclass(frozen=True, slots=True)
class CaseAdvanced(Event):
    """A case took a step."""

    case_id: TopicBytes32
    step: TopicUint8
    post: TopicBytes32
    commitment: Bytes32
    aux: Bytes32


@dataclass(frozen=True, slots=True)
class CaseOpened(Event):
    """A notice opened whom a filing was about."""

    case_id: TopicBytes32
    respondent: TopicBytes32
    filing: Bytes32


# CheckpointAnchor


@dataclass(frozen=True, slots=True)
class CheckpointAnchored(Event):
    """A checkpoint's size and root, proved consistent with the one before, were recorded."""

    size: TopicUint64
    root: Bytes32
    note_hash: Bytes32


@dataclass(frozen=True, slots=True)
class OperatorChanged(Event):
    """Another account may anchor."""

    old_operator: TopicAddress
    new_operator: TopicAddress


@dataclass(frozen=True, slots=True)
class LogKeyRotated(Event):
    """Another key signs the log's checkpoints, for a while beside the one before; the hashes are of vkey texts."""

    old_key_hash: TopicBytes32
    new_key_hash: TopicBytes32
    size: Uint64
