"""The keystores' passphrase: from a file, from the environment, or asked for at a terminal."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from pydantic import SecretStr

if TYPE_CHECKING:
    from ledger.settings import Settings


def with_passphrase(settings: Settings, *, twice: bool = False) -> Settings:
    """Return settings that hold a passphrase wherever one can be had without failing.

    Verbs that only read need none, so its absence is an error only when a key is used.

    Args:
        settings: The settings so far.
        twice: Ask a second time and compare, for a passphrase that is new.
    """
    if settings.passphrase is not None or settings.passphrase_file is not None or not sys.stdin.isatty():
        return settings
    while True:
        first = getpass.getpass("Passphrase of the keystores: ")
        if not twice or getpass.getpass("Again: ") == first:
            return settings.model_copy(update={"passphrase": SecretStr(first)})
        sys.stderr.write("The two differ.\n")
