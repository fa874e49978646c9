"""Agencies, posts and keys as their events tell them: which key spoke for a post, and what the post might do.

Authority never reaches back: a key's interval begins no earlier than the block that bound it, and a change of
roles, a suspension or a retirement counts from its block's time. Times are Unix seconds.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain import events
from ledger.domain.codes import COMMON_ROLES, PostRole
from ledger.domain.errors import IntegrityError
from ledger.domain.history import in_order
from ledger.domain.scalars import OPEN_END

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ledger.domain.event_log import Event, Recorded


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """One key of a post, for [valid_from, end)."""

    key: bytes
    valid_from: int
    valid_to: int
    bound_at: int
    bound_block: int
    retired_at: int | None = None
    retired_reason: bytes = b""

    @property
    def end(self) -> int:
        """Where the interval ends."""
        to = self.valid_to or OPEN_END
        return to if self.retired_at is None else min(to, self.retired_at)

    def speaks_at(self, time: int) -> bool:
        """Say whether the key spoke for its post at ``time``."""
        return max(self.valid_from, self.bound_at) <= time < self.end


@dataclass(frozen=True, slots=True)
class Since:
    """A value that counts from a time until the next one."""

    value: int
    since: int


@dataclass(frozen=True, slots=True)
class PostState:
    """A post after some of its events."""

    post: bytes
    agency: bytes
    profile: bytes
    registered_at: int
    roles: tuple[Since, ...]
    keys: tuple[KeyBinding, ...] = ()
    retired_at: int | None = None
    retired_reason: bytes = b""

    def roles_at(self, time: int) -> PostRole:
        """Return what the post might do at ``time``; nothing before it existed or after it was retired."""
        if not self.is_live_at(time):
            return PostRole(0)
        return PostRole(_value_at(self.roles, time))

    def is_live_at(self, time: int) -> bool:
        """Say whether the post existed and was not retired at ``time``."""
        return self.registered_at <= time and (self.retired_at is None or time < self.retired_at)

    def keys_at(self, time: int) -> tuple[KeyBinding, ...]:
        """Return the keys that spoke for the post at ``time``."""
        if not self.is_live_at(time):
            return ()
        return tuple(binding for binding in self.keys if binding.speaks_at(time))

    def speaks_at(self, key: bytes, time: int) -> bool:
        """Say whether ``key`` spoke for the post at ``time``."""
        return any(binding.key == key for binding in self.keys_at(time))


@dataclass(frozen=True, slots=True)
class RootKey:
    """An agency's root key from a time on."""

    key: bytes
    since: int


@dataclass(frozen=True, slots=True)
class Succession:
    """The agency that takes another's place."""

    successor: bytes
    effective_at: int


@dataclass(frozen=True, slots=True)
class AgencyState:
    """An agency after some of its events."""

    agency: bytes
    scheme: bytes
    profile: bytes
    admitted_at: int
    capacities: tuple[Since, ...]
    roots: tuple[RootKey, ...]
    suspensions: tuple[Since, ...] = ()
    announced_root: RootKey | None = None
    succession: Succession | None = None

    def is_live_at(self, time: int) -> bool:
        """Say whether the agency was admitted and not suspended at ``time``."""
        return self.admitted_at <= time and not _value_at(self.suspensions, time)

    def capacities_at(self, time: int) -> PostRole:
        """Return the roles that its posts might hold at ``time`` beyond the common ones."""
        return PostRole(_value_at(self.capacities, time))

    def root_at(self, time: int) -> bytes | None:
        """Return the root key at ``time``."""
        return next((root.key for root in reversed(self.roots) if root.since <= time), None)


@dataclass(frozen=True, slots=True)
class Allowed:
    """The key might act for the post."""

    agency: bytes


@dataclass(frozen=True, slots=True)
class Denied:
    """The key might not act for the post, and why: the name of the contract's error."""

    reason: str


def authority(post: PostState, agency: AgencyState, *, key: bytes, any_of: PostRole, time: int) -> Allowed | Denied:
    """Return whether ``key`` might act for ``post`` in one of the roles at ``time``: the rule of ``authorise``."""
    if not post.is_live_at(time):
        return Denied("PostRetired")
    if not post.speaks_at(key, time):
        return Denied("UnauthorisedSigner")
    if agency.agency != post.agency or not agency.is_live_at(time):
        return Denied("AgencySuspended")
    if not post.roles_at(time) & (agency.capacities_at(time) | COMMON_ROLES) & any_of:
        return Denied("MissingRole")
    return Allowed(agency.agency)


AGENCY_EVENTS: Final = (
    events.AgencyAdmitted,
    events.AgencyCapacitiesSet,
    events.AgencySuspended,
    events.AgencyReinstated,
    events.RootReplacementAnnounced,
    events.RootReplacementCancelled,
    events.RootKeyChanged,
    events.AgencySucceeded,
)
POST_EVENTS: Final = (
    events.PostRegistered,
    events.PostRolesSet,
    events.PostRetired,
    events.KeyBound,
    events.KeyRetired,
)


