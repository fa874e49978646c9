"""The pictures' geometry and the two languages' table."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.explorer.i18n import MESSAGES, UnknownMessageError, choose_language, translate
from api.explorer.pictures import Interval, merkle_picture, timeline, vacancies


def fields(text: str) -> set[str]:
    """Return the placeholders of a message."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_message_stands_in_both_languages_with_the_same_values() -> None:
    """A page shows the same facts in either language."""
    for key, (english, chinese) in MESSAGES.items():
        assert english
        assert chinese
        assert fields(english) == fields(chinese), key


def test_unknown_message_is_an_error() -> None:
    """A missing text is never shown as its key."""
    with pytest.raises(UnknownMessageError):
        translate("en", "no.such.message")


@pytest.mark.parametrize(
    ("wanted", "header", "language"),
    [
        ("en", "zh", "en"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "", "zh"),
        ("xx", "fr, en;q=0.1", "en"),
        (None, "en;q=oops", "zh"),
    ],
)
def test_language_is_what_is_asked_for_else_what_the_browser_prefers(
    wanted: str | None, header: str, language: str
) -> None:
    """Simplified Chinese where nothing else is wanted."""
    assert choose_language(wanted, header) == language


def test_vacancy_between_two_holders_and_after_the_last_is_shown() -> None:
    """A gap is drawn, and a holder that never accepted fills none."""
    holdings = [
        Interval("a", 0, 10, counts=True),
        Interval("b", 10, 20, counts=False),
        Interval("c", 20, 30, counts=True),
    ]
    assert vacancies(holdings, 40) == [(10, 20), (30, 40)]


@given(
    st.lists(
        st.tuples(st.integers(0, 100), st.integers(1, 50), st.booleans()).map(
            lambda t: Interval("x", t[0], t[0] + t[1], counts=t[2])
        ),
        max_size=8,
    )
)
def test_vacancies_never_overlap_a_counted_holding(holdings: list[Interval]) -> None:
    """Each second from the first counted holding is held or vacant, never both."""
    last = 160
    gaps = vacancies(holdings, last)
    counted = [h for h in holdings if h.counts]
    first = min((h.starts_at for h in counted), default=last)
    for second in range(first, last):
        held = any(h.starts_at <= second < (h.ends_at or last) for h in counted)
        vacant = any(a <= second < b for a, b in gaps)
        assert held != vacant


def test_timeline_of_nothing_has_no_rows() -> None:
    """An object nobody answered for draws no picture."""
    assert timeline([], 10, "vacant").rows == ()


def test_merkle_picture_has_a_node_for_each_value_and_neighbour() -> None:
    """A path of two steps shows leaf, parent, root and two neighbours, all inside the picture."""
    picture = merkle_picture(["aa" * 32, "bb" * 32, "cc" * 32], [(True, "dd" * 32), (False, "ee" * 32)])
    assert len(picture.nodes) == 5
    assert all(0 <= node.x <= picture.width - 132 and 0 <= node.y <= picture.height - 30 for node in picture.nodes)
    assert len(picture.lines) == 4
