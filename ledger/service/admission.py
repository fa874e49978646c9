"""Who is let in when more is sent than the disk takes: bounded queues, a fair order, and when to come again.

A body holds a place from its first byte to its answer. Bodies wait in lanes, one for each sender: a client's address,
and below it each reporter that it speaks for. Lanes take turns by deficit round robin, in bytes: a lane that sends
much waits for itself, not for others. What finds no room is refused at once with the seconds after which there should
be some, by the rate at which bodies were worked off lately; it was not acknowledged, so the sender still has it.

    held = admission.hold("10.0.0.7")              # a body begins to arrive
    held.grow(len(piece))                          # BusyError: no room
    admission.wait(held, "gateway@ods:P01", ready) # the whole body is here
    for turn in admission.turns(): turn.ready()    # whose turn it is now
    admission.leave(held, seconds)                 # answered, refused or hung up

Pure book-keeping for one thread: no locks, no clock, no input or output.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ledger.domain.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUANTUM_BYTES: Final = 64 << 10
"""What a lane may send in one round, saved up where its next body is larger."""
RETRY_MAX_S: Final = 30
_FIRST_RATE: Final = 4 << 20
"""Bytes a second that are assumed before any was measured."""
_WEIGHT: Final = 0.2


class BusyError(UnavailableError):
    """There is no room for this body now; nothing of it was taken."""

    code = "too_busy"
    meaning = "More is being sent than can be taken at once; nothing of this request was taken."
    remedy = "Send the same bytes again after the seconds in `Retry-After`; send less at once if it stays so."

    def __init__(self, reason: str, retry_after_s: int) -> None:
        super().__init__("room", reason, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may be here at once."""

    bytes_max: int = 96 << 20
    """Of all bodies that are here, arriving, waiting or worked on."""
    bodies_max: int = 1_024
    sender_bytes_max: int = 48 << 20
    """Of one client address: the rest is for the others."""
    sender_bodies_max: int = 512
    lane_bodies_max: int = 64
    """Waiting in one lane."""
    lane_bytes_max: int = 24 << 20
    """Also waiting in one lane; a body alone may be larger."""
    work_bodies_max: int = 8
    work_bytes_max: int = 32 << 20
    """Worked on at once: parsed, a body takes several times its bytes. One larger body alone is let through."""


@dataclass(slots=True)
class Held:
    """One body that is here."""

    sender: str
    size: int = 0
    lane: str = ""
    ready: Callable[[], None] = lambda: None
    is_waiting: bool = False
    is_at_work: bool = False
    is_gone: bool = False


@dataclass(slots=True)
class _Lane:
    waiting: deque[Held] = field(default_factory=deque)
    size: int = 0
    deficit: int = 0


@dataclass(slots=True)
class _Sender:
    """One client address, and its lanes in the order of their turns."""

    size: int = 0
    bodies: int = 0
    lanes: dict[str, _Lane] = field(default_factory=dict)
    deficit: int = 0


