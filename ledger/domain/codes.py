"""The code lists: every number on chain and every fixed word in an event, with its meaning.

The numbers are the wire of the contracts (``contracts/interfaces``); a code is never reused or renumbered.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag, StrEnum
from typing import Final


class Delivery(IntEnum):
    """How data reach the recipient."""

    INTERFACE = 1
    BATCH = 2
    FILE = 3
    COMPUTE_TO_DATA = 4
    VERIFY_ONLY = 5


class Duty(IntEnum):
    """What a post can answer for."""

    SOURCE_QUALITY = 1
    AUTHORISE = 2
    DELIVER = 3
    CORRECT = 4
    USE_WITHIN_SCOPE = 5
    PROTECT = 6
    RECORD = 7
    DISPOSE = 8
    CATALOGUE = 9
    RETURN_FLOW = 10
    SUPERVISE = 11
    OPERATE_PLATFORM = 12


class ResponsibilityRole(IntEnum):
    """In what way a post answers for a duty."""

    LEAD = 1
    SUPPORT = 2
    SUPERVISE = 3
    ENTRUSTED = 4


class ObjectKind(IntEnum):
    """What a duty is about."""

    DATASET = 1
    AGREEMENT = 2
    PLATFORM = 3


class SharingAttribute(IntEnum):
    """Whether a catalogue entry may be shared."""

    UNCONDITIONAL = 1
    CONDITIONAL = 2
    NOT_SHARED = 3


class Grade(IntEnum):
    """How sensitive a catalogue entry is."""

    GENERAL = 1
    IMPORTANT = 2
    CORE = 3


class PostRole(IntFlag):
    """What a post may do: the bits of ``roles`` in the registry."""

    PROVIDER_OFFICE_HEAD = 1
    REQUESTER_OFFICE_HEAD = 2
    DEPT_HEAD = 4
    SHARING_AUTHORITY = 8
    SUPERIOR = 16
    INSPECTOR = 32
    REVIEWER = 64
    ASSESSOR = 128
    PLATFORM_OPERATOR = 256
    REPORTER = 512


COMMON_ROLES: Final = (
    PostRole.PROVIDER_OFFICE_HEAD | PostRole.REQUESTER_OFFICE_HEAD | PostRole.DEPT_HEAD | PostRole.REPORTER
)
"""Roles that posts of any agency may hold; the others need the same bit in the agency's capacities."""

ALL_ROLES: Final = PostRole(2**10 - 1)


class AgreementStatus(IntEnum):
    """Where an agreement stands."""

    NONE = 0
    PROPOSED = 1
    ACTIVE = 2
    SUSPENDED = 3
    TERMINATED = 4
    DISPOSED = 5
    CANCELLED = 6


class EndCause(IntEnum):
    """Why a responsibility ended."""

    HANDED_OVER = 1
    VACATED = 2
    REVOKED = 3


class CaseStep(IntEnum):
    """A step of a case; 8 is unused."""

    LEAD = 1
    FILED = 2
    FACTS_TOLD = 3
    DECIDED = 4
    NOTICE_ISSUED = 5
    RECTIFYING = 6
    EVIDENCE_FILED = 7
    VERIFIED = 9
    REWORK = 10
    CLOSED = 11
    APPEAL_FILED = 12
    APPEAL_UPHELD = 13
    APPEAL_VARIED = 14
    APPEAL_REVOKED = 15
    WITHDRAWN = 16
    REOPENED = 17
    NO_ACTION = 18


class Measure(StrEnum):
    """What a decision orders, in order of weight. The Decree sets no fines."""

    ORDER_TO_CORRECT = "ORDER_TO_CORRECT"
    INTERVIEW = "INTERVIEW"
    NOTICE = "NOTICE"
    SUSPEND_ACCESS = "SUSPEND_ACCESS"
    TERMINATE_SHARE = "TERMINATE_SHARE"
    REFER_DISCIPLINE = "REFER_DISCIPLINE"
    REFER_CRIME = "REFER_CRIME"


class EventKind(StrEnum):
    """What a usage event reports."""

    DELIVERY = "DELIVERY"
    ACCESS = "ACCESS"
    STORAGE = "STORAGE"
    DESTRUCTION = "DESTRUCTION"


class Side(StrEnum):
    """Whose record it is."""

    PROVIDER = "PROVIDER"
    CONSUMER = "CONSUMER"


class Outcome(StrEnum):
    """How the exchange ended, as its reporter says."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


class Tier(StrEnum):
    """Who may read a private document."""

    PUBLIC = "PUBLIC"
    PARTIES = "PARTIES"
    AUTHORITY = "AUTHORITY"
    INSPECTOR = "INSPECTOR"
    SEALED = "SEALED"


class PartyRole(StrEnum):
    """A party's side of an agreement."""

    PROVIDER = "PROVIDER"
    REQUESTER = "REQUESTER"


class Verdict(StrEnum):
    """Whether an event lies within what was agreed. An alert, never a finding."""

    WITHIN_SCOPE = "WITHIN_SCOPE"
    MISMATCH = "MISMATCH"


class Mismatch(StrEnum):
    """In what an event departs from what was agreed, in the order in which verdicts list them."""

    NO_AGREEMENT = "NO_AGREEMENT"
    NOT_IN_FORCE = "NOT_IN_FORCE"
    SUSPENDED = "SUSPENDED"
    TERMINATED = "TERMINATED"
    WRONG_VERSION = "WRONG_VERSION"
    PROVIDER_MISMATCH = "PROVIDER_MISMATCH"
    REQUESTER_NOT_PARTY = "REQUESTER_NOT_PARTY"
    DATASET_NOT_GRANTED = "DATASET_NOT_GRANTED"
    RECIPIENT_NOT_GRANTED = "RECIPIENT_NOT_GRANTED"
    PURPOSE_NOT_GRANTED = "PURPOSE_NOT_GRANTED"
    DELIVERY_NOT_GRANTED = "DELIVERY_NOT_GRANTED"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    REVIEW_EXPIRED = "REVIEW_EXPIRED"
    NO_RESPONSIBLE_POST = "NO_RESPONSIBLE_POST"


class Flag(StrEnum):
    """What a reader of a verdict must know, although it does not change the verdict."""

    RECORDED_LATER = "RECORDED_LATER"
    NO_SECURITY_REVIEW = "NO_SECURITY_REVIEW"
    DEMONSTRATION = "DEMONSTRATION"


DUTY_OF_KIND: Final[dict[EventKind, Duty]] = {
    EventKind.DELIVERY: Duty.DELIVER,
    EventKind.ACCESS: Duty.USE_WITHIN_SCOPE,
    EventKind.STORAGE: Duty.PROTECT,
    EventKind.DESTRUCTION: Duty.DISPOSE,
}
"""Which duty's LEAD answers for an event; the object is always the agreement."""
