"""Three groups hold an event and its binding, and give both back exactly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain.binding import Binding
from ledger.domain.codes import Duty, Flag, Mismatch, Verdict
from ledger.domain.commitment import recommit, verify_openings
from ledger.domain.errors import InvalidInputError
from ledger.domain.event_groups import GROUPS, binding_of_groups, commit_event, event_groups, event_of_groups
from ledger.domain.event_v1 import EventV1, digest
from tests.domain.factories import event
from tests.domain.strategies import bytes32
from tests.domain.test_event_v1 import events

SALTS = (b"\1" * 32, b"\2" * 32, b"\3" * 32)


def make_binding(mismatches: set[Mismatch], flags: set[Flag], agreement: bytes, post: bytes, number: int) -> Binding:
    return Binding(
        verdict=Verdict.MISMATCH if mismatches else Verdict.WITHIN_SCOPE,
        mismatches=tuple(code for code in Mismatch if code in mismatches),
        flags=tuple(flag for flag in Flag if flag in flags),
        agreement=agreement,
        version=number,
        grant=number - 1,
        duty=Duty.PROTECT,
        responsible_post=post,
        block=number,
        block_hash=b"\5" * 32,
    )


bindings = st.builds(
    make_binding,
    st.sets(st.sampled_from(list(Mismatch))),
    st.sets(st.sampled_from(list(Flag))),
    st.just(b"") | bytes32,
    st.just(b"") | bytes32,
    st.integers(0, 2**32),
)


@given(events, bindings)
def test_event_and_binding_come_back_from_the_openings(made: EventV1, binding: Binding) -> None:
    commitment = commit_event(made, binding, SALTS)
    assert recommit(commitment.by_name()) == commitment
    opened = verify_openings(commitment.root, commitment.disclose(commitment.by_name()))
    assert tuple(opened) == GROUPS
    assert event_of_groups(opened) == made
    assert digest(event_of_groups(opened)) == digest(made)
    assert binding_of_groups(opened) == binding


def test_a_withheld_group_hides_the_event_and_shows_the_rest() -> None:
    binding = make_binding(set(), set(), b"", b"", 1)
    commitment = commit_event(event(), binding, SALTS)
    opened = verify_openings(commitment.root, commitment.disclose(["binding"]))
    assert binding_of_groups(opened) == binding
    with pytest.raises(InvalidInputError, match="detail"):
        event_of_groups(opened)
    with pytest.raises(InvalidInputError, match="binding"):
        binding_of_groups(verify_openings(commitment.root, commitment.disclose(["exchange"])))


@pytest.mark.parametrize("salts", [(), SALTS[:2], (SALTS[0], SALTS[0], SALTS[1]), (b"\1", b"\2", b"\3")])
def test_salts_are_three_and_differ(salts: Any) -> None:
    with pytest.raises(InvalidInputError, match="salt"):
        commit_event(event(), make_binding(set(), set(), b"", b"", 1), salts)


@pytest.mark.parametrize(
    ("group", "changes"),
    [
        ("binding", {"extra": 1}),
        ("binding", {"verdict": ["FINE"]}),
        ("binding", {"verdict": "NO_AGREEMENT"}),
        ("binding", {"duty": "CORRECT"}),
        ("binding", {"block": -1}),
        ("binding", {"block_hash": "00"}),
        ("binding", {"responsible_post": "x" * 64}),
    ],
)
def test_a_group_with_other_members_is_refused(group: str, changes: dict[str, Any]) -> None:
    groups: dict[str, Any] = dict(event_groups(event(), make_binding(set(), set(), b"", b"", 1)))
    groups[group] = {**groups[group], **changes}
    with pytest.raises(InvalidInputError):
        binding_of_groups(groups)
    if "extra" in changes:
        with pytest.raises(InvalidInputError):
            event_of_groups(groups)
