"""Running a coroutine in a thread of its own: a test's own thread may hold the loop of a browser that is open."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


def run_apart(made: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return what the coroutine that ``made`` makes returns."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(made())).result()