def fold_post(history: Iterable[Recorded[Event]]) -> PostState | None:
    """Return a post after all events of its head; None without events.

    An agency may give a post the id of an agency; the two share a head, and neither's events are the other's.

    Raises:
        IntegrityError: an event of another post, out of order, or one that the contract refuses.
    """
    state: PostState | None = None
    for recorded in in_order(history, "post"):
        if not isinstance(recorded.event, AGENCY_EVENTS):
            state = _apply_post(state, recorded)
    return state


def fold_agency(history: Iterable[Recorded[Event]]) -> AgencyState | None:
    """Return an agency after all events of its head; None without events. A post of the same id plays no part.

    Raises:
        IntegrityError: as `fold_post`.
    """
    state: AgencyState | None = None
    for recorded in in_order(history, "agency"):
        if not isinstance(recorded.event, POST_EVENTS):
            state = _apply_agency(state, recorded)
    return state


def _apply_post(state: PostState | None, recorded: Recorded[Event]) -> PostState:
    event, at = recorded.event, recorded.timestamp
    if isinstance(event, events.PostRegistered):
        if state is not None:
            raise _refusal(recorded, "a post is registered once")
        return PostState(event.post, event.agency, event.profile, at, (Since(event.roles, at),))
    if state is None or getattr(event, "post", None) != state.post:
        raise _refusal(recorded, "an event before the post's registration, or of another post")
    if state.retired_at is not None:
        raise _refusal(recorded, "the post is retired")
    match event:
        case events.PostRolesSet():
            return dataclasses.replace(state, roles=(*state.roles, Since(event.roles, at)))
        case events.PostRetired():
            return dataclasses.replace(state, retired_at=at, retired_reason=event.reason)
        case events.KeyBound():
            if event.valid_from < at:
                raise _refusal(recorded, "a key is never bound into the past")
            binding = KeyBinding(event.key, event.valid_from, event.valid_to, at, recorded.block)
            return dataclasses.replace(state, keys=(*state.keys, binding))
        case events.KeyRetired():
            return dataclasses.replace(state, keys=_retire(state.keys, event, recorded))
        case _:
            raise _refusal(recorded, "not a post's event")


def _retire(
    keys: tuple[KeyBinding, ...], event: events.KeyRetired, recorded: Recorded[Event]
) -> tuple[KeyBinding, ...]:
    for place in range(len(keys) - 1, -1, -1):
        binding = keys[place]
        if binding.key == event.key and binding.retired_at is None:
            retired = dataclasses.replace(binding, retired_at=event.at, retired_reason=event.reason)
            return (*keys[:place], retired, *keys[place + 1 :])
    raise _refusal(recorded, "the key is not bound to the post")


def _apply_agency(state: AgencyState | None, recorded: Recorded[Event]) -> AgencyState:
    event, at = recorded.event, recorded.timestamp
    if isinstance(event, events.AgencyAdmitted):
        if state is not None:
            raise _refusal(recorded, "an agency is admitted once")
        return AgencyState(
            agency=event.agency,
            scheme=event.scheme,
            profile=event.profile,
            admitted_at=at,
            capacities=(Since(event.capacities, at),),
            roots=(RootKey(event.root_key, at),),
        )
    if state is None or getattr(event, "agency", None) != state.agency:
        raise _refusal(recorded, "an event before the agency's admission, or of another agency")
    match event:
        case events.AgencyCapacitiesSet():
            return dataclasses.replace(state, capacities=(*state.capacities, Since(event.capacities, at)))
        case events.AgencySuspended():
            return dataclasses.replace(state, suspensions=(*state.suspensions, Since(1, at)))
        case events.AgencyReinstated():
            return dataclasses.replace(state, suspensions=(*state.suspensions, Since(0, at)))
        case events.RootReplacementAnnounced():
            return dataclasses.replace(state, announced_root=RootKey(event.new_root, event.effective_at))
        case events.RootReplacementCancelled():
            return dataclasses.replace(state, announced_root=None)
        case events.RootKeyChanged():
            if event.old_root != state.roots[-1].key:
                raise _refusal(recorded, "the old root key is another")
            return dataclasses.replace(state, roots=(*state.roots, RootKey(event.new_root, at)), announced_root=None)
        case events.AgencySucceeded():
            return dataclasses.replace(state, succession=Succession(event.successor, event.effective_at))
        case _:
            raise _refusal(recorded, "not an agency's event")


def _value_at(values: tuple[Since, ...], time: int) -> int:
    return next((known.value for known in reversed(values) if known.since <= time), 0)


def _refusal(recorded: Recorded[Event], reason: str) -> IntegrityError:
    return IntegrityError(
        "registry", reason, event=type(recorded.event).__name__, block=recorded.block, log_index=recorded.log_index
    )
