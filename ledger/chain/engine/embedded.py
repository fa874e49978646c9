"""The embedded chain: anvil driven by a journal, behind the port ``Chain``.

    chain = EmbeddedChain(config, sign=sealer_key.sign_digest)
    chain.start()
    tx_hash = chain.submit(raw)                 # on disk when it returns
    receipt = chain.wait_receipt(tx_hash, 5.0)  # sealed and stored when it returns
    chain.close()

Every block is final once it is stored. Blocks, receipts and logs are read from the journal, never from the node; the
node answers what needs the present state (calls, proofs). Past state is not kept: it comes from events and the index.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Self

from ledger.chain.engine.admission import Admission
from ledger.chain.engine.block import decode_header, decode_receipt
from ledger.chain.engine.journal import Journal
from ledger.chain.engine.kept_proofs import KeptProofs
from ledger.chain.engine.replay import replay_from_genesis
from ledger.chain.engine.sealer import Sealer
from ledger.chain.engine.state_reads import read_code, read_proofs, simulate, view
from ledger.domain.errors import NotFoundError, RefusedError, UnavailableError
from ledger.service.ports import BlockBundle, BlockHeader, BlockRef, ChainReceipt, RawLog, Seal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from ledger.chain.engine.config import EngineConfig
    from ledger.chain.engine.journal_rows import JournalledBlock, StoredReceipt
    from ledger.service.ports import Simulation, StateProof

__all__ = ["EmbeddedChain"]

_NODE_WAIT_S: Final = 60.0
"""A node that died is replaced within the time of a replay from the newest snapshot."""
_READS: Final = frozenset(
    {"eth_call", "eth_estimateGas", "eth_getBalance", "eth_getCode", "eth_getStorageAt", "eth_getProof"}
)


class EmbeddedChain:
    """Implements ``ledger.service.ports.Chain``. Safe to share between threads.

    Args:
        config: The deployment and its bounds.
        sign: Signs 32 bytes with the sealer's secp256k1 key: 65 bytes r, s, v.
        clock: Unix time in seconds.
        crash_point: Called with a step's name between the steps of a block's life; for kill tests.
    """

    def __init__(
        self,
        config: EngineConfig,
        sign: Callable[[bytes], bytes],
        *,
        clock: Callable[[], float] = time.time,
        crash_point: Callable[[str], None] = lambda _step: None,
    ) -> None:
        self._config = config
        config.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = _lock_folder(config.folder)
        with ExitStack() as held:
            held.callback(os.close, self._lock)
            self._journal = Journal(config.folder / "journal.db")
            held.callback(self._journal.close)
            self._journal.fix("chain_id", config.chain_id)
            self._journal.fix("genesis_time", config.genesis_time)
            self._journal.fix("block_gas_limit", config.block_gas_limit)
            held.pop_all()  # ``close`` closes both.
        self._sealer = Sealer(config, self._journal, sign, clock, crash_point)
        self._admission = Admission(config, self._journal, self._sealer.queue, self._sealer.changed, crash_point)
        self._proofs = KeptProofs()
        self._is_closed = False

    def start(self) -> None:
        """Replay the journal and begin to make blocks.

        Raises:
            IntegrityError: A block of the journal comes out differently; it is named.
            UnavailableError: The node cannot be started.
        """
        try:
            self._sealer.start()
        except BaseException:  # Also when interrupted: the node, journal and folder are let go. Raised again.
            self.close()
            raise

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish the block at work, end the node and close the journal. What is queued stays on disk."""
        if not self._is_closed:
            self._is_closed = True
            self._sealer.stop()
            self._journal.close()
            os.close(self._lock)

    # Transactions.

    def chain_id(self) -> int:
        """Return the deployment's chain id."""
        return self._config.chain_id

    def submit(self, raw_transaction: bytes, held_max: int | None = None) -> bytes:
        """Return the transaction's hash once it is in the queue on disk; the same bytes may be given again.

        Args:
            raw_transaction: The signed transaction.
            held_max: How many of its sender's transactions the queue may hold, this one counted; any number if None.

        Raises:
            InvalidInputError: This chain can never take it.
            ConflictError: Another transaction of the sender has its nonce.
            RefusedError: The node refused it before.
            UnavailableError: The queue is full or holds enough of the sender, or the engine is stopped.
            IntegrityError: The engine stopped because its records disagree.
        """
        self._sealer.check_serving()
        return self._admission.submit(raw_transaction, held_max)

    def nonce(self, address: bytes) -> int:
        """Return the nonce that the account's next transaction should carry, those in the queue counted."""
        with self._sealer.changed:
            return self._sealer.queue.next_nonce(address)

    def receipt(self, tx_hash: bytes) -> ChainReceipt | None:
        """Return what became of a transaction, or None while it is in no stored block."""
        found = self._journal.receipt(tx_hash)
        if found is None:
            return None
        number, block_hash, stored = found
        return _receipt(number, block_hash, stored)

    def wait_receipt(self, tx_hash: bytes, timeout_s: float) -> ChainReceipt:
        """Return the receipt as soon as the transaction's block is stored.

        Raises:
            RefusedError: The node refused the transaction; it is in no block.
            UnavailableError: The time is over, or the engine is stopped.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            tip = self._sealer.tip_number
            found = self.receipt(tx_hash)
            if found is not None:
                return found
            placed = self._journal.find(tx_hash)
            if placed is not None and placed.refusal is not None:
                reason = {"transaction": "0x" + tx_hash.hex(), "reason": placed.refusal}
                raise RefusedError("TransactionRefused", reason)
            with self._sealer.changed:
                self._sealer.check_serving()
                if self._sealer.tip_number == tip and not self._sealer.changed.wait(deadline - time.monotonic()):
                    raise UnavailableError("the receipt", "the transaction is in no block yet", transaction=tx_hash)

    # Blocks.

    def final_block(self) -> BlockRef:
        """Return the newest block: stored is final here."""
        tip = self._journal.tip()
        if tip is None:
            raise UnavailableError("the embedded chain", "it has not been started yet")
        return BlockRef(tip.number, tip.hash, tip.timestamp)

    def head_block(self) -> BlockRef:
        """Return the newest block, which is final."""
        return self.final_block()

    def headers(self, first: int, last: int) -> list[BlockHeader]:
        """Return the headers of a range, both ends included."""
        return [
            BlockHeader(block.number, block.hash, decode_header(block.header).parent_hash, block.timestamp)
            for block in self._journal.blocks(first, last)
            if block.hash
        ]

    def block(self, number: int) -> BlockBundle:
        """Return a block as stored bytes, with its seal.

        Raises:
            NotFoundError: No such block is stored.
        """
        stored = self._stored_block(number)
        receipts = [receipt for _, _, found in self._journal.receipts(number, number) for receipt in found]
        return BlockBundle(
            ref=BlockRef(stored.number, stored.hash, stored.timestamp),
            header_rlp=stored.header,
            transactions=tuple(self._journal.raw_transactions(number)),
            receipts=tuple(receipt.rlp for receipt in receipts),
            seals=(Seal(stored.signer, stored.seal),),
        )

    def _stored_block(self, number: int) -> JournalledBlock:
        found = self._journal.blocks(number, number)
        if not found or not found[0].hash:
            raise NotFoundError("block", number)
        return found[0]

    def block_number(self, block_hash: bytes) -> int | None:
        """Return the number of the stored block with this hash."""
        return self._journal.block_number(block_hash)

    def transaction(self, tx_hash: bytes) -> tuple[bytes, BlockRef | None, int | None] | None:
        """Return an acknowledged transaction's bytes, and its place if its block is stored."""
        raw, placed = self._journal.raw_transaction(tx_hash), self._journal.find(tx_hash)
        if raw is None or placed is None or placed.refusal is not None:
            return None
        if placed.block is None or placed.block > self._sealer.tip_number:
            return raw, None, None
        stored = self._stored_block(placed.block)
        return raw, BlockRef(stored.number, stored.hash, stored.timestamp), placed.position

    def block_receipts(self, number: int) -> list[ChainReceipt]:
        """Return the receipts of a stored block in order."""
        return [
            _receipt(number, block_hash, stored)
            for _, block_hash, found in self._journal.receipts(number, number)
            for stored in found
        ]

    def logs(self, first: int, last: int, addresses: Sequence[bytes]) -> list[RawLog]:
        """Return the logs of a range of blocks, both ends included, of these contracts (of all, if none is named)."""
        return list(self.iterate_logs(first, last, addresses))

    def iterate_logs(self, first: int, last: int, addresses: Sequence[bytes]) -> Iterator[RawLog]:
        """Yield what ``logs`` returns, one at a time, for a reader that may stop."""
        wanted = frozenset(addresses)
        for number, block_hash, receipts in self._journal.receipts(first, last):
            for stored in receipts:
                for place, (address, topics, data) in enumerate(decode_receipt(stored.rlp).logs, stored.first_log):
                    if not wanted or address in wanted:
                        yield RawLog(address, topics, data, number, block_hash, stored.tx_hash, stored.position, place)

    # Present state.

    def call(self, to: bytes, data: bytes) -> bytes:
        """Return what a view answers at the newest block.

        Raises:
            RefusedError: It reverted; ``data`` holds what it returned, as hex.
            UnavailableError: The node is being started again.
        """
        node = self._sealer.node(_NODE_WAIT_S)
        with self._sealer.mining:
            return view(node.rpc, to, data)

    def simulate(self, sender: bytes, to: bytes, data: bytes) -> Simulation:
        """Try a call as ``sender`` on the newest state, without sending it."""
        node = self._sealer.node(_NODE_WAIT_S)
        # A block that is mined while the node estimates makes it refuse the state that it had begun on.
        with self._sealer.mining:
            return simulate(node.rpc, sender, to, data)

    def code(self, address: bytes) -> bytes:
        """Return the runtime code at an address, empty where there is none."""
        node = self._sealer.node(_NODE_WAIT_S)
        with self._sealer.mining:
            return read_code(node.rpc, address)

    def proofs(self, wanted: Mapping[bytes, Sequence[bytes]]) -> list[StateProof]:
        """Prove slots of several accounts under the newest block; none is mined meanwhile.

        Raises:
            IntegrityError: The node's proofs are not under that block's state root.
            UnavailableError: The node is being started again.
        """
        node = self._sealer.node(_NODE_WAIT_S)
        with self._sealer.mining:
            stored = self._stored_block(self._sealer.tip_number)
            block = BlockRef(stored.number, stored.hash, stored.timestamp)
            root = decode_header(stored.header).state_root
            return self._proofs.get(block.hash, wanted, lambda: read_proofs(node.rpc, wanted, block, root, "latest"))

    def read(self, method: str, params: Sequence[Any]) -> Any:  # A JSON-RPC result is any JSON value.
        """Pass one of the state reads of JSON-RPC to the node, for the gateway.

        Raises:
            ValueError: The method is none of them.
            RPCError: The node's error.
            UnavailableError: The node is being started again.
        """
        if method not in _READS:
            raise ValueError(f"{method} is not passed on")
        rpc = self._sealer.node(_NODE_WAIT_S).rpc
        with self._sealer.mining:  # Nobody sees the state of a block that is not stored yet.
            return rpc.call(method, *params)

    # Keeping.

    def replay_from_genesis(self, progress: Callable[[int, int], None] = lambda _done, _all: None) -> int:
        """Mine the whole journal again on a node of its own and compare everything; return the last block's number.

        Raises:
            IntegrityError: The first block that differs, by name.
        """
        return replay_from_genesis(self._config, self._journal, progress)

    def altered_snapshots(self) -> dict[str, str]:
        """Return why each altered snapshot is none, by its file: those found at a start, and those there now."""
        return self._sealer.altered_snapshots()

    def backup(self, folder: Path) -> None:
        """Write a copy of journal and snapshots that a new engine can start from, while this one runs."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        snapshots = self._config.folder / "snapshots"
        self._journal.copy_to(folder / "journal.db")
        if snapshots.exists():
            # One that is replaced meanwhile is missing in the copy, and more is replayed.
            (folder / "snapshots").mkdir(exist_ok=True)
            for snapshot in self._journal.snapshots():
                source = snapshots / snapshot.file
                if source.exists():
                    shutil.copyfile(source, folder / "snapshots" / snapshot.file)

    @property
    def node_pid(self) -> int:
        """The node's process, for supervision."""
        return self._sealer.node(_NODE_WAIT_S).pid


def _receipt(number: int, block_hash: bytes, stored: StoredReceipt) -> ChainReceipt:
    receipt = decode_receipt(stored.rlp)
    logs = tuple(
        RawLog(address, topics, data, number, block_hash, stored.tx_hash, stored.position, place)
        for place, (address, topics, data) in enumerate(receipt.logs, stored.first_log)
    )
    return ChainReceipt(
        tx_hash=stored.tx_hash,
        block_number=number,
        block_hash=block_hash,
        tx_index=stored.position,
        status=receipt.status,
        gas_used=stored.gas_used,
        logs=logs,
        revert=stored.revert,
    )


def _lock_folder(folder: Path) -> int:
    """Take the folder for this process; the kernel gives it back however the process ends."""
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise UnavailableError("the chain's folder", "another process has it open", folder=str(folder)) from error
    return descriptor
