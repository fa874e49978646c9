"""What a server of the log's files says of each beside its bytes: its type, and how long it may be kept.

C2SP tlog-tiles: a checkpoint changes and must not be kept for more than a few seconds; tiles and bundles never change.
A partial one is of use only until its full one is there, so it is kept for a day and not for a year.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

from ledger.log.tiles import CHECKPOINT_PATH

NOTE_TYPE: Final = "text/plain; charset=utf-8"
TILE_TYPE: Final = "application/octet-stream"
NEVER_KEPT: Final = "no-cache"
KEPT_FOR_A_DAY: Final = "max-age=86400, immutable"
KEPT_FOR_EVER: Final = "max-age=31536000, immutable"


def content_type(path: str) -> str:
    """Return the Content-Type of a public file."""
    return NOTE_TYPE if path == CHECKPOINT_PATH else TILE_TYPE


def cache_control(path: str) -> str:
    """Return the Cache-Control of a public file."""
    if path == CHECKPOINT_PATH:
        return NEVER_KEPT
    return KEPT_FOR_A_DAY if ".p/" in path else KEPT_FOR_EVER


def headers_of(path: str) -> Mapping[str, str]:
    """Return the headers that a server gives with a public file."""
    return {"Content-Type": content_type(path), "Cache-Control": cache_control(path)}
