"""An agreement as its events tell it: versions, signatures, and in what status it was when.

The transitions are those of the AgreementLedger contract; an event that the contract could not have emitted
is an `IntegrityError`. Times are Unix seconds; statuses count from the time of the block that recorded them,
windows and reviews from the times that the terms state.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain import events
from ledger.domain.codes import AgreementStatus
from ledger.domain.errors import IntegrityError
from ledger.domain.history import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.domain.event_log import Event, Recorded
    from ledger.domain.records import Terms

_OPEN: Final = (AgreementStatus.ACTIVE, AgreementStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Signature:
    """A party's signature of a version."""

    party: bytes
    post: bytes
    signer: bytes
    signed_at: int
    block: int


@dataclass(frozen=True, slots=True)
class AgreementVersion:
    """One version: its terms, and how far it got."""

    version: int
    terms: Terms
    terms_hash: bytes
    proposed_by: bytes
    proposed_at: int
    signatures: tuple[Signature, ...] = ()
    activated_at: int | None = None
    activated_block: int | None = None
    cancelled_at: int | None = None

    @property
    def missing(self) -> tuple[bytes, ...]:
        """The parties that have not signed, in the order of the terms."""
        signed = {signature.party for signature in self.signatures}
        return tuple(party for party in self.terms.parties if party not in signed)


@dataclass(frozen=True, slots=True)
class StatusPeriod:
    """A status and when it began to count; it ends where the next begins."""

    status: AgreementStatus
    since: int
    block: int
    post: bytes = b""
    reason: bytes = b""


@dataclass(frozen=True, slots=True)
class Disposal:
    """A party's certificate that it disposed of the data."""

    party: bytes
    post: bytes
    certificate: bytes
    certified_at: int


@dataclass(frozen=True, slots=True)
class AgreementState:
    """An agreement after some of its events; the last period is the present status."""

    agreement: bytes
    versions: tuple[AgreementVersion, ...]
    periods: tuple[StatusPeriod, ...]
    disposals: tuple[Disposal, ...] = ()
    suspended_by_authority: bool = False

    @property
    def status(self) -> AgreementStatus:
        """The status after the last event."""
        return self.periods[-1].status

    @property
    def active_version(self) -> AgreementVersion | None:
        """The newest version that was activated."""
        return next((v for v in reversed(self.versions) if v.activated_at is not None), None)

    @property
    def pending_version(self) -> AgreementVersion | None:
        """The version that waits for signatures."""
        last = self.versions[-1]
        return last if last.activated_at is None and last.cancelled_at is None else None

    def version(self, number: int) -> AgreementVersion | None:
        """Return the last proposal of a version number (a cancelled one may be proposed anew)."""
        return next((v for v in reversed(self.versions) if v.version == number), None)

    def status_at(self, time: int) -> AgreementStatus:
        """Return the status at ``time``; NONE before the proposal."""
        period = next((p for p in reversed(self.periods) if p.since <= time), None)
        return AgreementStatus.NONE if period is None else period.status

    def version_at(self, time: int) -> AgreementVersion | None:
        """Return the version that counts at ``time``.

        It is the newest one activated by then. Terms may reach back: before the first activation it is the
        first activated version, whose windows say how far back it goes. None if none was ever activated.
        """
        activated = [v for v in self.versions if v.activated_at is not None]
        by_then = [v for v in activated if v.activated_at is not None and v.activated_at <= time]
        if by_then:
            return by_then[-1]
        return activated[0] if activated else None


def fold_agreement(history: Iterable[Recorded[Event]]) -> AgreementState | None:
    """Return the agreement after ``history``, all events of one agreement in chain order; None without events.

    An agreement's id may have been chosen to be the head key of a (recipient, dataset). The two then share a head, and
    later proposals of other agreements under it play no part here.

    Raises:
        IntegrityError: an event of another agreement, out of order, or one that the contract refuses.
    """
    state: AgreementState | None = None
    for recorded in in_order(history, "agreement"):
        if state is None or not _is_other_proposal(state, recorded.event):
            state = apply_agreement(state, recorded)
    return state


def _is_other_proposal(state: AgreementState, event: Event) -> bool:
    return isinstance(event, events.AgreementProposed) and event.agreement != state.agreement


def agreement_at(history: Iterable[Recorded[Event]], *, known_at: int) -> AgreementState | None:
    """Return the agreement as it was known at a time: the fold of what was recorded by then."""
    return fold_agreement(recorded for recorded in history if recorded.timestamp <= known_at)


