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
from typing import TYPE_CHECKING, Final, TypeVar

from starlette.exceptions import HTTPException

from api.bodies import receive_body
from ledger.service.admission import Admission, Bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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

    @contextlib.contextmanager
    def place(self, sender: str) -> Iterator[Place]:
        """Hold a place for one request of a client address.

        Raises:
            BusyError: There is none.
        """
        place = Place(self, self.admission.hold(sender))
        try:
            yield place
        finally:
            self.admission.leave(place.held, place.seconds)
            self.start_next()

    def start_next(self) -> None:
        """Wake those whose turn it is."""
        for held in self.admission.turns():
            held.ready()

    def run(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Run something on one of the threads that append, of which there are as many as places at work."""
        return asyncio.get_running_loop().run_in_executor(self._pool, work)


class Place:
    """One request's place."""

    def __init__(self, arrivals: Arrivals, held: Held) -> None:
        self.held = held
        self.seconds = 0.0
        self._arrivals = arrivals

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
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals.admission.wait(self.held, lane, lambda: None if turn.done() else turn.set_result(None))
        self._arrivals.start_next()
        await turn
        began = time.perf_counter()
        try:
            return await self._arrivals.run(work)
        finally:
            self.seconds = time.perf_counter() - began
