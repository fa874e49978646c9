"""What a monitor asks of the world besides the log's files: the anchors on chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ledger.monitor.evidence import Anchor


class AnchorSource(Protocol):
    """The final blocks of one chain, and the anchors of one contract in them."""

    def chain_id(self) -> int:
        """Return the chain's id.

        Raises:
            UnavailableError: The node does not answer.
            IntegrityError: The chain is not the one that the anchors are on.
        """
        ...

    def final_block(self) -> int:
        """Return the newest final block's number.

        Raises:
            UnavailableError: The node does not answer.
        """
        ...

    def block_hash(self, number: int) -> str:
        """Return a block's hash as hex."""
        ...

    def anchors(self, first: int, last: int) -> list[Anchor]:
        """Return the anchors of a range of blocks, both ends included, the oldest first.

        Raises:
            UnavailableError: The node does not answer.
        """
        ...