class Admission:
    """The queues of one process. One thread calls it."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._senders: dict[str, _Sender] = {}
        self._turns: dict[str, _Sender] = {}
        """Senders with something waiting, in the order of their turns."""
        self._size = 0
        self._bodies = 0
        self._work_bodies = 0
        self._work_bytes = 0
        self._rate = float(_FIRST_RATE)
        self._admitted = 0
        self._refused = 0
        self._done_bytes = 0

    def hold(self, sender: str) -> Held:
        """Give a body that begins to arrive its place.

        Raises:
            BusyError: There are too many already, of all or of this sender.
        """
        found = self._senders.get(sender)
        if self._bodies >= self.bounds.bodies_max:
            raise self._busy(f"{self._bodies} requests are here, which is the most at once", self._size)
        if found is not None and found.bodies >= self.bounds.sender_bodies_max:
            raise self._busy(f"{found.bodies} requests of this address are here, which is the most at once", found.size)
        if found is None:
            found = self._senders[sender] = _Sender()
        found.bodies += 1
        self._bodies += 1
        return Held(sender)

    def grow(self, held: Held, size: int) -> None:
        """Count more bytes of a body.

        Raises:
            BusyError: There is no room for them. The body keeps its place until it leaves.
        """
        sender = self._senders[held.sender]
        if self._size + size > self.bounds.bytes_max:
            raise self._busy(f"{self._size} bytes wait to be taken", self._size)
        if sender.size + size > self.bounds.sender_bytes_max:
            raise self._busy(f"{sender.size} bytes of this address wait to be taken", sender.size)
        held.size += size
        sender.size += size
        self._size += size

    def wait(self, held: Held, lane: str, ready: Callable[[], None]) -> None:
        """Queue a body that is here in full.

        Args:
            held: The body's place.
            lane: Whom it is from, as it says.
            ready: Called by whoever takes it from ``turns``.

        Raises:
            BusyError: The lane is full.
        """
        sender = self._senders[held.sender]
        found = sender.lanes.get(lane)
        if found is not None and (
            len(found.waiting) >= self.bounds.lane_bodies_max or found.size + held.size > self.bounds.lane_bytes_max
        ):
            reason = f"{len(found.waiting)} requests of this reporter wait already, of {found.size} bytes"
            raise self._busy(reason, found.size)
        if found is None:
            found = sender.lanes[lane] = _Lane()
        held.lane, held.ready, held.is_waiting = lane, ready, True
        found.waiting.append(held)
        found.size += held.size
        self._turns.setdefault(held.sender, sender)
        self._admitted += 1

    def turns(self) -> Iterator[Held]:
        """Yield the bodies to be worked on now, in a fair order, as long as there is room at work."""
        while self._turns and self._work_bodies < self.bounds.work_bodies_max:
            held = self._next()
            if held is None:
                return
            yield held

    def leave(self, held: Held, seconds: float = 0.0) -> None:
        """Give up a body's place: it was answered, refused, or its sender hung up.

        Args:
            held: The place; leaving twice is harmless.
            seconds: How long it was at work.
        """
        if held.is_gone:
            return
        held.is_gone = True
        sender = self._senders[held.sender]
        if held.is_at_work:
            self._work_bodies -= 1
            self._work_bytes -= held.size
            if seconds > 0 and held.size:
                # Others were at work beside it, so that the whole goes faster than this one did.
                rate = held.size * (self._work_bodies + 1) / seconds
                self._rate += _WEIGHT * (rate - self._rate)
            self._done_bytes += held.size
        elif held.is_waiting:
            lane = sender.lanes[held.lane]
            lane.waiting.remove(held)
            lane.size -= held.size
            self._drop_if_empty(held.sender, sender, held.lane, lane)
        sender.size -= held.size
        sender.bodies -= 1
        self._size -= held.size
        self._bodies -= 1
        if not sender.bodies:
            del self._senders[held.sender]

    def figures(self) -> dict[str, int | float]:
        """Return what metrics show: how much is here and at work, and the totals since the start."""
        return {
            "bodies": self._bodies,
            "bytes": self._size,
            "work_bodies": self._work_bodies,
            "work_bytes": self._work_bytes,
            "waiting_bodies": sum(
                len(lane.waiting) for sender in self._turns.values() for lane in sender.lanes.values()
            ),
            "admitted_total": self._admitted,
            "refused_total": self._refused,
            "done_bytes_total": self._done_bytes,
            "rate_bytes_per_s": round(self._rate),
        }

    def _next(self) -> Held | None:
        """Take the next body, by the turns of senders and, within one, of its lanes; None if it must wait for room."""
        while True:
            name, sender = next(iter(self._turns.items()))
            lane_name, lane = _next_lane(sender)
            held = lane.waiting[0]
            if sender.deficit < held.size:
                sender.deficit += QUANTUM_BYTES
                self._turns[name] = self._turns.pop(name)
                continue
            if self._work_bodies and self._work_bytes + held.size > self.bounds.work_bytes_max:
                return None
            lane.waiting.popleft()
            lane.size -= held.size
            lane.deficit -= held.size
            sender.deficit -= held.size
            held.is_waiting, held.is_at_work = False, True
            self._work_bodies += 1
            self._work_bytes += held.size
            self._drop_if_empty(name, sender, lane_name, lane)
            return held

    def _drop_if_empty(self, name: str, sender: _Sender, lane_name: str, lane: _Lane) -> None:
        """Forget what waits for nothing, and what it saved up with it: nobody saves for later."""
        if not lane.waiting:
            del sender.lanes[lane_name]
        if not sender.lanes:
            self._turns.pop(name, None)
            sender.deficit = 0

    def _busy(self, reason: str, ahead: int) -> BusyError:
        self._refused += 1
        return BusyError(reason, min(RETRY_MAX_S, max(1, math.ceil(ahead / self._rate))))


def _next_lane(sender: _Sender) -> tuple[str, _Lane]:
    """Return the lane whose turn it is, which has saved up enough for its first body."""
    while True:
        name, lane = next(iter(sender.lanes.items()))
        if lane.deficit >= lane.waiting[0].size:
            return name, lane
        lane.deficit += QUANTUM_BYTES
        sender.lanes[name] = sender.lanes.pop(name)
