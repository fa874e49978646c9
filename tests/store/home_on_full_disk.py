"""A process that works in a home while its disk is full and not: ``python -m tests.store.home_on_full_disk DISK HOME``.

``DISK`` is a small file system of its own; the home is copied onto it. For each of several amounts of free space a file
takes all else, each kind of work is tried, the file goes, and the same work is done again by the same process. One
line of JSON says what was refused, what was acknowledged, and what fsck finds at the end.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from ledger import bootstrap
from ledger.domain.errors import ConflictError, LedgerError, RefusedError
from ledger.domain.leaf import parse_leaf
from ledger.service import submission
from ledger.settings import Settings
from tests.browser.sample_ledger import AUTHORITY, DATASET, LABOUR, POLICE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.service.services import Services

FREE_BYTES = (0, 8192, 24_576, 49_152, 98_304)
_PIECE = bytes(4096)
_EVENTS = 40


def fill(ballast: Path, free: int) -> None:
    """Let a file take all space but so many bytes."""
    with ballast.open("ab", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(_PIECE) == len(_PIECE):
                pass
        os.ftruncate(file.fileno(), max(0, file.tell() - free))


def works(services: Services, number: int) -> dict[str, Callable[[], Any]]:
    """Return each kind of work that writes, which changes nothing when it is done again."""
    lines = [
        json.dumps(
            {
                "kind": "DELIVERY", "side": "PROVIDER", "occurred_at_ms": 1_780_000_000_000 + number,
                "provider": POLICE, "requester": LABOUR, "dataset": DATASET, "purpose": "dpv:EstablishEntitlement",
                "delivery": "INTERFACE", "recipient": LABOUR, "outcome": "SUCCEEDED",
                "correlation": f"full-{number}-{part}",
            }
        ).encode()
        for part in range(_EVENTS)
    ]  # fmt: skip

    def events() -> dict[str, Any]:
        done: dict[str, Any] = services.dispatch("event.append-lines", {"lines": lines, "post": f"exchange@{POLICE}"})
        assert done["rejected"] == []
        return done

    def agency() -> None:
        # It may have been mined, though its caller was told that the disk was full.
        with contextlib.suppress(ConflictError, RefusedError):
            services.dispatch("agency.add", {"agency": f"ods:FULL{number}", "name_en": f"Agency {number}"})

    def case() -> Any:
        filing = {"respondent": LABOUR, "post": f"inspection@{AUTHORITY}", "violations": ["decree809:R2"]}
        return services.dispatch("case.file", {**filing, "reference": f"CASE-{number}", "text": "Facts. " * 500})

    def anchor() -> Any:
        return services.dispatch("anchor", {})

    return {
        "events": events,
        "agency": agency,
        "case": case,
        "checkpoint": services.log.publish_checkpoint,
        "anchor": anchor,
        "index": services.indexing.catch_up,
    }


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    submission._WAIT_S = 4.0  # While the chain waits for its disk, nothing becomes final.
    disk, source = Path(sys.argv[1]), Path(sys.argv[2])
    shutil.copytree(source, disk / "home")
    settings = Settings(
        home=disk / "home", passphrase_file=source.parent / "passphrase", keystore_scrypt_n=2,
        block_time_lead_max_s=3600,
    )  # fmt: skip
    services = bootstrap.open_home(settings)
    refused: list[tuple[int, str, str]] = []
    receipts: dict[int, str] = {}
    try:
        for number, free in enumerate(FREE_BYTES):
            fill(disk / "ballast", free)
            for name, work in works(services, number).items():
                try:
                    keep(receipts, work())
                except LedgerError as error:
                    refused.append((free, name, f"{error.code}: {error.explain()}"))
                except Exception as error:  # noqa: BLE001 - the test shows what it was
                    refused.append((free, name, f"{type(error).__name__}: {error}"))
            (disk / "ballast").unlink()
            for work in works(services, number).values():
                keep(receipts, work())
        held = {index: services.log.leaf(index) for index in receipts}
        lost = [index for index, told in receipts.items() if parse_leaf(held[index]).hash().hex() != told]
        defects = services.dispatch("fsck", {})["defects"]
    finally:
        services.close()
    bootstrap.open_home(settings).close()
    print(json.dumps({"refused": refused, "receipts": len(receipts), "lost": lost, "defects": defects}))


def keep(receipts: dict[int, str], answer: Any) -> None:
    if isinstance(answer, dict) and "receipts" in answer:
        for receipt in answer["receipts"]:
            told = receipts.setdefault(receipt["index"], receipt["leaf_hash"])
            assert told == receipt["leaf_hash"], f"index {receipt['index']} was issued twice"


if __name__ == "__main__":
    main()
