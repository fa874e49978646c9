"""Which event a log of our contracts holds.

decode_log(topics, data)    -> the event, or None when the topic is no event of ours
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain import events
from ledger.domain.event_log import Event, topic0

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENTS: Final[dict[str, tuple[type[Event], ...]]] = {
    "AgencyRegistry": (
        events.AgencyAdmitted,
        events.AgencyCapacitiesSet,
        events.AgencySuspended,
        events.AgencyReinstated,
        events.RootReplacementAnnounced,
        events.RootReplacementCancelled,
        events.RootKeyChanged,
        events.AgencySucceeded,
        events.PostRegistered,
        events.PostRolesSet,
        events.PostRetired,
        events.KeyBound,
        events.KeyRetired,
    ),
    "Catalogue": (events.EntryPublished, events.EntryWithdrawn),
    "AgreementLedger": (
        events.AgreementProposed,
        events.AgreementSigned,
        events.AgreementActivated,
        events.AgreementSuspended,
        events.AgreementResumed,
        events.AgreementTerminated,
        events.ProposalCancelled,
        events.DisposalCertified,
        events.AgreementDisposed,
    ),
    "ResponsibilityLedger": (events.ResponsibilityAssigned, events.ResponsibilityAccepted, events.ResponsibilityEnded),
    "CaseLedger": (events.CaseAdvanced, events.CaseOpened),
    "CheckpointAnchor": (events.CheckpointAnchored, events.OperatorChanged, events.LogKeyRotated),
}
"""Contract → its events."""


_BY_TOPIC: Final[dict[bytes, type[Event]]] = {topic0(event): event for some in EVENTS.values() for event in some}


def decode_log(topics: Sequence[bytes], data: bytes) -> Event | None:
    """Return the event that a log of one of our contracts holds, None for events that are not ours (as OpenZeppelin's).

    Raises:
        InvalidInputError: the topic is ours, but the bytes are not what the contract emits.
    """
    event = _BY_TOPIC.get(topics[0]) if topics else None
    return None if event is None else event.from_log(topics, data)
