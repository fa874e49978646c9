"""One note, judged against the tree that this monitor has hashed itself.

The order matters. First: is the note the log's? Then: can both it and what was seen before be of one log? Only then
are its new entries hashed. So a rewritten log is told as a fork, with both notes, and not as a strange entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain.errors import VerificationError
from ledger.log.errors import BadEntryError, BadRootError, BadTileError, MissingFileError
from ledger.log.proofs import verify_consistency
from ledger.log.tiles import TileReader
from ledger.log.tree import consistency_proof, root_at
from ledger.monitor.evidence import Kind, Prefix, open_note
from ledger.monitor.tree import follow

if TYPE_CHECKING:
    from ledger.evidence.trust_root import Log
    from ledger.log.checkpoint import Checkpoint
    from ledger.log.ports import Fetcher
    from ledger.monitor.evidence import Anchor, SeenNote
    from ledger.monitor.state import Seen, Verified
    from ledger.monitor.tree import HashedTree


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong, in the parts of an alarm file."""

    kind: Kind
    detail: str
    notes: tuple[SeenNote, ...] = ()
    prefix: Prefix | None = None
    anchor: Anchor | None = None


@dataclass(frozen=True, slots=True)
class Right:
    """The note is the log's, and its tree was hashed."""

    tree: HashedTree


def judge(fetcher: Fetcher, log: Log, verified: Verified, seen: Seen, *, came_after: bool) -> Right | Wrong:
    """Judge one note.

    Args:
        fetcher: the log's files.
        log: the log's name and keys.
        verified: what was found right before.
        seen: the note.
        came_after: the verified note, or a larger one, had been seen when this one was.

    Raises:
        UnavailableError: the log does not answer; the note is to be judged again.
    """
    try:
        checkpoint = open_note(log, seen.note)
    except VerificationError as error:
        return Wrong(
            Kind.UNKNOWN_KEY, f"the checkpoint is not signed by the log's key: {error.reason}", (seen.shown(),)
        )
    before = verified.tree
    known = verified.shown(seen.source)
    if checkpoint.size == before.size:
        if checkpoint.root == before.root() or not verified.note:
            return _hashed(fetcher, verified, checkpoint, seen)
        return Wrong(Kind.FORK, f"two roots were signed for {checkpoint.size} entries", (known, seen.shown()))
    if checkpoint.size > before.size:
        if before.size and (wrong := _grown(fetcher, verified, checkpoint, known, seen)):
            return wrong
        return _hashed(fetcher, verified, checkpoint, seen)
    if (wrong := _not_a_prefix(fetcher, verified, checkpoint, known, seen)) is not None:
        return wrong
    return shrunk(checkpoint.size, seen, before.size, known) if came_after else Right(before)


def shrunk(size: int, seen: Seen, larger_size: int, larger: SeenNote) -> Wrong:
    """Return what is wrong when a smaller tree is served after a larger one."""
    detail = f"the log shows {size} entries after it had shown {larger_size}"
    return Wrong(Kind.SHRANK, detail, (seen.shown(), larger))


def prove_prefix(fetcher: Fetcher, size: int, newer_size: int, newer_root: bytes) -> Prefix:
    """Return the root of the first ``size`` entries under a root, with its proof from the log's tiles.

    Raises:
        VerificationError: the tiles do not lead to the root.
        MissingFileError: a tile is not there.
    """
    reader = TileReader(fetcher, newer_size)
    root = root_at(reader, size)
    proof = consistency_proof(reader, size, newer_size)
    verify_consistency(size, newer_size, proof, root, newer_root)
    return Prefix(proof=[value.hex() for value in proof], root=root.hex(), size=size)


def _grown(fetcher: Fetcher, verified: Verified, checkpoint: Checkpoint, known: SeenNote, seen: Seen) -> Wrong | None:
    """Return what is wrong if the larger tree does not begin with the verified one, None if it does."""
    both = (known, seen.shown())
    old = verified.tree
    try:
        prefix = prove_prefix(fetcher, old.size, checkpoint.size, checkpoint.root)
    except (VerificationError, MissingFileError) as error:
        return _without_proof(fetcher, verified, checkpoint, both, error)
    if prefix.root == old.root().hex():
        return None
    return Wrong(
        Kind.FORK,
        f"the signed tree of {checkpoint.size} entries does not begin with the signed tree of {old.size}",
        both,
        prefix,
    )


def _without_proof(
    fetcher: Fetcher,
    verified: Verified,
    checkpoint: Checkpoint,
    both: tuple[SeenNote, ...],
    error: VerificationError | MissingFileError,
) -> Wrong:
    """Say whether the log is sound and only a tile is bad, or whether nothing joins the two notes."""
    try:
        follow(fetcher, verified.tree, checkpoint)
    except BadTileError as found:
        return Wrong(Kind.TILE_ALTERED, f"{found.explain()} No proof can be made.", both)
    except (VerificationError, MissingFileError):
        pass
    return Wrong(
        Kind.INCONSISTENT,
        f"no proof joins {verified.tree.size} and {checkpoint.size} entries: {error.explain()}",
        both,
    )


def _not_a_prefix(
    fetcher: Fetcher, verified: Verified, checkpoint: Checkpoint, known: SeenNote, seen: Seen
) -> Wrong | None:
    """Return what is wrong if the verified tree does not begin with a smaller one, None if it does or cannot be told.

    A log that was cut short no longer has the tiles that would tell; that it is shorter is then what is told.
    """
    tree = verified.tree
    if not checkpoint.size:
        return None
    try:
        prefix = prove_prefix(fetcher, checkpoint.size, tree.size, tree.root())
    except (VerificationError, MissingFileError):
        return None
    if prefix.root == checkpoint.root.hex():
        return None
    return Wrong(
        Kind.FORK,
        f"the signed tree of {tree.size} entries does not begin with the signed tree of {checkpoint.size}",
        (seen.shown(), known),
        prefix,
    )


def _hashed(fetcher: Fetcher, verified: Verified, checkpoint: Checkpoint, seen: Seen) -> Right | Wrong:
    notes = (seen.shown(),)
    try:
        return Right(follow(fetcher, verified.tree, checkpoint))
    except BadEntryError as error:
        return Wrong(Kind.ENTRY_ALTERED, error.explain(), notes)
    except BadTileError as error:
        return Wrong(Kind.TILE_ALTERED, error.explain(), notes)
    except BadRootError as error:
        return Wrong(Kind.ROOT_DIFFERS, error.explain(), notes)
    except VerificationError as error:
        return Wrong(Kind.TILE_ALTERED, error.explain(), notes)
    except MissingFileError as error:
        return Wrong(Kind.FILE_MISSING, f"{error.path} is promised by the checkpoint and is not there", notes)
