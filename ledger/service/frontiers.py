"""How far each state has come: the log's sizes that are accepted, included, anchored and final.

    frontiers.accepted(first, count, at_ms)     # after the entries are on disk
    frontiers.included(size, at_ms)             # after the checkpoint is published
    frontiers.anchored(size, block, at_ms)      # once a block holds the anchor
    frontiers.final(size, at_ms)                # once that block is final

An entry's state follows from the four sizes, since each covers every entry before it. Whoever is told late is told the
newest: a size says what all sizes before it said. Nothing here is a store: sizes come from log and chain at start
(`resume`), times and latencies are this process's own, and memory is bounded whatever happens.

Must stay true: a size grows only, save that an anchor which is not final may be taken back (`reorganised`); telling the
same again changes nothing; a listener is never waited for.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ledger.service.latency import History, Passage

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Reached:
    """How far one state has come: to ``size`` entries, at a time (0 if that was before this process began)."""

    size: int = 0
    at_ms: int = 0
    block: int = 0
    """The block that holds the anchor; 0 for states that need none."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The four frontiers at one moment; ``version`` differs whenever one of them moved."""

    accepted: Reached = Reached()
    included: Reached = Reached()
    anchored: Reached = Reached()
    final: Reached = Reached()
    version: int = 0


PASSAGES: Final = (
    ("accepted", "included"),
    ("included", "anchored"),
    ("anchored", "final"),
    ("accepted", "anchored"),
    ("accepted", "final"),
)
"""The passages from one state to another whose times are kept."""


