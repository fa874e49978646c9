"""Geometry of the explorer's two pictures: who was LEAD when, and an entry's Merkle path. Pure.

Shapes carry classes, not colours: the style sheet draws them, and each has a text beside it in a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

_LABEL_WIDTH: Final = 168
_CHART_WIDTH: Final = 700
_AFTER_NOW: Final = 40
"""Room right of the present, where what goes on is drawn on."""
_TOP: Final = 30
_LEAD_HEIGHT: Final = 22
_OTHER_HEIGHT: Final = 9
_LANE_GAP: Final = 4
_ROW_GAP: Final = 14
_TICKS: Final = 5
_DAY: Final = 86_400
_LABEL_ROOM: Final = 7.0
"""Width of a letter in a bar's label, at most."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One holding: ``ends_at`` None is open-ended; times are Unix seconds; ``counts`` once accepted."""

    label: str
    title: str
    starts_at: int
    ends_at: int | None
    counts: bool
    is_lead: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """A duty as the picture takes it."""

    label: str
    holdings: Sequence[Interval]
    vacancies: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A drawn part of a row; ``kind`` is lead, other, proposed or gap, ``label`` empty where it does not fit."""

    x: float
    y: float
    width: float
    height: int
    kind: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """A duty's row."""

    y: int
    height: int
    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled time on the axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture in SVG user units; ``now`` is the present's place on the axis."""

    width: int
    height: int
    now: float
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]


def timeline(lanes: Sequence[Lane], now: int, vacant: str, zone: tzinfo) -> Timeline:
    """Draw one row for each duty from its first holding to ``now``; what goes on is drawn beyond it.

    Args:
        lanes: The duties, in the order in which they stand below each other.
        now: The present.
        vacant: What a vacancy is called.
        zone: The time zone of the axis.
    """
    starts = [interval.starts_at for lane in lanes for interval in lane.holdings]
    if not starts:
        return Timeline(0, 0, 0, (), ())
    first = min(*starts, now - 1)
    scale = _CHART_WIDTH / (now - first)
    edge = float(_LABEL_WIDTH + _CHART_WIDTH + _AFTER_NOW)

    def place(at: int | None) -> float:
        return edge if at is None else min(round(_LABEL_WIDTH + (at - first) * scale, 1), edge)

    rows: list[Row] = []
    y = _TOP
    for lane in lanes:
        rows.append(_row(lane, y, place, vacant))
        y += rows[-1].height + _ROW_GAP
    times = [first + (now - first) * part // _TICKS for part in range(_TICKS)]
    ticks = tuple(Tick(place(at), _moment(at, now - first, zone)) for at in times)
    return Timeline(int(edge) + 4, y, place(now), ticks, tuple(rows))


def _row(lane: Lane, y: int, place: Callable[[int | None], float], vacant: str) -> Row:
    bars = [_bar(place(start), y, place(end), "gap", vacant, vacant) for start, end in lane.vacancies]
    below = y + _LEAD_HEIGHT + _LANE_GAP
    for holding in lane.holdings:
        begin, end = place(holding.starts_at), place(holding.ends_at)
        if holding.is_lead and holding.counts:
            bars.append(_bar(begin, y, end, "lead", holding.label, holding.title))
            continue
        kind = "other" if holding.counts else "proposed"
        bars.append(Bar(begin, below, max(2.0, round(end - begin, 1)), _OTHER_HEIGHT, kind, "", holding.title))
        below += _OTHER_HEIGHT + _LANE_GAP
    return Row(y, below - _LANE_GAP - y, lane.label, tuple(bars))


def _bar(begin: float, y: int, end: float, kind: str, label: str, title: str) -> Bar:
    width = max(2.0, round(end - begin, 1))
    letters = sum(2 if ord(letter) > 0x2E80 else 1 for letter in label)
    return Bar(begin, y, width, _LEAD_HEIGHT, kind, label if letters * _LABEL_ROOM + 12 < width else "", title)


def _moment(at: int, span: int, zone: tzinfo) -> str:
    """Return a time as exact as the axis is long."""
    moment = datetime.fromtimestamp(at, tz=zone)
    if span >= 10 * _DAY:
        return moment.strftime("%Y-%m-%d")
    return moment.strftime("%m-%d %H:%M" if span >= _DAY // 4 else "%H:%M:%S")


_NODE_WIDTH: Final = 112
_NODE_HEIGHT: Final = 28
_STEP_HEIGHT: Final = 58
_CENTRE: Final = 124.0
_SIDE: Final = 122.0


@dataclass(frozen=True, slots=True)
class Node:
    """A hash in the Merkle picture; ``kind`` is leaf, path, given or root, or whole for a log of one entry."""

    x: float
    y: float
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """A join between two hashes."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class MerklePicture:
    """The path from leaf (bottom) to root (top)."""

    width: int
    height: int
    node_width: int
    node_height: int
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]


def merkle_picture(running: Sequence[str], neighbours: Sequence[tuple[bool, str]]) -> MerklePicture:
    """Draw the path: ``running`` holds the value after each step (leaf first), ``neighbours`` (is_left, hash)."""
    last = len(neighbours)
    height = (last + 1) * _STEP_HEIGHT - (_STEP_HEIGHT - _NODE_HEIGHT) + 4
    nodes: list[Node] = []
    lines: list[Line] = []
    for level, value in enumerate(running):
        y = 2.0 + (last - level) * _STEP_HEIGHT
        nodes.append(Node(_CENTRE, y, _short(value), _kind(level, last)))
        if level == last:
            break
        is_left, neighbour = neighbours[level]
        x = _CENTRE - _SIDE if is_left else _CENTRE + _SIDE
        nodes.append(Node(x, y, _short(neighbour), "given"))
        above = y - _STEP_HEIGHT + _NODE_HEIGHT
        lines += [
            Line(_CENTRE + _NODE_WIDTH / 2, y, _CENTRE + _NODE_WIDTH / 2, above),
            Line(x + _NODE_WIDTH / 2, y, _CENTRE + _NODE_WIDTH / 2, above),
        ]
    width = int(_CENTRE + _SIDE + _NODE_WIDTH + 2)
    return MerklePicture(width, height, _NODE_WIDTH, _NODE_HEIGHT, tuple(nodes), tuple(lines))


def _kind(level: int, last: int) -> str:
    if last == 0:
        return "whole"
    if level == 0:
        return "leaf"
    return "root" if level == last else "path"


def _short(value: str) -> str:
    return f"{value[:8]}…{value[-4:]}"
