"""Which key spoke for a post, and what the post might do: never before it was recorded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import events
from ledger.domain.codes import PostRole
from ledger.domain.errors import IntegrityError
from ledger.domain.key_state import AgencyState, Allowed, Denied, PostState, authority, fold_agency, fold_post
from ledger.domain.scalars import OPEN_END
from tests.domain.factories import Ledger, hash32

AGENCY, POST, PROFILE, REASON = hash32(1), hash32(2), hash32(3), hash32(4)
KEY, OTHER, ROOT, NEW_ROOT = b"\1" * 20, b"\2" * 20, b"\3" * 20, b"\4" * 20
HEAD = PostRole.PROVIDER_OFFICE_HEAD


def post(*made: Any) -> PostState:
    ledger = Ledger()
    for event in (events.PostRegistered(POST, AGENCY, HEAD, PROFILE), *made):
        ledger.add(event)
    state = fold_post(ledger.recorded)
    assert state is not None
    return state


def agency(*made: Any) -> AgencyState:
    ledger = Ledger()
    for event in (events.AgencyAdmitted(AGENCY, hash32(5), ROOT, 0, PROFILE), *made):
        ledger.add(event)
    state = fold_agency(ledger.recorded)
    assert state is not None
    return state


def test_a_key_speaks_from_its_binding_to_its_end() -> None:
    state = post(events.KeyBound(POST, KEY, 1_020, 1_100))
    assert [state.speaks_at(KEY, time) for time in (1_019, 1_020, 1_099, 1_100)] == [False, True, True, False]


def test_a_rotation_passes_the_voice_at_once() -> None:
    state = post(
        events.KeyBound(POST, KEY, 1_020, OPEN_END),
        events.KeyRetired(POST, KEY, 1_030, REASON),
        events.KeyBound(POST, OTHER, 1_040, OPEN_END),
    )
    spoke = [[binding.key for binding in state.keys_at(time)] for time in (1_029, 1_030, 1_040)]
    assert spoke == [[KEY], [], [OTHER]]


def test_roles_and_retirement_count_from_their_block() -> None:
    state = post(events.PostRolesSet(POST, PostRole.INSPECTOR), events.PostRetired(POST, REASON))
    assert [state.roles_at(time) for time in (1_009, 1_010, 1_020, 1_030)] == [
        *(PostRole(0), HEAD, PostRole.INSPECTOR, PostRole(0)),
    ]
    assert [state.is_live_at(time) for time in (1_009, 1_010, 1_029, 1_030)] == [False, True, True, False]


def test_an_agency_is_suspended_reinstated_and_has_one_root() -> None:
    state = agency(
        events.AgencySuspended(AGENCY, REASON),
        events.AgencyReinstated(AGENCY),
        events.AgencyCapacitiesSet(AGENCY, PostRole.INSPECTOR),
        events.RootReplacementAnnounced(AGENCY, NEW_ROOT, 5_000),
        events.RootReplacementCancelled(AGENCY),
        events.RootReplacementAnnounced(AGENCY, NEW_ROOT, 5_000),
        events.RootKeyChanged(AGENCY, ROOT, NEW_ROOT),
        events.AgencySucceeded(AGENCY, hash32(9), 9_000),
    )
    assert [state.is_live_at(time) for time in (1_009, 1_010, 1_020, 1_030)] == [False, True, False, True]
    assert [state.root_at(time) for time in (1_009, 1_010, 1_079, 1_080)] == [None, ROOT, ROOT, NEW_ROOT]
    assert [state.capacities_at(time) for time in (1_039, 1_040)] == [PostRole(0), PostRole.INSPECTOR]
    assert state.announced_root is None
    assert state.succession is not None
    assert state.succession.successor == hash32(9)


@pytest.mark.parametrize(
    ("posts", "agencies", "key", "role", "answer"),
    [
        ([], [], KEY, HEAD, Allowed(AGENCY)),
        ([], [], OTHER, HEAD, Denied("UnauthorisedSigner")),
        ([], [], KEY, PostRole.INSPECTOR, Denied("MissingRole")),
        ([events.PostRetired(POST, REASON)], [], KEY, HEAD, Denied("PostRetired")),
        ([events.KeyRetired(POST, KEY, 1_030, REASON)], [], KEY, HEAD, Denied("UnauthorisedSigner")),
        ([], [events.AgencySuspended(AGENCY, REASON)], KEY, HEAD, Denied("AgencySuspended")),
    ],
)
def test_authority_is_the_rule_of_the_registry(
    posts: list[Any], agencies: list[Any], key: bytes, role: PostRole, answer: object
) -> None:
    state = post(events.KeyBound(POST, KEY, 1_020, OPEN_END), *posts)
    assert authority(state, agency(*agencies), key=key, any_of=role, time=2_000) == answer


@pytest.mark.parametrize(
    "made",
    [
        [events.PostRegistered(POST, AGENCY, HEAD, PROFILE)],
        [events.PostRetired(POST, REASON), events.PostRolesSet(POST, 1)],
        [events.KeyBound(POST, KEY, 1_019, 5_000)],
        [events.KeyRetired(POST, KEY, 1_020, REASON)],
        [events.KeyBound(hash32(99), KEY, 1_020, 5_000)],
        [events.EntryWithdrawn(POST, 1, POST, REASON)],
    ],
)
def test_what_the_registry_never_emits_for_a_post_is_an_integrity_error(made: list[Any]) -> None:
    with pytest.raises(IntegrityError):
        post(*made)


@pytest.mark.parametrize(
    "made",
    [
        [events.AgencyAdmitted(AGENCY, hash32(5), ROOT, 0, PROFILE)],
        [events.AgencySuspended(hash32(99), REASON)],
        [events.RootKeyChanged(AGENCY, NEW_ROOT, ROOT)],
        [events.EntryWithdrawn(AGENCY, 1, POST, REASON)],
    ],
)
def test_what_the_registry_never_emits_for_an_agency_is_an_integrity_error(made: list[Any]) -> None:
    with pytest.raises(IntegrityError):
        agency(*made)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 40), st.none() | st.integers(0, 50)), max_size=5))
def test_keys_equal_a_plain_model_at_every_time(drawn: list[tuple[int, int, int | None]]) -> None:
    ledger = Ledger()
    ledger.add(events.PostRegistered(POST, AGENCY, HEAD, PROFILE))
    spans: list[tuple[bytes, int, int]] = []
    for number, (delay, length, retired) in enumerate(drawn):
        key = bytes([number + 1]) * 20
        start = ledger.time + 10 + delay
        bound = ledger.add(events.KeyBound(POST, key, start, start + length))
        end = start + length
        if retired is not None:
            at = bound.timestamp + 10
            ledger.add(events.KeyRetired(POST, key, at, REASON))
            end = min(end, at)
        spans.append((key, start, end))
    state = fold_post(ledger.recorded)
    assert state is not None
    for time in range(1_000, ledger.time + 90):
        held = [key for key, start, end in spans if start <= time < end]
        assert [binding.key for binding in state.keys_at(time)] == held


def test_a_post_with_an_agencys_id_disturbs_neither() -> None:
    ledger = Ledger()
    ledger.add(events.AgencyAdmitted(AGENCY, hash32(5), ROOT, 0, PROFILE))
    ledger.add(events.PostRegistered(AGENCY, hash32(98), HEAD, PROFILE))
    ledger.add(events.KeyBound(AGENCY, KEY, 1_030, OPEN_END))
    ledger.add(events.RootKeyChanged(AGENCY, ROOT, NEW_ROOT))
    held, stranger = fold_agency(ledger.recorded), fold_post(ledger.recorded)
    assert held is not None
    assert held.roots[-1].key == NEW_ROOT
    assert stranger is not None
    assert (stranger.agency, stranger.speaks_at(KEY, 1_040)) == (hash32(98), True)


def test_a_role_counts_only_while_the_agency_has_the_capacity() -> None:
    state = post(
        events.KeyBound(POST, KEY, 1_020, OPEN_END), events.PostRolesSet(POST, PostRole.INSPECTOR | PostRole.DEPT_HEAD)
    )
    owner = agency(
        events.AgencyCapacitiesSet(AGENCY, PostRole.INSPECTOR), events.AgencyCapacitiesSet(AGENCY, PostRole.REVIEWER)
    )

    def ask(role: PostRole, time: int) -> object:
        return authority(state, owner, key=KEY, any_of=role, time=time)

    lost_at = owner.capacities[-1].since
    assert ask(PostRole.INSPECTOR, lost_at) == Denied("MissingRole")
    assert ask(PostRole.DEPT_HEAD, lost_at) == Allowed(AGENCY)
    assert owner.capacities_at(lost_at - 1) == PostRole.INSPECTOR
