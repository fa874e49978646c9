"""Send batches of values to an immudb server from client processes; print one JSON line.

    PYTHON_WITH_IMMUDB_PY scripts/bench/peers/immudb_load.py HOST:PORT CLIENTS BATCH BATCHES VALUE_BYTES FIRST

Run by ``scripts.bench.ingest`` with a Python that has ``immudb-py``; it needs nothing else of ours. Values are made
before the clock starts, as our own clients' bodies are.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import sys
import time
from typing import Any


def main() -> None:
    """Run all clients at once and print the seconds from the first request to the last answer."""
    address, clients, batch, batches, size, first = sys.argv[1], *map(int, sys.argv[2:7])
    context = multiprocessing.get_context("fork")
    pipes = [context.Pipe() for _ in range(clients)]
    processes = [
        context.Process(target=send, args=(theirs, address, number, batch, batches, size, first))
        for number, (_, theirs) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    for ours, _ in pipes:
        ours.recv()
    started = time.perf_counter()
    for ours, _ in pipes:
        ours.send("go")
    times = [one for ours, _ in pipes for one in ours.recv()]
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    print(json.dumps({"events": clients * batch * batches, "seconds": seconds, "times": times}))


def send(pipe: Any, address: str, number: int, batch: int, batches: int, size: int, first: int) -> None:
    """Send one client's batches."""
    immudb = importlib.import_module("immudb")
    client = immudb.ImmudbClient(address)
    client.login("immudb", "immudb")
    key = f"{first:08d}-{number:04d}"
    sets = [
        {f"{key}-{one * batch + place:012d}".encode(): os.urandom(size // 2).hex().encode() for place in range(batch)}
        for one in range(batches)
    ]
    pipe.send("ready")
    pipe.recv()
    times = []
    for values in sets:
        began = time.perf_counter()
        client.setAll(values)
        times.append(time.perf_counter() - began)
    pipe.send(times)


if __name__ == "__main__":
    main()
