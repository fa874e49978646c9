"""A process whose log's disk is full and not: ``python -m tests.log.log_on_full_disk DISK``.

``DISK`` is a small file system of its own. For each amount of free space a file takes all else, entries are appended
and published until the disk refuses, the file goes, and the same process goes on. One line of JSON tells how it went.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import structlog

from ledger.domain.errors import UnavailableError
from ledger.log.storage import check_folder
from scripts.crash.promises import Promises
from scripts.crash.writer import SIGNER, entries_of, open_log, small_files
from tests.store.home_on_full_disk import fill

PAGES = range(14)
PAGE_BYTES = 4096
ROUNDS_MAX = 40


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    disk, promises, refused = Path(sys.argv[1]), Promises(), {"append": 0, "publish": 0}
    reasons = set()
    with small_files():
        log = open_log(disk / "log")

        def write(name: str, count: int) -> None:
            promises.sends(name, count)
            promises.acknowledged(log.append(entries_of(name, count)), name, count)

        def publish() -> None:
            promises.saw(log.publish_checkpoint())

        for pages in PAGES:
            fill(disk / "ballast", pages * PAGE_BYTES)
            for number in range(ROUNDS_MAX):
                before = sum(refused.values())
                for what, do in (("append", lambda: write(f"{pages}.{number}", 37)), ("publish", publish)):  # noqa: B023
                    try:
                        do()
                    except UnavailableError as error:
                        refused[what] += 1
                        reasons.add(error.explain().split(":")[0])
                if sum(refused.values()) == before + 2:
                    break
            (disk / "ballast").unlink()
            write(f"{pages} after", 300)
            publish()
        log.close()
        list(check_folder(disk / "log", SIGNER.vkey))
        size = promises.check(disk / "log")
    print(json.dumps({"refused": refused, "reasons": sorted(reasons), "compared": promises.compared, "size": size}))


if __name__ == "__main__":
    main()
