"""The anchors on chain, compared with the tree that this monitor has hashed itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.domain.errors import IntegrityError, VerificationError
from ledger.log.errors import MissingFileError
from ledger.monitor.evidence import Kind
from ledger.monitor.state import ANCHORS_MAX
from ledger.monitor.watching import Wrong, prove_prefix

if TYPE_CHECKING:
    from ledger.log.ports import Fetcher
    from ledger.monitor.evidence import Anchor
    from ledger.monitor.ports import AnchorSource
    from ledger.monitor.state import MonitorState, Verified, Watched

_BLOCKS_AT_ONCE: Final = 2_000


def read_anchors(chain: AnchorSource, watched: Watched, state: MonitorState, first_block: int) -> Wrong | None:
    """Take the anchors of all blocks that are final and new into ``state.verified.waiting``.

    Returns:
        What is wrong with the chain itself: it is another one, or took a final block back.

    Raises:
        UnavailableError: The node does not answer.
    """
    verified = state.verified
    try:
        found = chain.chain_id()
    except IntegrityError as error:
        return Wrong(Kind.CHAIN_DIFFERS, error.explain())
    if found != watched.chain_id:
        return Wrong(Kind.CHAIN_DIFFERS, f"the node is of chain {found}, not {watched.chain_id}")
    final = chain.final_block()
    if verified.block >= 0:
        if final < verified.block:
            return None  # A node that is behind another; what it will show later is checked then.
        held = chain.block_hash(verified.block)
        if held != verified.block_hash:
            return Wrong(
                Kind.CHAIN_DIFFERS,
                f"final block {verified.block} was {verified.block_hash} and is {held or 'not there'} now",
            )
    cursor = max(verified.block + 1, first_block)
    while cursor <= final and len(verified.waiting) < ANCHORS_MAX:
        last = min(cursor + _BLOCKS_AT_ONCE - 1, final)
        verified.waiting += chain.anchors(cursor, last)
        verified.block, verified.block_hash = last, chain.block_hash(last)
        cursor = last + 1
    return None


def compare_anchor(fetcher: Fetcher, verified: Verified, anchor: Anchor, source: str) -> Wrong | None:
    """Return what is wrong with an anchor that is within the verified tree, None if it is the tree's.

    Raises:
        UnavailableError: The log does not answer.
    """
    tree = verified.tree
    note = verified.shown(source)
    told = f"the chain holds {anchor.root} for {anchor.size} entries (block {anchor.block})"
    if anchor.size == tree.size:
        if anchor.root == tree.root().hex():
            return None
        return Wrong(Kind.ANCHOR_DIFFERS, f"{told}, the log has {tree.root().hex()}", (note,), anchor=anchor)
    if not anchor.size:
        return None
    try:
        prefix = prove_prefix(fetcher, anchor.size, tree.size, tree.root())
    except (VerificationError, MissingFileError) as error:
        return Wrong(
            Kind.TILE_ALTERED, f"{told}, and the log's tiles give no proof: {error.explain()}", (note,), anchor=anchor
        )
    if prefix.root == anchor.root:
        return None
    return Wrong(Kind.ANCHOR_DIFFERS, f"{told}, the log has {prefix.root}", (note,), prefix, anchor)
