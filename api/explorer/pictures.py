"""Geometry of the explorer's two pictures: who was LEAD when, and an entry's Merkle path. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LABEL_WIDTH = 170
_CHART_WIDTH = 700
_ROW_HEIGHT = 30
_TOP = 26
_NODE_WIDTH = 132
_STEP_HEIGHT = 56


@dataclass(frozen=True, slots=True)
class Interval:
    """One holding: ``ends_at`` None is open-ended; times are Unix seconds; ``counts`` once accepted."""

    label: str
    starts_at: int
    ends_at: int | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A drawn part of a row."""

    x: float
    width: float
    fill: str
    stroke: str
    dashed: bool
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """A duty's row."""

    y: int
    label: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled date on the axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The whole picture in SVG user units."""

    width: int
    height: int
    ticks: tuple[Tick, ...]
    rows: tuple[Row, ...]


def timeline(duties: Sequence[tuple[str, Sequence[Interval]]], now: int, vacant: str) -> Timeline:
    """Draw one row for each duty from its first holding to ``now``; uncovered parts are vacancies."""
    starts = [interval.starts_at for _, holdings in duties for interval in holdings]
    if not starts:
        return Timeline(0, 0, (), ())
    first = min(starts)
    last = max(now, first + 1)
    scale = _CHART_WIDTH / (last - first)

    def place(at: int) -> float:
        return round(_LABEL_WIDTH + (min(max(at, first), last) - first) * scale, 1)

    rows = []
    for number, (label, holdings) in enumerate(duties):
        bars = [_bar(place, interval, last) for interval in holdings]
        bars += [
            Bar(place(a), round(place(b) - place(a), 1), "url(#gap)", "#9c1c1c", dashed=False, title=vacant)
            for a, b in vacancies(holdings, last)
        ]
        rows.append(Row(_TOP + number * _ROW_HEIGHT, label, tuple(bars)))
    span = (last - first) // 4
    ticks = tuple(Tick(place(first + span * part), _day(first + span * part)) for part in range(4))
    return Timeline(_LABEL_WIDTH + _CHART_WIDTH + 10, _TOP + len(rows) * _ROW_HEIGHT + 8, ticks, tuple(rows))


def vacancies(holdings: Sequence[Interval], last: int) -> list[tuple[int, int]]:
    """Return the parts between the first accepted holding and ``last`` that no accepted holding covers."""
    counted = sorted((h.starts_at, h.ends_at if h.ends_at is not None else last) for h in holdings if h.counts)
    gaps: list[tuple[int, int]] = []
    if not counted:
        return gaps
    reached = counted[0][0]
    for start, end in counted:
        if start > reached:
            gaps.append((reached, start))
        reached = max(reached, end)
    if reached < last:
        gaps.append((reached, last))
    return gaps


def _bar(place: Callable[[int], float], interval: Interval, last: int) -> Bar:
    begin, end = place(interval.starts_at), place(interval.ends_at if interval.ends_at is not None else last)
    fill = "#2b6cb0" if interval.counts else "#ffffff"
    return Bar(begin, max(2.0, round(end - begin, 1)), fill, "#12375f", not interval.counts, interval.label)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, tz=UTC).date().isoformat()


@dataclass(frozen=True, slots=True)
class Node:
    """A hash in the Merkle picture."""

    x: float
    y: float
    label: str
    fill: str


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
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]


def merkle_picture(running: Sequence[str], neighbours: Sequence[tuple[bool, str]]) -> MerklePicture:
    """Draw the path: ``running`` holds the value after each step (leaf first), ``neighbours`` (is_left, hash)."""
    height = (len(neighbours) + 1) * _STEP_HEIGHT
    centre, side = 190.0, 170.0
    nodes: list[Node] = []
    lines: list[Line] = []
    for level, value in enumerate(running):
        y = height - (level + 1) * _STEP_HEIGHT + 12.0
        nodes.append(Node(centre, y, _short(value), "#dceafb" if level < len(neighbours) else "#cdeed8"))
        if level == len(neighbours):
            break
        left, neighbour = neighbours[level]
        x = centre - side if left else centre + side
        nodes.append(Node(x, y, _short(neighbour), "#ffffff"))
        up = y - _STEP_HEIGHT + 30
        lines += [
            Line(centre + _NODE_WIDTH / 2, y, centre + _NODE_WIDTH / 2, up),
            Line(x + _NODE_WIDTH / 2, y, centre + _NODE_WIDTH / 2, up),
        ]
    return MerklePicture(int(centre + side + _NODE_WIDTH + 10), height, tuple(nodes), tuple(lines))


def _short(value: str) -> str:
    return f"{value[:8]}…{value[-4:]}"
