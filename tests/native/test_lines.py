"""Compiled code reads of any bytes what Python reads of them, or refuses them as Python does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.domain.event_v1 import encode_event
from ledger.log.tree import leaf_hash
from ledger.native.lines import NativeLines
from ledger.service.batch_lines import PythonLines
from ledger.service.event_batches import place_events
from ledger.service.read_ahead import ReadAhead, read_ahead
from tests.domain.factories import event
from tests.native.compiled import compiled
from tests.native.signed import AGREEMENT, body_of

if TYPE_CHECKING:
    from ledger.domain.event_v1 import EventV1

# Text that is plain, that JSON escapes, that is not ASCII, not NFC, or not to be seen.
TEXT = st.text(st.sampled_from('aZ09 .:/_-~"\\\n\t\x00\x1f\x7f\u00e9\u4e2d\u200b\u0301e\U0001f600'), max_size=8)
NAMES = TEXT | st.text("abc-09", min_size=1, max_size=12) | st.sampled_from(["x" * 200, "x" * 201, "\u4e2d" * 200])
VALUES = TEXT | st.integers(-(2**53), 2**53) | st.sampled_from(["x" * 2_000, "x" * 2_001, -1, 0])
OWN = st.fixed_dictionaries(
    {},
    optional={
        "id": NAMES,
        "correlation": NAMES,
        "occurred_at_ms": st.integers(0, 2**53 - 1) | st.sampled_from([0, 999, 1_000, 1_001]),
        "size": st.integers(-1, 2**53 - 1) | st.just(-1),
        "source": st.dictionaries(st.text("ab-Z \x7f\u00e9", max_size=3), VALUES, max_size=4),
        "side": st.sampled_from(["PROVIDER", "CONSUMER"]),
        "purpose": st.sampled_from(["", "dpv:Marketing", "no code"]),
        "grant": st.integers(-2, 3),
        "version": st.integers(0, 2),
    },
)
SALT = b"\x07\x01\x09"


@pytest.fixture(autouse=True)
def _built() -> None:
    compiled()


def random(count: int) -> bytes:
    return (SALT * (count // 3 + 1))[:count]


def events_of(changes: list[dict[str, Any]]) -> list[EventV1]:
    made = [msgspec.structs.replace(event(agreement=AGREEMENT, id=f"e-{i}"), **one) for i, one in enumerate(changes)]
    return list(place_events(made, next_seq=5, prev_hash=b"\x03" * 32))


def both(body: bytes) -> tuple[ReadAhead | None, ReadAhead | None]:
    return (
        read_ahead(body, PythonLines.of, random),
        read_ahead(body, NativeLines.of, random),
    )


@settings(max_examples=500)
@given(changes=st.lists(OWN, min_size=1, max_size=6), end=st.sampled_from([b"\n", b""]))
@example(
    changes=[{}, {"correlation": "\u4e2d\u6587"}, {"correlation": "", "source": {"a": 1, "b": "\u00e9"}}], end=b"\n"
)
@example(changes=[{"source": {"side": "PROVIDER"}, "side": "CONSUMER"}, {"side": "PROVIDER"}], end=b"")
def test_events_are_read_alike(changes: list[dict[str, Any]], end: bytes) -> None:
    """Whatever a field holds, allowed or not, both read the same or both refuse."""
    lines = [encode_event(one) for one in events_of(changes)]
    slow, fast = both(body_of(lines, end=end))
    assert fast == slow


def test_usual_events_are_read() -> None:
    """The comparison is of something: plain events are read, and in as many kinds as there are."""
    lines = [encode_event(one) for one in events_of([{"occurred_at_ms": 500 * i} for i in range(300)])]
    slow, fast = both(body_of(lines))
    assert slow is not None
    assert fast == slow
    assert (fast.count, len(fast.kinds)) == (300, 150)


@settings(max_examples=500)
@given(data=st.data())
def test_altered_lines_are_read_alike_or_refused_by_both(data: st.DataObject) -> None:
    """Bytes put in, taken out or altered; what follows is chained to it."""
    lines = [encode_event(one) for one in events_of([{"source": {"a": "b", "c": 12}}, {}, {"size": 3}])]
    place = data.draw(st.integers(0, 2))
    line = bytearray(lines[place])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(line) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"0", b"-", b" ", b'"', b"\\", b"}", b",", b"\xff", b"\xc3\xa9", b"1e5"])
        )
        line[at : at + data.draw(st.integers(0, 2))] = piece
    lines[place] = bytes(line)
    for later in range(place + 1, 3):
        stated = b'"prev_hash":"%b"' % leaf_hash(lines[later - 1]).hex().encode()
        lines[later] = re.sub(rb'"prev_hash":"[0-9a-f]{64}"', stated, lines[later])
    slow, fast = both(body_of(lines))
    assert fast == slow


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"size":3', b'"size":03'), (b'"size":3', b'"size":-0'), (b'"size":3', b'"size":-2'),
        (b'"size":3', b'"size":3.0'), (b'"size":3', b'"size":9007199254740992'),
        (b'"size":3', b'"size":99999999999999999999'),
        (b'"a":1', b'"a":-0'), (b'"a":1', b'"a":1,"a":1'), (b'"a":1', b'"b":1,"a":1'), (b'"a":1', b'"a":true'),
        (b'"a":1', b'"a":null'), (b'"a":1', b'"a":{}'), (b'"a":1', b'"":1'), (b'"a":1', b'"a":1,'),
        (b'"a":1', b'"\\u0061":1'),
        (b'"a":1', b'"a":"\\/"'), (b'"a":1', b'"a":"\\u00e9"'), (b'"a":1', b'"a":"\xed\xa0\x80"'),
        (b'"id":"e-0"', b'"id":" e"'), (b'"id":"e-0"', b'"id":""'), (b'"id":"e-0"', b'"id":"e\\u0000"'),
        (b'"version":0', b'"version":00'), (b'"version":0', b'"version":"0"'), (b'"grant":-1', b'"grant":-01'),
        (b'"kind":"DELIVERY"', b'"kind":"STORAGE"'), (b'"kind":"DELIVERY"', b'"kind":"NOTHING"'),
        (b'{"agreement"', b' {"agreement"'), (b'{"agreement"', b'{"agreement" '), (b'"version":0}', b'"version":0}}'),
        (b'"version":0}', b'"version":0} '), (b'"version":0}', b'"version":0,"x":1}'),
        (b'"version":0}', b'"version":0}\n'),
        (b'"version":0}', b'"version":0}\\'), (b'"reporter_seq":5', b'"reporter_seq":6'),
    ],
)  # fmt: skip
def test_each_other_spelling_is_read_alike(old: bytes, new: bytes) -> None:
    line = encode_event(events_of([{"size": 3, "source": {"a": 1}}])[0])
    assert line.count(old) == 1
    slow, fast = both(body_of([line.replace(old, new)]))
    assert fast == slow


def test_a_body_that_ends_anywhere_is_refused() -> None:
    """Nothing is read beyond the end, wherever it is."""
    lines = [encode_event(one) for one in events_of([{"source": {"a": "\\" * 40, "b": "\u00e9" * 20}}, {}])]
    text = b"\n".join(lines)
    assert NativeLines.of(text) is not None
    for end in range(len(text)):
        read = NativeLines.of(text[:end])
        assert (read is not None) == (end in {len(lines[0]), len(lines[0]) + 1})


def test_an_event_that_does_not_follow_is_refused() -> None:
    lines = [encode_event(one) for one in events_of([{}, {}, {}])]
    for wrong in (lines[::-1], [lines[0], lines[2]], [lines[0], lines[0]]):
        assert both(body_of(wrong)) == (None, None)


def test_more_kinds_than_are_kept_are_refused_by_both() -> None:
    lines = [encode_event(one) for one in events_of([{"occurred_at_ms": 1_000 * i} for i in range(4_097)])]
    assert [
        read_lines is None for read_lines in (PythonLines.of(b"\n".join(lines)), NativeLines.of(b"\n".join(lines)))
    ] == [
        True,
        True,
    ]
    assert NativeLines.of(b"\n".join(lines[:4_096])) is not None
