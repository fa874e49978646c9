"""The rows that the index port gives: what stands now, each with the event it came from.

What was true at a past time is not asked of rows: `Histories.history` returns an object's events up to a
block, and the domain folds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

OPEN_END = 2**64 - 1
"""The end of a window that has none, as the contracts store it."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the cursor of the next page (empty on the last one)."""

    rows: tuple[Row, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Source:
    """The event that a row came from; ``recorded_at`` is its block's Unix time."""

    block_number: int
    block_hash: bytes
    log_index: int
    tx_hash: bytes
    recorded_at: int


@dataclass(frozen=True, slots=True)
class AgencyRow:
    """An agency as it stands now."""

    agency: bytes
    scheme: bytes
    root_key: bytes
    capacities: int
    profile: bytes
    suspended: bool
    successor: bytes
    source: Source


@dataclass(frozen=True, slots=True)
class PostRow:
    """A post as it stands now."""

    post: bytes
    agency: bytes
    roles: int
    profile: bytes
    retired: bool
    source: Source


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key's binding to a post; ``valid_to`` is the earlier of its term and its retirement."""

    post: bytes
    key: bytes
    valid_from: int
    valid_to: int
    source: Source


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One version of a dataset's catalogue entry."""

    dataset: bytes
    version: int
    agency: bytes
    post: bytes
    dataset_code: bytes
    attribute: int
    grade: int
    review_required: bool
    law: bytes
    content: bytes
    withdrawn: bool
    source: Source


@dataclass(frozen=True, slots=True)
class GrantRow:
    """One grant of one agreement version; ``ordinal`` is its index in the terms."""

    agreement: bytes
    version: int
    ordinal: int
    provider: bytes
    dataset: bytes
    dataset_version: int
    recipient: bytes
    purpose: bytes
    delivery: int
    valid_from: int
    valid_to: int
    source: Source


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """An agreement: its newest version's terms, the version in force (0 for none) and its state code."""

    agreement: bytes
    version: int
    version_in_force: int
    state: int
    provider: bytes
    parties: tuple[bytes, ...]
    terms_hash: bytes
    text: bytes
    review: bytes
    review_valid_until: int
    source: Source


@dataclass(frozen=True, slots=True)
class SignatureRow:
    """A party's signature under one version."""

    agreement: bytes
    version: int
    post: bytes
    party: bytes
    signer: bytes
    source: Source


@dataclass(frozen=True, slots=True)
class StatusRow:
    """A status that an agreement entered; ``until`` is the start of the next one or OPEN_END."""

    agreement: bytes
    state: int
    version: int
    since: int
    until: int
    post: bytes
    reason: bytes
    by_authority: bool
    source: Source


@dataclass(frozen=True, slots=True)
class ResponsibilityRow:
    """An assignment of a duty; times are 0 where the step has not happened."""

    assignment: bytes
    object: bytes
    duty: int
    object_kind: int
    by_post: bytes
    assignee: bytes
    role: int
    share_bps: int
    valid_from: int
    valid_to: int
    basis: bytes
    predecessor: bytes
    accepted_at: int
    ended_at: int
    end_cause: int
    source: Source


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case: its last step. ``respondent`` is empty while the case is sealed."""

    case_id: bytes
    step: int
    steps: int
    respondent: bytes
    filing: bytes
    source: Source


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """A checkpoint anchored on chain."""

    size: int
    root: bytes
    note_hash: bytes
    source: Source


@dataclass(frozen=True, slots=True)
class FactRow:
    """One leaf of the log with what its vault document says; ids are the texts' hashes on chain."""

    leaf_index: int
    stream: bytes
    seq: int
    commitment: bytes
    bound_block: int
    bound_block_hash: bytes
    accepted_at_ms: int
    occurred_at_ms: int
    event_id: str
    kind: str
    side: str
    provider: str
    requester: str
    dataset: str
    purpose: str
    recipient: str
    outcome: str
    correlation: str
    reporter: str
    agreement: bytes
    version: int
    grant: int
    verdict: str
    mismatches: tuple[str, ...]
    flags: tuple[str, ...]
    duty: int
    responsible_post: str


@dataclass(frozen=True, slots=True)
class Counters:
    """Totals that anyone may see. Sealed cases are in none of them."""

    agencies: int
    posts: int
    dataset_entries: int
    agreements: int
    agreements_in_force: int
    responsibilities: int
    notices: int
    events: int
    events_within_scope: int
    events_anchored: int
    streams: int
    anchors: int


@dataclass(frozen=True, slots=True)
class FactFilter:
    """What facts are wanted; None leaves a field open, times are half-open in milliseconds."""

    agreement: bytes | None = None
    provider: str | None = None
    requester: str | None = None
    dataset: str | None = None
    reporter: str | None = None
    verdict: str | None = None
    correlation: str | None = None
    occurred_from_ms: int | None = None
    occurred_to_ms: int | None = None
