"""The side of immudb in ``scripts.bench.verified_read``: runs where ``immudb-py`` is and nothing of ours.

``python immudb_reads.py HOST:PORT VALUES VALUE_BYTES`` fills a database and then, for each line ``N`` on standard
input, reads N random values with ``verifiedGet`` and prints the seconds that each took as a JSON list.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time

from immudb import ImmudbClient  # type: ignore[import-not-found]  # Of the other environment.
from immudb.rootService import PersistentRootService  # type: ignore[import-not-found]

_TOGETHER = 500
_MARK = "TIMES"
"""Begins each line of ours: the client library prints some of its own."""


def main() -> None:
    """Fill, then read as told."""
    address, values, value_bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        client = ImmudbClient(address, rs=PersistentRootService(os.path.join(folder, "state")))  # noqa: PTH118
        client.login("immudb", "immudb")
        for first in range(0, values, _TOGETHER):
            numbers = range(first, min(values, first + _TOGETHER))
            client.setAll({b"bench%d" % number: os.urandom(value_bytes) for number in numbers})
        print(f"{_MARK} []", flush=True)
        for line in sys.stdin:
            times = []
            for _ in range(int(line)):
                key = b"bench%d" % random.randrange(values)  # noqa: S311 - which value is read is no secret.
                began = time.perf_counter()
                found = client.verifiedGet(key)
                times.append(time.perf_counter() - began)
                assert found.verified
                assert len(found.value) == value_bytes
            print(f"{_MARK} {json.dumps(times)}", flush=True)


if __name__ == "__main__":
    main()