def apply_agreement(state: AgreementState | None, recorded: Recorded[Event]) -> AgreementState:
    """Return the agreement after one more event.

    Raises:
        IntegrityError: the event is another agreement's, or the contract could not have emitted it now.
    """
    event, at = recorded.event, recorded.timestamp
    if isinstance(event, events.AgreementProposed):
        return _propose(state, event, recorded)
    if state is None:
        raise _refusal(recorded, "an agreement starts with its proposal")
    if getattr(event, "agreement", None) != state.agreement:
        raise _refusal(recorded, "an event of another agreement")
    match event:
        case events.AgreementSigned():
            return _sign(state, event, recorded)
        case events.AgreementActivated():
            return _activate(state, event, recorded)
        case events.ProposalCancelled():
            return _cancel(state, event, recorded)
        case events.AgreementSuspended():
            if not event.by_authority or state.suspended_by_authority:
                _require(state, recorded, AgreementStatus.ACTIVE)
            _require(state, recorded, *_OPEN)
            period = StatusPeriod(AgreementStatus.SUSPENDED, at, recorded.block, event.post, event.reason)
            return _with_period(state, period, by_authority=event.by_authority)
        case events.AgreementResumed():
            _require(state, recorded, AgreementStatus.SUSPENDED)
            return _with_period(state, StatusPeriod(AgreementStatus.ACTIVE, at, recorded.block, event.post))
        case events.AgreementTerminated():
            _require(state, recorded, *_OPEN)
            period = StatusPeriod(AgreementStatus.TERMINATED, at, recorded.block, event.post, event.reason)
            return _with_period(state, period)
        case events.DisposalCertified():
            return _dispose(state, event, recorded)
        case events.AgreementDisposed():
            return _with_period(state, StatusPeriod(AgreementStatus.DISPOSED, at, recorded.block))
        case _:
            raise _refusal(recorded, "not an agreement's event")


def _propose(
    state: AgreementState | None, event: events.AgreementProposed, recorded: Recorded[Event]
) -> AgreementState:
    version = AgreementVersion(
        version=event.version,
        terms=event.terms,
        terms_hash=event.terms_hash,
        proposed_by=event.post,
        proposed_at=recorded.timestamp,
    )
    if event.terms.agreement != event.agreement or event.terms.version != event.version:
        raise _refusal(recorded, "terms of another agreement or version")
    if state is None:
        if event.version != 1:
            raise _refusal(recorded, "the first version is 1")
        period = StatusPeriod(AgreementStatus.PROPOSED, recorded.timestamp, recorded.block, event.post)
        return AgreementState(event.agreement, (version,), (period,))
    active = state.active_version
    if event.agreement != state.agreement or active is None or event.version != active.version + 1:
        raise _refusal(recorded, "an amendment follows the active version")
    _require(state, recorded, *_OPEN)
    if state.pending_version is not None:
        raise _refusal(recorded, "one version waits for signatures at a time")
    return dataclasses.replace(state, versions=(*state.versions, version))


def _pending(state: AgreementState, number: int, recorded: Recorded[Event]) -> AgreementVersion:
    pending = state.pending_version
    if pending is None or pending.version != number:
        raise _refusal(recorded, "no such version waits for signatures")
    return pending


def _sign(state: AgreementState, event: events.AgreementSigned, recorded: Recorded[Event]) -> AgreementState:
    pending = _pending(state, event.version, recorded)
    if event.party not in pending.missing:
        raise _refusal(recorded, "a party signs once, and only parties sign")
    signature = Signature(event.party, event.post, event.signer, recorded.timestamp, recorded.block)
    signed = dataclasses.replace(pending, signatures=(*pending.signatures, signature))
    return dataclasses.replace(state, versions=(*state.versions[:-1], signed))


def _activate(state: AgreementState, event: events.AgreementActivated, recorded: Recorded[Event]) -> AgreementState:
    pending = _pending(state, event.version, recorded)
    if pending.missing:
        raise _refusal(recorded, "activation needs every party's signature")
    active = dataclasses.replace(pending, activated_at=recorded.timestamp, activated_block=recorded.block)
    state = dataclasses.replace(state, versions=(*state.versions[:-1], active))
    if state.status is not AgreementStatus.PROPOSED:
        return state  # An amendment changes the terms, not the status: a suspension outlives it.
    return _with_period(state, StatusPeriod(AgreementStatus.ACTIVE, recorded.timestamp, recorded.block))


def _cancel(state: AgreementState, event: events.ProposalCancelled, recorded: Recorded[Event]) -> AgreementState:
    pending = _pending(state, event.version, recorded)
    cancelled = dataclasses.replace(pending, cancelled_at=recorded.timestamp)
    state = dataclasses.replace(state, versions=(*state.versions[:-1], cancelled))
    if state.status is not AgreementStatus.PROPOSED:
        return state
    return _with_period(
        state, StatusPeriod(AgreementStatus.CANCELLED, recorded.timestamp, recorded.block, event.post, event.reason)
    )


def _dispose(state: AgreementState, event: events.DisposalCertified, recorded: Recorded[Event]) -> AgreementState:
    _require(state, recorded, *_OPEN, AgreementStatus.TERMINATED)
    if event.party in {disposal.party for disposal in state.disposals}:
        raise _refusal(recorded, "a party certifies once")
    disposal = Disposal(event.party, event.post, event.certificate, recorded.timestamp)
    return dataclasses.replace(state, disposals=(*state.disposals, disposal))


def _with_period(state: AgreementState, period: StatusPeriod, *, by_authority: bool = False) -> AgreementState:
    return dataclasses.replace(state, periods=(*state.periods, period), suspended_by_authority=by_authority)


def _require(state: AgreementState, recorded: Recorded[Event], *allowed: AgreementStatus) -> None:
    if state.status not in allowed:
        raise _refusal(recorded, f"not allowed while {state.status.name}")


def _refusal(recorded: Recorded[Event], reason: str) -> IntegrityError:
    return IntegrityError(
        "agreement", reason, event=type(recorded.event).__name__, block=recorded.block, log_index=recorded.log_index
    )
