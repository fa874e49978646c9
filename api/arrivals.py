"""Bodies that arrive and wait for their turn: the event loop's side of ``ledger.service.admission``.

with arrivals.place(address) as place:
    body = await place.receive(request, limit)
    answer = await place.work(reporter, lambda: use_case(body))
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from starlette.exceptions import HTTPException

from api.bodies import receive_body
from ledger.service.admission import Admission, Bounds

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from ledger.service.admission import Held

T = TypeVar("T")

_RECEIVE_S: Final = 60.0
"""A body that takes longer to arrive would hold its room for nothing."""


class Arrivals:
    """The places of one application, whose event loop is the only thread that touches them."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.admission = Admission(bounds)
        self._pool = ThreadPoolExecutor(self.admission.bounds.work_bodies_max, thread_name_prefix="append")

    def place(self, sender: str) -> Place:
        """Hold a place for one request of a client address; it is left at the end of a ``with``.

        Raises:
            BusyError: There is none.
        """
        return Place(self, self.admission.hold(sender))

    def start_next(self) -> None:
        """Wake those whose turn it is."""
        for held in self.admission.turns():
            held.ready()

    def run(self, work: Callable[[], T], answer: asyncio.Future[T]) -> None:
        """Run something on one of the threads that append, of which there are as many as places at work.

        The loop is woken once, when the answer is there.
        """
        self._pool.submit(_run, work, answer, answer.get_loop())


def _run(work: Callable[[], T], answer: asyncio.Future[T], loop: asyncio.AbstractEventLoop) -> None:
    """Do the work in a thread, and tell the loop what came of it."""
    try:
        _tell(loop, answer, answer.set_result, work())
    except BaseException as error:  # noqa: BLE001 - whatever it is, the request is told.
        _tell(loop, answer, answer.set_exception, error)


def _tell(
    loop: asyncio.AbstractEventLoop, answer: asyncio.Future[T], tell: Callable[[Any], None], what: object
) -> None:
    """Answer in the loop, unless nobody waits any more: the request was let go of, or the loop is closed."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(lambda: None if answer.done() else tell(what))


class Place:
    """One request's place."""

    def __init__(self, arrivals: Arrivals, held: Held) -> None:
        self.held = held
        self.seconds = 0.0
        self._arrivals = arrivals

    def __enter__(self) -> Self:
        """Use the place."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it to others."""
        self._arrivals.admission.leave(self.held, self.seconds)
        self._arrivals.start_next()

    async def receive(self, request: Request, limit: int) -> bytes:
        """Return the request's body, decoded.

        Raises:
            BusyError: There is no room for it.
            HTTPException: As ``receive_body``; 408 if it takes too long.
        """
        try:
            async with asyncio.timeout(_RECEIVE_S):
                return await receive_body(request, limit, lambda size: self._arrivals.admission.grow(self.held, size))
        except TimeoutError as error:
            raise HTTPException(408, f"the body did not arrive within {_RECEIVE_S:.0f} s") from error

    async def work(self, lane: str, work: Callable[[], T]) -> T:
        """Wait for the body's turn, and do its work on a thread.

        Args:
            lane: Whom the body is from.
            work: What to do.

        Raises:
            BusyError: Too many wait in this lane.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        began = 0.0

        def begin() -> None:
            nonlocal began
            began = time.perf_counter()
            self._arrivals.run(work, answer)

        self._arrivals.admission.wait(self.held, lane, begin)
        self._arrivals.start_next()
        try:
            return await answer
        finally:
            if began:
                self.seconds = time.perf_counter() - began
