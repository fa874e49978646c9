"""The pictures' geometry and the two languages' table."""

from __future__ import annotations

import re
import string
from datetime import UTC
from enum import Enum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.explorer.code_names import CODE_NAMES, TONES
from api.explorer.i18n import UnknownMessageError, choose_language, code_name, translate
from api.explorer.messages import MESSAGES
from api.explorer.pictures import Interval, Lane, merkle_picture, timeline
from ledger.domain import codes, events
from ledger.log.tree import HashList, inclusion_proof, leaf_hash, root_at
from ledger.service.pages.log import path_steps


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
    with pytest.raises(UnknownMessageError):
        code_name("zh", "duty", "NO_SUCH_DUTY")


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("duty", codes.Duty),
        ("role", codes.ResponsibilityRole),
        ("ended", codes.EndCause),
        ("object", codes.ObjectKind),
        ("post_role", codes.PostRole),
        ("attribute", codes.SharingAttribute),
        ("grade", codes.Grade),
        ("delivery", codes.Delivery),
        ("step", codes.CaseStep),
        ("measure", codes.Measure),
        ("state", codes.AgreementStatus),
        ("verdict", codes.Verdict),
        ("verdict", codes.Mismatch),
        ("flag", codes.Flag),
        ("kind", codes.EventKind),
        ("side", codes.Side),
        ("outcome", codes.Outcome),
    ],
)
def test_every_code_of_the_ledger_has_its_words(kind: str, wanted: type[Enum]) -> None:
    """No page fails on a code that a record may hold."""
    assert {code.name for code in wanted} <= set(CODE_NAMES[kind])


def test_every_event_that_a_page_lists_has_its_words() -> None:
    """The histories of agreements and responsibilities are shown in words, and what an answer rests on besides."""
    shown = ("Agreement", "Responsibility", "Proposal", "Disposal", "Entry", "Agency", "Post", "Key", "Root")
    names = {name for name in vars(events) if name.startswith(shown) and isinstance(getattr(events, name), type)}
    assert names <= set(CODE_NAMES["chain"]), names - set(CODE_NAMES["chain"])


def test_codes_stand_in_both_languages_and_tones_name_codes() -> None:
    """Each code has two different texts where it has Chinese at all, and each colour belongs to a code."""
    for kind, names in CODE_NAMES.items():
        for code, (english, chinese) in names.items():
            assert re.search(r"[A-Za-z]", english), (kind, code)
            assert re.search(r"[\u4e00-\u9fff]", chinese), (kind, code)
    for kind, tones in TONES.items():
        assert set(tones) <= set(CODE_NAMES[kind])


def test_every_message_has_a_caller_and_every_call_a_message(root: Path) -> None:
    """The table holds what the pages say: no less, and nothing that no page says."""
    folder = root / "api" / "explorer"
    sources = [*folder.glob("*.py"), *(folder / "templates").glob("*.html")]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r"""["']([a-z]+(?:\.[a-z0-9]+)*)["']""", text))
    computed = {key for key in MESSAGES if key.startswith(("error.", "count."))}
    assert set(MESSAGES) - computed <= named, sorted(set(MESSAGES) - computed - named)
    called = set(re.findall(r"""\btm?\(\s*["']([a-z0-9.]+)["']\s*[,)]""", text))
    assert called <= set(MESSAGES), sorted(called - set(MESSAGES))


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


def lane(holdings: list[Interval], vacancies: list[tuple[int, int]]) -> Lane:
    """Return a lane of a timeline."""
    return Lane("duty", holdings, vacancies)


def test_timeline_draws_leads_vacancies_and_what_does_not_count_apart() -> None:
    """An accepted lead and a vacancy share the upper lane; what was not accepted lies below and dashed."""
    held = Interval("a", "lead: a", 0, 40, counts=True, is_lead=True)
    proposed = Interval("b", "lead: b", 40, None, counts=False, is_lead=True)
    support = Interval("c", "support: c", 10, 90, counts=True, is_lead=False)
    picture = timeline([lane([held, proposed, support], [(40, 100)])], 100, "vacant", UTC)
    bars = {bar.kind: bar for bar in picture.rows[0].bars}
    assert set(bars) == {"lead", "gap", "proposed", "other"}
    assert bars["lead"].x + bars["lead"].width == pytest.approx(bars["gap"].x)
    assert bars["gap"].x + bars["gap"].width == pytest.approx(picture.now)
    assert bars["proposed"].x + bars["proposed"].width > picture.now
    assert bars["lead"].y == bars["gap"].y < bars["proposed"].y < bars["other"].y


@given(
    st.lists(
        st.tuples(st.integers(0, 2**33), st.one_of(st.none(), st.integers(1, 2**40)), st.booleans(), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 2**33),
)
def test_nothing_is_drawn_outside_the_picture(holdings: list[tuple[int, int | None, bool, bool]], now: int) -> None:
    """Whatever the intervals are, every bar and tick lies inside the picture."""
    intervals = [
        Interval("x", "x", start, None if length is None else start + length, counts=counts, is_lead=is_lead)
        for start, length, counts, is_lead in holdings
    ]
    picture = timeline([lane(intervals, [])], now, "vacant", UTC)
    for bar in picture.rows[0].bars:
        assert 0 <= bar.x <= picture.width
        assert bar.width > 0
        assert bar.x + bar.width <= picture.width
        assert bar.y + bar.height <= picture.height
    assert all(0 <= tick.x <= picture.width for tick in picture.ticks)


def test_timeline_of_nothing_has_no_rows() -> None:
    """An object nobody answered for draws no picture."""
    assert timeline([], 10, "vacant", UTC).rows == ()


def test_merkle_picture_has_a_node_for_each_value_and_neighbour() -> None:
    """A path of two steps shows leaf, parent, root and two neighbours, all inside the picture."""
    picture = merkle_picture(["aa" * 32, "bb" * 32, "cc" * 32], [(True, "dd" * 32), (False, "ee" * 32)])
    assert [node.kind for node in picture.nodes] == ["leaf", "given", "path", "given", "root"]
    assert all(0 <= node.x <= picture.width - picture.node_width for node in picture.nodes)
    assert all(0 <= node.y <= picture.height - picture.node_height for node in picture.nodes)
    assert len(picture.lines) == 4


@given(st.integers(1, 70), st.data())
def test_the_steps_shown_lead_to_the_root(size: int, data: st.DataObject) -> None:
    """Each step's value is what the browser computes, and the last is the tree's root."""
    index = data.draw(st.integers(0, size - 1))
    hashes = HashList([leaf_hash(bytes([number])) for number in range(size)])
    steps = path_steps(leaf_hash(bytes([index])), index, size, inclusion_proof(hashes, index, size))
    last = steps[-1].value if steps else leaf_hash(bytes([index])).hex()
    assert last == root_at(hashes, size).hex()
