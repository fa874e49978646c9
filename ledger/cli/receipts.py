"""Receipt files: what the signer keeps, in the home's ``receipts`` folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.cli.session import settings
from ledger.home import Home, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def write_receipt(name: str, text: str) -> Path:
    """Write a receipt durably and return its path.

    Args:
        name: A file name without folders.
        text: The receipt's canonical JSON.
    """
    folder = Home(settings().home).receipts
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    write_atomically(path, text.encode())
    return path
