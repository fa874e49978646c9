"""Bring a node to the journal's tip by mining every block again, and stop at the first that comes out differently.

Two depths: ``replay`` compares each block's hash, which is what start-up needs; ``replay_from_genesis`` starts a node
of its own at genesis and compares headers, receipts, links and seals too, which is what ``fsck`` needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ledger.chain.engine.block import decode_header
from ledger.chain.engine.node import BATCH, AnvilNode
from ledger.chain.engine.transaction import recover
from ledger.chain.rpc import RPCError, to_hex
from ledger.domain.errors import IntegrityError
from ledger.domain.seal import seal_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ledger.chain.engine.config import EngineConfig
    from ledger.chain.engine.journal import Journal
    from ledger.chain.engine.journal_rows import JournalledBlock

__all__ = ["broken", "check_genesis", "check_header", "mine_again", "replay", "replay_from_genesis"]

_CHUNK: Final = 256


def broken(number: int, reason: str, **fields: object) -> IntegrityError:
    """Return the error that names a block whose records disagree."""
    return IntegrityError(f"block {number}", reason, block=number, **fields)


def finished_blocks(journal: Journal, first: int) -> Iterator[JournalledBlock]:
    """Yield the mined and stored blocks from ``first`` on.

    Raises:
        IntegrityError: A number is missing, or a block without a hash is not the newest.
    """
    expected = first
    newest = journal.newest()
    while blocks := journal.blocks(expected, expected + _CHUNK - 1):
        for block in blocks:
            if block.number != expected:
                raise broken(expected, "the journal lacks it")
            if not block.hash:
                if newest is None or newest.number != block.number:
                    raise broken(block.number, "it was never finished, and later blocks exist")
                return
            yield block
            expected += 1
    if newest is not None and newest.number >= expected:
        raise broken(expected, "the journal lacks it")


def mine_again(
    node: AnvilNode, number: int, timestamp: int, raw_transactions: Sequence[bytes], at_once: int = BATCH
) -> None:
    """Put a journalled block's transactions into the pool, and mine.

    Raises:
        IntegrityError: The node refuses what it once took.
        UnavailableError: The node is gone.
    """
    for raw, refusal in zip(raw_transactions, node.pool(raw_transactions, at_once), strict=True):
        if refusal is not None:
            raise broken(number, f"the node refuses a transaction of it: {refusal}", transaction=raw[:32])
    try:
        node.mine(timestamp)
    except RPCError as error:
        raise broken(number, error.explain()) from error


def replay(node: AnvilNode, journal: Journal, after: int, at_once: int = BATCH) -> int:
    """Mine the finished blocks above ``after`` again; return the number of the last.

    Args:
        node: A node whose tip is block ``after``.
        journal: The journal.
        after: The block to begin behind.
        at_once: Transactions in one request to the node.

    Raises:
        IntegrityError: A block's hash differs; it is named.
        UnavailableError: The node is gone.
    """
    last = after
    for block in finished_blocks(journal, after + 1):
        mine_again(node, block.number, block.timestamp, journal.raw_transactions(block.number), at_once)
        found = node.tip_hash()
        if found != block.hash:
            raise broken(
                block.number, "mined again it has another hash", stored=to_hex(block.hash), found=to_hex(found)
            )
        last = block.number
    return last


def check_genesis(node: AnvilNode, journal: Journal) -> None:
    """Compare a fresh node's genesis with the journal's.

    Raises:
        IntegrityError: They differ.
    """
    stored, found = journal.blocks(0, 0), node.tip_hash()
    if not stored or stored[0].hash != found:
        raise broken(0, "the node makes another genesis", found=to_hex(found))


def replay_from_genesis(
    config: EngineConfig, journal: Journal, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> int:
    """Mine the whole journal again on a node of its own, comparing all that is stored; return the last block's number.

    The engine may run meanwhile: what it adds after the start is not looked at.

    Args:
        config: The deployment.
        journal: The journal.
        progress: Told after each block: its number, and the last number.

    Raises:
        IntegrityError: The first block whose header, transactions, receipts, link or seal differs, by name.
        UnavailableError: The node cannot be started, or is gone.
    """
    tip = journal.tip()
    if tip is None:
        return -1
    with AnvilNode.start(config) as node:
        check_genesis(node, journal)
        genesis = journal.blocks(0, 0)[0]
        _check_seal(config, genesis, genesis)
        parent = genesis
        for block in finished_blocks(journal, 1):
            if block.number > tip.number:
                break
            _check_block(node, journal, block, parent)
            _check_seal(config, genesis, block)
            progress(block.number, tip.number)
            parent = block
    return parent.number


def _check_block(node: AnvilNode, journal: Journal, block: JournalledBlock, parent: JournalledBlock) -> None:
    number = block.number
    raws = journal.raw_transactions(number)
    mine_again(node, number, block.timestamp, raws)
    try:
        mined = node.fetch(raws)
        header = decode_header(block.header)
    except ValueError as error:
        raise broken(number, str(error)) from error
    if mined.block.header.rlp != block.header:
        raise broken(number, "mined again it has another header", found=to_hex(mined.block.header.hash))
    if header.hash != block.hash or header.number != number or header.timestamp != block.timestamp:
        raise broken(number, "its stored header is not that of its hash, number and time")
    if header.parent_hash != parent.hash or block.timestamp <= parent.timestamp:
        raise broken(number, "it does not follow its parent")
    stored = [receipt for _, _, receipts in journal.receipts(number, number) for receipt in receipts]
    if [receipt.rlp for receipt in stored] != [receipt.rlp for receipt in mined.block.receipts]:
        raise broken(number, "its stored receipts are not those that it gives")
    if [receipt.revert for receipt in stored] != list(mined.reverts):
        raise broken(number, "its stored revert data is not what it gives")


def _check_seal(config: EngineConfig, genesis: JournalledBlock, block: JournalledBlock) -> None:
    digest = seal_digest(config.chain_id, genesis.hash, number=block.number, block_hash=block.hash)
    try:
        signer = recover(digest, block.seal)
    except ValueError as error:
        raise broken(block.number, f"its seal is no signature: {error}") from error
    if signer != block.signer:
        raise broken(block.number, "its seal is not by the signer recorded", recorded=block.signer, found=signer)


def check_header(journal: Journal, number: int) -> None:
    """Compare the stored tip's header with its hash: everything that is mined next links to it.

    Raises:
        IntegrityError: It is another's, or cannot be read.
    """
    block = journal.blocks(number, number)[0]
    try:
        header = decode_header(block.header)
    except ValueError as error:
        raise broken(number, f"its stored header cannot be read: {error}") from error
    if header.hash != block.hash:
        raise broken(number, "its stored header is not that of its hash")
