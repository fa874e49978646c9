"""Every signed shape, said once: the Solidity structs of ``contracts/interfaces`` with the same names and order.

A signed shape never changes: a new one is a new class with a new name. ``CONTRACTS`` says which contract
checks a record's signature, and so which address is the ``verifyingContract`` of its domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ledger.domain.record import Record
from ledger.domain.scalars import Address, Bool, Bytes32, Uint8, Uint16, Uint32, Uint64, Uint256

# AgencyRegistry


@dataclass(frozen=True, slots=True)
class AdmitAgency(Record):
    """The registrar admits an agency; its root key signs, to prove possession."""

    agency: Bytes32
    scheme: Bytes32
    root_key: Address
    capacities: Uint32
    profile: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class CancelRootReplacement(Record):
    """The present root key stops a replacement that the registrar announced."""

    agency: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class RegisterPost(Record):
    """An agency's root key sets up a post; the chain derives its id from the agency and ``code``."""

    agency: Bytes32
    code: Bytes32
    roles: Uint32
    profile: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class SetPostRoles(Record):
    """An agency's root key changes what a post may do."""

    agency: Bytes32
    post: Bytes32
    roles: Uint32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class RetirePost(Record):
    """An agency's root key ends a post."""

    agency: Bytes32
    post: Bytes32
    reason: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class BindKey(Record):
    """An agency's root key, and the key itself, bind the key to a post for an interval."""

    agency: Bytes32
    post: Bytes32
    key: Address
    valid_from: Uint64
    valid_to: Uint64
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class RotateKey(Record):
    """An agency's root key, and the new key, replace a post's key."""

    agency: Bytes32
    post: Bytes32
    old_key: Address
    new_key: Address
    valid_to: Uint64
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class RetireKey(Record):
    """An agency's root key ends a key."""

    agency: Bytes32
    post: Bytes32
    key: Address
    reason: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class RotateRoot(Record):
    """An agency's root key, and the new one, replace the root key."""

    agency: Bytes32
    new_root: Address
    nonce: Uint256
    deadline: Uint64


# Catalogue


@dataclass(frozen=True, slots=True)
class PublishEntry(Record):
    """A department head publishes the next version of a dataset's entry."""

    post: Bytes32
    code: Bytes32
    version: Uint32
    attribute: Uint8
    grade: Uint8
    review_required: Bool
    law: Bytes32
    content: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class WithdrawEntry(Record):
    """A department head withdraws a version of an entry."""

    post: Bytes32
    dataset: Bytes32
    version: Uint32
    reason: Bytes32
    nonce: Uint256
    deadline: Uint64


# AgreementLedger


@dataclass(frozen=True, slots=True)
class Grant(Record):
    """One dataset version for one recipient, purpose and delivery, in a half-open window."""

    dataset: Bytes32
    dataset_version: Uint32
    recipient: Bytes32
    purpose: Bytes32
    delivery: Uint8
    valid_from: Uint64
    valid_to: Uint64


@dataclass(frozen=True, slots=True)
class Terms(Record):
    """All that the parties of an agreement's version agree to; ``parties[0]`` is the provider."""

    agreement: Bytes32
    version: Uint32
    provider: Bytes32
    parties: tuple[Bytes32, ...]
    text: Bytes32
    review: Bytes32
    review_valid_until: Uint64
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Propose(Record):
    """A party's office head proposes an agreement, or an amendment of one."""

    post: Bytes32
    terms: Terms
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class Sign(Record):
    """A party's office head signs a version's terms."""

    post: Bytes32
    agreement: Bytes32
    version: Uint32
    terms_hash: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class CancelProposal(Record):
    """A party's office head withdraws a version that is not active yet."""

    post: Bytes32
    agreement: Bytes32
    version: Uint32
    reason: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class Suspend(Record):
    """The provider's office head or a sharing authority suspends an agreement."""

    post: Bytes32
    agreement: Bytes32
    reason: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class Resume(Record):
    """Whoever may suspend lets a suspended agreement go on."""

    post: Bytes32
    agreement: Bytes32
    reason: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class Terminate(Record):
    """A party's office head or a sharing authority ends an agreement."""

    post: Bytes32
    agreement: Bytes32
    reason: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class Dispose(Record):
    """A requester's office head certifies that the data are disposed of."""

    post: Bytes32
    agreement: Bytes32
    certificate: Bytes32
    nonce: Uint256
    deadline: Uint64


# ResponsibilityLedger


@dataclass(frozen=True, slots=True)
class Assign(Record):
    """An office or department head proposes that a post answer for a duty."""

    post: Bytes32
    assignment: Bytes32
    duty: Uint8
    object_kind: Uint8
    object: Bytes32
    assignee: Bytes32
    role: Uint8
    share_bps: Uint16
    valid_from: Uint64
    valid_to: Uint64
    basis: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class Accept(Record):
    """The assignee takes the duty as it was assigned (``content``); only then does the assignment count."""

    post: Bytes32
    assignment: Bytes32
    content: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class HandOver(Record):
    """Ends an assignment at a time and proposes its successor from that time."""

    post: Bytes32
    assignment: Bytes32
    successor_assignment: Bytes32
    to_post: Bytes32
    at: Uint64
    basis: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class Vacate(Record):
    """Ends an assignment without a successor, or revokes one that was not accepted."""

    post: Bytes32
    assignment: Bytes32
    at: Uint64
    reason: Bytes32
    nonce: Uint256
    deadline: Uint64


# CaseLedger


@dataclass(frozen=True, slots=True)
class Advance(Record):
    """A post takes a case one step further."""

    post: Bytes32
    case_id: Bytes32
    step: Uint8
    commitment: Bytes32
    aux: Bytes32
    nonce: Uint256
    deadline: Uint64


# Read by the service only, under CheckpointAnchor's address


@dataclass(frozen=True, slots=True)
class EventBatch(Record):
    """A reporter signs the RFC 6962 root over the digests of a batch's events."""

    post: Bytes32
    agreement: Bytes32
    count: Uint64
    root: Bytes32
    nonce: Uint256
    deadline: Uint64


@dataclass(frozen=True, slots=True)
class ReadAsPost(Record):
    """A post reads what only parties may see; ``target`` is keccak256 of what is read."""

    post: Bytes32
    target: Bytes32
    nonce: Uint256
    deadline: Uint64


_CLASSES: Final[dict[str, tuple[type[Record], ...]]] = {
    "AgencyRegistry": (
        AdmitAgency,
        CancelRootReplacement,
        RegisterPost,
        SetPostRoles,
        RetirePost,
        BindKey,
        RotateKey,
        RetireKey,
        RotateRoot,
    ),
    "Catalogue": (PublishEntry, WithdrawEntry),
    "AgreementLedger": (Propose, Sign, CancelProposal, Suspend, Resume, Terminate, Dispose),
    "ResponsibilityLedger": (Assign, Accept, HandOver, Vacate),
    "CaseLedger": (Advance,),
    "CheckpointAnchor": (EventBatch, ReadAsPost),
}

SERVICE_ONLY: Final = frozenset({EventBatch, ReadAsPost})
"""Records that no contract takes: the service alone checks their signatures."""

CONTRACTS: Final[dict[type[Record], str]] = {
    record: contract for contract, records in _CLASSES.items() for record in records
}
"""Signed record class → the contract whose address its domain names."""
