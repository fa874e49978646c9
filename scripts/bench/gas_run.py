"""What the measurements of gas have in common: a home of their own, and a table or JSON."""

from __future__ import annotations

import argparse
import json
import logging
import secrets
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from ledger.bootstrap import init_home, open_home
from ledger.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ledger.service.services import Services

Figures = TypeVar("Figures")


def figures_asked(page: str | None, count: str, default: int, about: str, measure: Callable[[int], Figures]) -> Figures:
    """Read the command line, measure, and return the figures for a table; with ``--json``, print them and end.

    Args:
        page: The program's description.
        count: The name of the option that says how many to measure.
        default: How many without it.
        about: What the option is about.
        measure: Returns the figures of so many.
    """
    parser = argparse.ArgumentParser(description=page, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(f"--{count}", dest="count", type=int, default=default, help=about)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    figures = measure(options.count)
    if options.json:
        print(json.dumps(figures, indent=1))
        parser.exit()
    return figures


@contextmanager
def home_of_its_own() -> Iterator[Services]:
    """Open a new home with its chain and contracts, in a folder under ``build/`` that goes with it."""
    build = Path("build")
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        passphrase = Path(folder) / "passphrase"
        passphrase.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")
        settings = Settings(
            home=Path(folder) / "home",
            passphrase_file=passphrase,
            keystore_scrypt_n=2,
            block_time_lead_max_s=10**6,
        )
        init_home(settings)
        services = open_home(settings)
        try:
            yield services
        finally:
            services.close()