class Frontiers:
    """The four sizes, who waits for them, and how long entries took from one to the next. Any thread may call."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin at an empty log.

        Args:
            monotonic: Seconds that only grow, for latencies: a clock that is set back makes none of them wrong.
        """
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._sizes = Sizes()
        self._passages = {(start, end): Passage() for start, end in PASSAGES}
        self._included_at = History()
        self._final_at = History()
        self._listeners: dict[int, Callable[[], None]] = {}
        self._next_listener = 0
        self._is_closed = False

    @property
    def sizes(self) -> Sizes:
        """The sizes now."""
        return self._sizes

    @property
    def is_closed(self) -> bool:
        """Whether the service stops: nothing will move any more."""
        return self._is_closed

    def resume(self, *, accepted: int, included: int, anchored: int, block: int, final: int) -> None:
        """Take what log and chain hold at start; how long that took nobody knows any more.

        Entries that are not anchored yet count as accepted now, so that they are anchored within the usual age.
        """
        with self._changed:
            self._sizes = Sizes(
                Reached(accepted), Reached(included), Reached(anchored, block=block), Reached(final), version=1
            )
            now = self._monotonic()
            reached = {"accepted": accepted, "included": included, "anchored": anchored, "final": final}
            for (start, end), passage in self._passages.items():
                passage.resume(left=reached[start], arrived=reached[end], now=now)
            self._included_at.resume(included)
            self._final_at.resume(final)

    def accepted(self, first: int, count: int, at_ms: int) -> None:
        """Tell that ``count`` entries from index ``first`` are on disk."""
        with self._changed:
            if (size := first + count) > self._sizes.accepted.size:
                self._move(replace(self._sizes, accepted=Reached(size, at_ms)))
                self._leave("accepted", size)

    def included(self, size: int, at_ms: int) -> None:
        """Tell that a published checkpoint covers ``size`` entries."""
        with self._changed:
            if size > self._sizes.included.size:
                self._include(size, at_ms)

    def anchored(self, size: int, block: int, at_ms: int) -> None:
        """Tell that a block holds an anchor of ``size`` entries."""
        with self._changed:
            if size > self._sizes.anchored.size:
                self._anchor(size, block, at_ms)

    def final(self, size: int, at_ms: int, block: int = 0) -> None:
        """Tell that the block of an anchor of ``size`` entries is final."""
        with self._changed:
            if size <= self._sizes.final.size:
                return
            if size > self._sizes.anchored.size:
                self._anchor(size, block, at_ms)
            self._move(replace(self._sizes, final=Reached(size, at_ms, block)))
            self._arrive("final", size)
            self._final_at.add(size, at_ms)

    def reorganised(self, size: int, block: int) -> None:
        """Tell that the chain took anchors back that were not final: the newest that it still has is of ``size``."""
        with self._changed:
            size = max(size, self._sizes.final.size)
            if size < self._sizes.anchored.size:
                self._move(replace(self._sizes, anchored=Reached(size, 0, block)))
                for start in ("accepted", "included"):
                    left: Reached = getattr(self._sizes, start)
                    self._passages[start, "anchored"].resume(left=left.size, arrived=size, now=self._monotonic())

    def included_at(self, index: int) -> int:
        """Return when the first checkpoint over an entry was published, 0 if this process no longer knows."""
        with self._changed:
            return self._included_at.at(index)

    def final_at(self, index: int) -> int:
        """Return when the first anchor over an entry was seen to be final, 0 if this process no longer knows."""
        with self._changed:
            return self._final_at.at(index)

    def waiting_s(self) -> float:
        """Return for how long the oldest entry that is not anchored has been accepted; 0 for none."""
        with self._changed:
            oldest = self._passages["accepted", "anchored"].oldest
            return 0.0 if oldest is None else max(0.0, self._monotonic() - oldest)

    def passages(self) -> dict[tuple[str, str], Passage]:
        """Return the passages with their latencies, for reading."""
        return dict(self._passages)

    def wait_until(self, holds: Callable[[Sizes], bool], timeout_s: float) -> bool:
        """Wait until ``holds`` says so of the sizes; return whether it does. A closed one is not waited for.

        It is asked after every change, and after `nudge`; so it may look at more than the sizes.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or holds(self._sizes), timeout_s)
            return holds(self._sizes)

    def nudge(self) -> None:
        """Let everybody who waits look again."""
        with self._changed:
            self._changed.notify_all()

    def listen(self, call: Callable[[], None]) -> Callable[[], None]:
        """Have ``call`` called after every change, and return what ends that. It must return at once, and not raise."""
        with self._changed:
            number = self._next_listener
            self._next_listener += 1
            self._listeners[number] = call

        def end() -> None:
            with self._changed:
                self._listeners.pop(number, None)

        return end

    def close(self) -> None:
        """Wake everybody who waits: the service stops."""
        with self._changed:
            self._is_closed = True
            self._tell()

    def _include(self, size: int, at_ms: int) -> None:
        # A checkpoint may cover entries whose writer has not told yet.
        if size > self._sizes.accepted.size:
            self._move(replace(self._sizes, accepted=Reached(size, at_ms)))
            self._leave("accepted", size)
        self._move(replace(self._sizes, included=Reached(size, at_ms)))
        self._arrive("included", size)
        self._leave("included", size)
        self._included_at.add(size, at_ms)

    def _anchor(self, size: int, block: int, at_ms: int) -> None:
        if size > self._sizes.included.size:
            self._include(size, at_ms)
        self._move(replace(self._sizes, anchored=Reached(size, at_ms, block)))
        self._arrive("anchored", size)
        self._leave("anchored", size)

    def _leave(self, state: str, size: int) -> None:
        now = self._monotonic()
        for (start, _), passage in self._passages.items():
            if start == state:
                passage.leave(size, now)

    def _arrive(self, state: str, size: int) -> None:
        now = self._monotonic()
        for (_, end), passage in self._passages.items():
            if end == state:
                passage.arrive(size, now)

    def _move(self, sizes: Sizes) -> None:
        self._sizes = replace(sizes, version=self._sizes.version + 1)
        self._tell()

    def _tell(self) -> None:
        self._changed.notify_all()
        for call in tuple(self._listeners.values()):
            call()
