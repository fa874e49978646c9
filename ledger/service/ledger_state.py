"""What the chain has decided, as events in memory: the source of every fold and of every binding.

Events stand under the contract and the heads they advance (``ledger.domain.heads``), the same keys under
which evidence proves that a history is complete. The contract is part of the key, since drafters choose
ids freely and one may choose another object's. Only final blocks are taken, so nothing is rolled back.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from ledger.domain import event_decoding, events
from ledger.domain.errors import IntegrityError
from ledger.domain.event_log import Recorded
from ledger.domain.heads import head_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.domain.event_log import Event
    from ledger.service.deployment import Deployment
    from ledger.service.ports import BlockRef, Chain, RawLog

_RANGE_BLOCKS: Final = 2_000

EventRecord = Recorded[events.Event]


class LedgerState:
    """All final events of one deployment, by head key, up to one block."""

    def __init__(self, chain: Chain, deployment: Deployment) -> None:
        self._chain = chain
        self._addresses = [contract.address for contract in deployment.contracts.values()]
        self._deployment = deployment
        self._lock = threading.RLock()
        self._histories: dict[tuple[bytes, bytes], list[EventRecord]] = defaultdict(list)
        self._assignments: dict[bytes, list[EventRecord]] = defaultdict(list)
        self._ids: dict[str, dict[bytes, None]] = defaultdict(dict)
        self._anchors: list[Recorded[events.CheckpointAnchored]] = []
        self._rotations: list[Recorded[events.LogKeyRotated]] = []
        first = min((contract.block for contract in deployment.contracts.values()), default=0)
        self._cursor = first - 1
        self._final: BlockRef | None = None
        self._count = 0

    def refresh(self) -> BlockRef:
        """Take every event up to the newest final block, and return that block.

        Raises:
            UnavailableError: The chain does not answer.
            IntegrityError: The chain gave a log that no contract of ours would emit.
        """
        with self._lock:
            final = self._later(self._chain.final_block())
            while self._cursor < final.number:
                last = min(self._cursor + _RANGE_BLOCKS, final.number)
                self._take(self._cursor + 1, last)
                self._cursor = last
            self._final = final
            return final

    def _later(self, final: BlockRef) -> BlockRef:
        """Return the newest final block that was ever told: a node that is behind takes nothing back.

        Raises:
            IntegrityError: The chain tells another block of a number that was final.
        """
        known = self._final
        if known is None or final.number > known.number:
            return final
        if final.number == known.number and final.hash != known.hash:
            raise IntegrityError(
                "chain", "a final block is another now", block=final.number, known=known.hash, found=final.hash
            )
        return known

    @property
    def final(self) -> BlockRef:
        """The block up to which events were taken: what new facts are bound at."""
        return self._final or self.refresh()

    @property
    def count(self) -> int:
        """Number of events taken."""
        return self._count

    def history(self, contract: str, key: bytes) -> tuple[EventRecord, ...]:
        """Return every event of a contract that advanced the head of ``key``, oldest first."""
        with self._lock:
            return tuple(self._histories.get((self._deployment.address(contract), key), ()))

    def length(self, contract: str, key: bytes) -> int:
        """Return the number of those events: a fold of them is stale when this has grown."""
        return len(self._histories.get((self._deployment.address(contract), key), ()))

    def every(self) -> list[EventRecord]:
        """Return every event once, in the order of the chain."""
        with self._lock:
            found = {recorded.position: recorded for history in self._histories.values() for recorded in history}
        return [found[position] for position in sorted(found)]

    def assignment(self, assignment: bytes) -> tuple[EventRecord, ...]:
        """Return the events of one responsibility assignment, oldest first."""
        with self._lock:
            return tuple(self._assignments.get(assignment, ()))

    def ids(self, kind: str) -> list[bytes]:
        """Return the ids of a kind (agency, post, dataset, agreement, assignment, case), oldest first."""
        with self._lock:
            return list(self._ids[kind])

    def anchors(self) -> Sequence[Recorded[events.CheckpointAnchored]]:
        """Return the anchors, oldest first."""
        with self._lock:
            return tuple(self._anchors)

    def rotations(self) -> Sequence[Recorded[events.LogKeyRotated]]:
        """Return which key of the log followed which, oldest first."""
        with self._lock:
            return tuple(self._rotations)

    def newest_anchor(self) -> Recorded[events.CheckpointAnchored] | None:
        """Return the newest anchor, None before the first."""
        with self._lock:
            return self._anchors[-1] if self._anchors else None

    def anchor_over(self, index: int) -> Recorded[events.CheckpointAnchored] | None:
        """Return the first anchor that covers a leaf, None where none does yet."""
        with self._lock:
            place = bisect_right(self._anchors, index, key=lambda recorded: recorded.event.size)
            return self._anchors[place] if place < len(self._anchors) else None

    def _take(self, first: int, last: int) -> None:
        logs = self._chain.logs(first, last, self._addresses)
        if not logs:
            return
        times = self._timestamps(logs)
        for log in logs:
            event = event_decoding.decode_log(log.topics, log.data)
            if event is not None:
                self._add(event, log, times[log.block_number])

    def _timestamps(self, logs: Sequence[RawLog]) -> dict[int, int]:
        first, last = logs[0].block_number, logs[-1].block_number
        return {header.number: header.timestamp for header in self._chain.headers(first, last)}

    def _add(self, event: Event, log: RawLog, timestamp: int) -> None:
        recorded = Recorded(
            event=event,
            block=log.block_number,
            block_hash=log.block_hash,
            timestamp=timestamp,
            tx_hash=log.tx_hash,
            tx_index=log.tx_index,
            log_index=log.log_index,
            address=log.address,
        )
        for key in head_keys(event):
            history = self._histories[log.address, key]
            if history and history[-1].position >= recorded.position:
                raise IntegrityError("chain", "events came out of order", block=log.block_number, index=log.log_index)
            history.append(recorded)
        self._count += 1
        self._register(event, recorded)

    def _register(self, event: Event, recorded: EventRecord) -> None:
        match event:
            case events.AgencyAdmitted():
                self._ids["agency"][event.agency] = None
            case events.PostRegistered():
                self._ids["post"][event.post] = None
            case events.EntryPublished():
                self._ids["dataset"][event.dataset] = None
            case events.AgreementProposed():
                self._ids["agreement"][event.agreement] = None
            case events.ResponsibilityAssigned():
                self._ids["assignment"][event.assignment] = None
                self._assignments[event.assignment].append(recorded)
            case events.ResponsibilityAccepted() | events.ResponsibilityEnded():
                self._assignments[event.assignment].append(recorded)
            case events.CaseAdvanced():
                self._ids["case"][event.case_id] = None
            case events.CheckpointAnchored():
                self._anchors.append(recorded)  # type: ignore[arg-type]  # The case narrows the event, not its record.
            case events.LogKeyRotated():
                self._rotations.append(recorded)  # type: ignore[arg-type]  # As above.
            case _:
                pass
