"""The explorer's script that others made: htmx as the locked package has it, with its licence beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE: Final = Path(__file__).resolve().parents[2] / "node_modules" / "htmx.org"
_STATIC: Final = "api/explorer/static"


def explorer_assets() -> Mapping[str, str]:
    """Return the texts of the script and of its licence by their paths."""
    return {
        f"{_STATIC}/htmx.min.js": (_PACKAGE / "dist" / "htmx.min.js").read_text(encoding="utf-8"),
        f"{_STATIC}/htmx.LICENSE.txt": (_PACKAGE / "LICENSE").read_text(encoding="utf-8"),
    }
