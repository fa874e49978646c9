"""The log as anyone may read it: the checkpoint, tiles, anchors, and proofs by index.

What is read here needs no trust in the reader's connection: a checkpoint is signed, and tiles and proofs lead
to its root or to none.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.errors import InvalidInputError, NotFoundError
from ledger.domain.leaf import parse_leaf
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import parse_note
from ledger.log.tree import EMPTY_ROOT
from ledger.service.anchoring import note_of
from ledger.service.paging import Paged, check_limit, read_at
from ledger.service.requests import Request
from ledger.service.times import iso

if TYPE_CHECKING:
    from ledger.domain.event_log import Recorded
    from ledger.domain.events import CheckpointAnchored
    from ledger.log.checkpoint import Checkpoint
    from ledger.service.services import Services

TILE_PATH: Final = re.compile(
    r"(entries|[0-9]|[1-5][0-9]|6[0-3])/(x[0-9]{3}/)*[0-9]{3}(\.p/[1-9][0-9]{0,2})?", re.ASCII
)
"""What follows ``tile/`` in a path of tlog-tiles."""


class ReadTile(Request, frozen=True, kw_only=True):
    """A tile or entry bundle by its tlog-tiles path after ``tile/``."""

    path: str


class ProveInclusion(Request, frozen=True, kw_only=True):
    """An entry's index, and the size of the tree: -1 is the published checkpoint's."""

    index: int
    size: int = -1


class ProveConsistency(Request, frozen=True, kw_only=True):
    """Two sizes of the tree: -1 is the published checkpoint's."""

    old: int
    new: int = -1


class PageAnchors(Paged, frozen=True, kw_only=True):
    """Which anchors: all, the oldest first; the cursor is an anchored size."""


class ShowAnchor(Request, frozen=True, kw_only=True):
    """An anchor by its size."""

    size: int


def published(services: Services) -> Checkpoint:
    """Return the newest published checkpoint."""
    return parse_checkpoint(parse_note(services.log.checkpoint()).text)


def read_checkpoint(services: Services) -> bytes:
    """Return the newest published checkpoint's signed note."""
    return services.log.checkpoint()


def show_checkpoint(services: Services) -> dict[str, object]:
    """Return the newest published checkpoint: its note, and what the note says."""
    checkpoint = published(services)
    return {
        "checkpoint": services.log.checkpoint().decode(),
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "vkey": services.deployment.log_vkey,
    }


def read_tile(services: Services, request: ReadTile) -> bytes:
    """Return a tile's or an entry bundle's bytes.

    Raises:
        NotFoundError: The path is no tile's, or the log has none there.
    """
    if not TILE_PATH.fullmatch(request.path):
        raise NotFoundError("file of the log", request.path)
    return services.tiles.read(f"tile/{request.path}")


def prove_inclusion(services: Services, request: ProveInclusion) -> dict[str, object]:
    """Return an entry's bytes and its RFC 6962 audit path.

    Raises:
        InvalidInputError: A size beyond the published checkpoint, or an index beyond the size.
    """
    checkpoint = published(services)
    size = _size(request.size, "size", checkpoint)
    if not 0 <= request.index < size:
        raise InvalidInputError("index", request.index, f"0 to {size - 1}, the entries that the checkpoint covers")
    data = services.log.leaf(request.index)
    return {
        "index": request.index,
        "size": size,
        "leaf": data.decode(),
        "leaf_hash": parse_leaf(data).hash().hex(),
        "path": [node.hex() for node in services.log.inclusion_proof(request.index, size)],
        "root": services.log.root(size).hex(),
        "checkpoint": services.log.checkpoint().decode() if size == checkpoint.size else "",
    }


def prove_consistency(services: Services, request: ProveConsistency) -> dict[str, object]:
    """Return the RFC 6962 proof that the first ``old`` entries begin the first ``new``.

    Raises:
        InvalidInputError: A size beyond the published checkpoint, or old beyond new.
    """
    checkpoint = published(services)
    new = _size(request.new, "new", checkpoint)
    if not 0 < request.old <= new:
        raise InvalidInputError("old", request.old, f"1 to {new}")
    return {
        "old": request.old,
        "new": new,
        "old_root": services.log.root(request.old).hex(),
        "new_root": services.log.root(new).hex(),
        "path": [node.hex() for node in services.log.consistency_proof(request.old, new)],
        "checkpoint": services.log.checkpoint().decode() if new == checkpoint.size else "",
    }


def page_anchors(services: Services, request: PageAnchors) -> dict[str, object]:
    """List the anchors, the oldest first.

    Raises:
        InvalidInputError: A cursor that is none, or a length that is not allowed.
    """
    limit = check_limit(request.limit)
    if request.after and not (request.after.isascii() and request.after.isdecimal() and len(request.after) < 20):
        raise InvalidInputError("after", request.after, "the cursor `next` of the page before")
    after = int(request.after) if request.after else -1
    following = [anchored for anchored in services.state.anchors() if anchored.event.size > after]
    items = [anchor_json(anchored) for anchored in following[:limit]]
    return {
        "items": items,
        "next": str(following[limit - 1].event.size) if len(following) > limit else "",
        "log": {"size": published(services).size, "empty_root": EMPTY_ROOT.hex()},
        "read_at": read_at(services),
    }


def show_anchor(services: Services, request: ShowAnchor) -> dict[str, object]:
    """Show an anchor with the signed note that its hash stands for.

    Raises:
        NotFoundError: No anchor has this size.
    """
    anchored = next((known for known in services.state.anchors() if known.event.size == request.size), None)
    if anchored is None:
        raise NotFoundError("anchor of size", request.size)
    note = note_of(services, anchored.event).decode()
    return {**anchor_json(anchored), "checkpoint": note, "read_at": read_at(services)}


def anchor_json(anchored: Recorded[CheckpointAnchored]) -> dict[str, Any]:
    """Return an anchor as JSON values."""
    return {
        "size": anchored.event.size,
        "root": anchored.event.root.hex(),
        "note_hash": anchored.event.note_hash.hex(),
        "block": anchored.block,
        "block_hash": anchored.block_hash.hex(),
        "tx": anchored.tx_hash.hex(),
        "log_index": anchored.log_index,
        "at": iso(anchored.timestamp),
    }


def _size(asked: int, field: str, checkpoint: Checkpoint) -> int:
    size = checkpoint.size if asked == -1 else asked
    if not 0 <= size <= checkpoint.size:
        raise InvalidInputError(field, asked, f"0 to {checkpoint.size}, the published checkpoint's size")
    return size
