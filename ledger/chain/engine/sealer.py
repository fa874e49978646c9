"""The one thread that owns the node: it boots it, feeds it blocks, and starts it again when it dies.

A block's life, with the crash points that kill tests use between the steps:

1. ``queued``: its transactions are in the queue on disk (``admission``).
2. ``pooled``: the node's pool took them. A refusal is committed first, and the batch is made anew without it.
3. ``journalled``: number, timestamp and transactions are committed. From here on the block is certain.
4. ``mined``: the node mined it.
5. ``checked``: every hash in it was recomputed from bytes.
6. ``signed``: the sealer's key has signed it.
7. ``stored``: header, receipts and seal are committed; only now can anyone see it.

Must stay true: a block that is journalled is mined with exactly its transactions in their order, before or after a
kill; timestamps strictly increase; the node's tip is the stored tip whenever ``mining`` is free.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

import structlog

from ledger.chain.engine.block_times import BlockTimes
from ledger.chain.engine.node import BATCH, ONE_BY_ONE, AnvilNode
from ledger.chain.engine.queue import Queue
from ledger.chain.engine.replay import broken, check_genesis, check_header, mine_again, replay
from ledger.chain.engine.seals import signed_seal
from ledger.chain.engine.snapshots import SinceSnapshot, altered_snapshots, load_newest, write_snapshot
from ledger.chain.rpc import RPCError
from ledger.domain.errors import IntegrityError, LedgerError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.chain.engine.config import EngineConfig
    from ledger.chain.engine.journal import Journal
    from ledger.chain.engine.journal_rows import Entry
    from ledger.chain.engine.node import MinedBlock

__all__ = ["CRASH_POINTS", "Sealer"]

_log = structlog.get_logger(__name__)

CRASH_POINTS: Final = (
    "genesis journalled", "queued", "refused", "pooled", "journalled", "mined", "checked", "signed", "stored",
    "snapshot written", "snapshot renamed", "snapshot recorded",
)  # fmt: skip
"""Every name that a ``crash_point`` hook is called with."""
_FAILURES_MAX: Final = 5
"""A node that fails so often at the same task does not fail by chance."""
_OF_THE_DISK: Final = frozenset({"the chain's journal", "the snapshot folder"})
"""What is unavailable when the disk is full or fails: this passes, and the engine waits for it."""
_DISK_WAIT_MAX_S: Final = 4.0
_CLOSING_SNAPSHOT_TRANSACTIONS: Final = 200
_CLOSING_SNAPSHOT_BLOCKS: Final = 20
"""A clean stop leaves the next start at most this much to replay."""


class Sealer:
    """Boots the node, then makes blocks until stopped.

    Attributes:
        changed: Guards ``queue`` and the state below; notified at every change.
        mining: Held while the node's tip may differ from the stored tip.
        queue: The transactions that wait.
    """

    def __init__(
        self,
        config: EngineConfig,
        journal: Journal,
        sign: Callable[[bytes], bytes],
        clock: Callable[[], float],
        crash_point: Callable[[str], None],
    ) -> None:
        self._config = config
        self._journal = journal
        self._sign = sign
        self._crash_point = crash_point
        self._times = BlockTimes(config, clock)
        self._snapshots = config.folder / "snapshots"
        self.changed = threading.Condition()
        self.mining = threading.Lock()
        self.queue = Queue(journal.placed_nonce)
        self._node: AnvilNode | None = None
        self._altered: dict[str, str] = {}
        self._ready = False
        self._stopping = False
        self._failure: LedgerError | None = None
        self._genesis_hash = b""
        self._tip_number = -1
        self._tip_hash = b""
        self._disk_error: UnavailableError | None = None
        self._since_snapshot = SinceSnapshot()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)

    # For the callers' threads.

    def start(self) -> None:
        """Boot, and return when blocks can be made.

        Raises:
            IntegrityError: The journal does not replay; the block is named.
            UnavailableError: The node cannot be started.
        """
        for entry in self._journal.pending():
            self.queue.admit(entry)
        self._thread.start()
        with self.changed:
            self.changed.wait_for(lambda: self._ready or self._failure is not None)
            if self._failure is not None:
                raise self._failure

    def stop(self) -> None:
        """Finish the block at work, and end the node."""
        with self.changed:
            self._stopping = True
            self.changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def node(self, timeout_s: float) -> AnvilNode:
        """Return the node, waiting while it is started again.

        Raises:
            LedgerError: What stopped the engine.
            UnavailableError: It is not back in time, or the engine is stopped.
        """
        with self.changed:
            self.changed.wait_for(lambda: self._ready or self._stopping or self._failure is not None, timeout_s)
            self.check_serving()
            if not self._ready and self._disk_error is not None:
                raise self._disk_error
            if not self._ready or self._node is None:
                raise UnavailableError("the embedded node", "it is being started again")
            return self._node

    def check_serving(self) -> None:
        """Raise what stopped the engine, if anything did."""
        if self._failure is not None:
            raise self._failure
        if self._stopping:
            raise UnavailableError("the embedded chain", "it is stopped")

    @property
    def tip_number(self) -> int:
        """The newest block that is stored."""
        return self._tip_number

    def altered_snapshots(self) -> dict[str, str]:
        """Return why each altered snapshot is none, by its file: those found at a start, and those there now."""
        return {**self._altered, **altered_snapshots(self._journal, self._snapshots)}

    # The thread.

    def _run(self) -> None:
        try:
            self._serve()
        except LedgerError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the thread's last stand: whatever it is, callers must hear of it.
            _log.exception("sealer_fault")
            self._fail(UnavailableError("the embedded chain", f"{type(error).__name__}: {error}"))
        finally:
            self._end_node()

    def _fail(self, error: LedgerError) -> None:
        _log.error("engine_stopped", code=error.code, reason=error.explain())
        with self.changed:
            self._failure, self._ready = error, False
            self.changed.notify_all()

    def _serve(self) -> None:
        failures = 0
        has_served = False
        while not self._stopping:
            tip_before = self._tip_number
            try:
                if self._node is None:
                    self._boot()
                    has_served = True
                    if failures:
                        _log.info("node_back", block=self._tip_number)
                while self._wait_for_work():
                    self._make_block()
                    failures, self._disk_error = 0, None
                self._snapshot_before_end()
            except (UnavailableError, RPCError) as error:
                busy = not self._ready or (self._tip_number == tip_before and self.queue.ready_count > 0)
                failures = failures + 1 if busy else 1
                _log.warning("node_lost", reason=error.explain(), failures=failures)
                self._end_node()
                if has_served and isinstance(error, UnavailableError) and error.what in _OF_THE_DISK:
                    self._wait_for_disk(error, failures)
                elif failures >= _FAILURES_MAX:
                    raise

    def _wait_for_disk(self, error: UnavailableError, failures: int) -> None:
        """Wait before the next try; what waits for a block stays in the queue, which is on disk."""
        with self.changed:
            self._disk_error = error
            self.changed.notify_all()
            self.changed.wait_for(lambda: self._stopping, min(0.25 * failures, _DISK_WAIT_MAX_S))

    def _end_node(self) -> None:
        with self.changed:
            node, self._node, self._ready = self._node, None, False
        if node is not None:
            node.kill()

    # Booting.

    def _boot(self) -> None:
        try:
            self._boot_from(self._load(), BATCH)
        except IntegrityError as error:
            # Before anyone is alarmed: once more from genesis, with nothing but the journal to go by, one by one.
            self._end_node()
            _log.warning("replay_differs", reason=error.explain(), next="the whole journal from genesis")
            self._boot_from((self._start_node(), 0), ONE_BY_ONE)
        self._times.has_mined()
        with self.changed:
            self._ready = True
            self.changed.notify_all()
        self._snapshot_if_due()

    def _load(self) -> tuple[AnvilNode, int]:
        self._node, number = load_newest(self._config, self._journal, self._snapshots, self._wake, self._altered)
        return self._node, number

    def _start_node(self) -> AnvilNode:
        self._node = AnvilNode.start(self._config, on_exit=self._wake)
        return self._node

    def _wake(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def _boot_from(self, start: tuple[AnvilNode, int], at_once: int) -> None:
        node, number = start
        began = time.monotonic()
        newest = self._journal.newest()
        if newest is None or (newest.number == 0 and not newest.hash):
            self._store_genesis(node, is_journalled=newest is not None)
        if number == 0:
            check_genesis(node, self._journal)
        replayed = self._journal.count_placed(number)
        last = replay(node, self._journal, number, at_once)
        tip = self._journal.tip()
        if tip is None or tip.number != last:
            raise broken(last, "the journal's tip is not the last block replayed")
        self._set_tip(tip.number, tip.hash, tip.timestamp)
        self._genesis_hash = self._journal.blocks(0, 0)[0].hash
        check_header(self._journal, last)
        self._finish_interrupted(node, at_once)
        self._since_snapshot = SinceSnapshot(self._tip_number - number, replayed)
        _log.info(
            "chain_ready",
            block=self._tip_number,
            snapshot=number,
            transactions_replayed=replayed,
            seconds=round(time.monotonic() - began, 3),
        )

    def _store_genesis(self, node: AnvilNode, *, is_journalled: bool) -> None:
        try:
            mined = node.fetch(())
        except ValueError as error:
            raise broken(0, str(error)) from error
        header = mined.block.header
        if header.number != 0 or header.timestamp != self._config.genesis_time:
            raise broken(0, "the node's genesis is not of the time set")
        if not is_journalled:
            self._journal.begin_block(0, header.timestamp, node.version, ())
        self._crash_point("genesis journalled")
        self._store(mined)

    def _finish_interrupted(self, node: AnvilNode, at_once: int) -> None:
        """Mine the block that was journalled, and perhaps mined, but not stored when the engine last ended."""
        newest = self._journal.newest()
        if newest is None or newest.hash:
            return
        raws = self._journal.raw_transactions(newest.number)
        mine_again(node, newest.number, newest.timestamp, raws, at_once)
        try:
            mined = node.fetch(raws)
        except ValueError as error:
            raise broken(newest.number, str(error)) from error
        self._accept(mined, newest.number, newest.timestamp)

    # Making blocks.

    def _wait_for_work(self) -> bool:
        """Return True when a block is to be made now, False when the engine is to stop."""
        with self.changed:
            while not self._stopping:
                if self._node is None or not self._node.is_alive():
                    raise UnavailableError("the embedded node", "it ended")
                wait_s = self._times.wait_s(has_work=self.queue.ready_count > 0)
                if wait_s <= 0:
                    return True
                self.changed.wait(wait_s if wait_s < threading.TIMEOUT_MAX else None)
        return False

    def _make_block(self) -> None:
        assert self._node is not None  # noqa: S101 - booted
        node = self._node
        with self.changed:
            wanted = self.queue.ready_count > 0
            batch = self._take()
        with self.mining:
            try:
                batch = self._fill_pool(node, batch)
                if wanted and not batch:
                    return
                self._crash_point("pooled")
                number, timestamp = self._tip_number + 1, self._times.next()
                self._journal.begin_block(number, timestamp, node.version, batch)
            except LedgerError:
                with self.changed:
                    self.queue.put_back(batch)
                raise
            self._crash_point("journalled")
            node.mine(timestamp)
            self._times.has_mined()
            self._crash_point("mined")
            try:
                mined = node.fetch([entry.raw for entry in batch])
            except ValueError as error:
                # Journalled already, so the next boot mines it again; if it differs again, that is an integrity error.
                raise UnavailableError("the embedded node", f"it mined another block: {error}", block=number) from error
            self._crash_point("checked")
            self._accept(mined, number, timestamp)
        self._since_snapshot.add(len(batch))
        self._snapshot_if_due()

    def _take(self) -> list[Entry]:
        return self.queue.take(count_max=self._config.block_transactions_max, gas_max=self._config.block_gas_limit)

    def _fill_pool(self, node: AnvilNode, batch: list[Entry]) -> list[Entry]:
        """Put the batch into the node's pool and return it, without what the pool refuses for good."""
        while True:
            answers = node.pool([entry.raw for entry in batch])
            refused = [(entry, why) for entry, why in zip(batch, answers, strict=True) if why is not None]
            if not refused:
                return batch
            node.empty_pool()
            for entry, why in refused:
                _log.warning("transaction_refused", transaction=entry.hash.hex(), reason=why)
            with self._journal.write_lock, self.changed:
                self._journal.refuse(refused)
                self.queue.put_back(batch)
                self.queue.drop([entry for entry, _ in refused])
                batch[:] = self._take()
                self.changed.notify_all()
            self._crash_point("refused")

    def _accept(self, mined: MinedBlock, number: int, timestamp: int) -> None:
        header = mined.block.header
        if (header.number, header.parent_hash, header.timestamp) != (number, self._tip_hash, timestamp):
            raise broken(
                number, "the node mined another number, parent or time", found=header.number, parent=header.parent_hash
            )
        self._store(mined)

    def _store(self, mined: MinedBlock) -> None:
        header = mined.block.header
        genesis_hash = self._genesis_hash or header.hash
        signer, seal = signed_seal(self._sign, header, chain_id=self._config.chain_id, genesis_hash=genesis_hash)
        self._crash_point("signed")
        self._journal.finish_block(mined.block, mined.reverts, signer, seal)
        self._crash_point("stored")
        self._set_tip(header.number, header.hash, header.timestamp)

    def _set_tip(self, number: int, block_hash: bytes, timestamp: int) -> None:
        with self.changed:
            self._tip_number, self._tip_hash, self._times.newest = number, block_hash, timestamp
            self.changed.notify_all()

    # Snapshots.

    def _snapshot_if_due(self) -> None:
        if self._since_snapshot.reaches(self._config.snapshot_transactions, self._config.snapshot_blocks):
            self._snapshot()

    def _snapshot_before_end(self) -> None:
        if self._since_snapshot.reaches(_CLOSING_SNAPSHOT_TRANSACTIONS, _CLOSING_SNAPSHOT_BLOCKS):
            self._snapshot()

    def _snapshot(self) -> None:
        assert self._node is not None  # noqa: S101 - booted
        write_snapshot(self._node, self._journal, self._snapshots, self._tip_number, self._crash_point)
        self._since_snapshot = SinceSnapshot()
