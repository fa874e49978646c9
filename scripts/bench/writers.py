"""A small load generator of ours for one entry a request: many connections in one process, each asking and waiting."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOGETHER = 200


@contextlib.contextmanager
def write_from_many(port: int, writers: int, entry_bytes: int) -> Iterator[None]:
    """Keep ``writers`` connections busy, in a process of their own, until the block ends."""
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(port, writers, entry_bytes), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def _run(port: int, writers: int, entry_bytes: int) -> None:
    asyncio.run(_write(port, writers, entry_bytes))


async def _write(port: int, writers: int, entry_bytes: int) -> None:
    numbers = itertools.count()
    filler = os.urandom(entry_bytes).hex()[:entry_bytes].encode()
    await asyncio.gather(*(_ask(port, numbers, filler) for _ in range(writers)))


async def _ask(port: int, numbers: Iterator[int], filler: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        entry = filler + b" %d" % next(numbers)
        writer.write(_request(entry))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)


def write_all(port: int, entries: int, entry_bytes: int) -> None:
    """Write different random entries over one connection, some hundred at a time."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        answers = connection.makefile("rb")
        for first in range(0, entries, _TOGETHER):
            count = min(_TOGETHER, entries - first)
            connection.sendall(b"".join([_request(os.urandom(entry_bytes)) for _ in range(count)]))
            for _ in range(count):
                assert answers.readline().startswith(b"HTTP/1.1 200 ")
                length = 0
                while (line := answers.readline().strip()) != b"":
                    if line.lower().startswith(b"content-length: "):
                        length = int(line[16:])
                answers.read(length)


def _request(entry: bytes) -> bytes:
    return b"POST /add HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%b" % (len(entry), entry)
