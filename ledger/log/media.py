"""What a server of the log's files says of each beside its bytes: its type, and how long it may be kept.

C2SP tlog-tiles: a checkpoint changes and must not be kept for more than a few seconds; a tile or bundle, full or
partial, never changes and may be kept for long.
"""

from __future__ import annotations

from typing import Final

from ledger.log.tiles import CHECKPOINT_PATH

NOTE_TYPE: Final = "text/plain; charset=utf-8"
TILE_TYPE: Final = "application/octet-stream"
ASKED_AGAIN: Final = "public, no-cache"
KEPT: Final = "public, max-age=31536000, immutable"


def content_type(path: str) -> str:
    """Return the Content-Type of a public file."""
    return NOTE_TYPE if path == CHECKPOINT_PATH else TILE_TYPE


def cache_control(path: str) -> str:
    """Return the Cache-Control of a public file."""
    return ASKED_AGAIN if path == CHECKPOINT_PATH else KEPT
