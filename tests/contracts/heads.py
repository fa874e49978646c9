"""The running head of an object, folded from the raw logs of a contract, beside the one in its storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.domain.event_decoding import decode_log
from ledger.domain.event_log import Event, Recorded
from ledger.domain.heads import advance, event_digest, head_keys, head_slot
from ledger.service.call_data import call_data

if TYPE_CHECKING:
    from tests.contracts.deployed import DeployedLedger


class History:
    """The events of one head, read as they come."""

    def __init__(self, ledger: DeployedLedger, contract: str, key: bytes) -> None:
        self._ledger, self._contract, self._key = ledger, contract, key
        self._next = ledger.chain.final_block().number + 1
        self.head = bytes(32)
        self.events: list[Recorded[Event]] = []

    def read(self) -> list[Recorded[Event]]:
        """Take in what was recorded since, and return all."""
        tip = self._ledger.chain.final_block().number
        if tip >= self._next:
            times = {header.number: header.timestamp for header in self._ledger.chain.headers(self._next, tip)}
            for log in self._ledger.chain.logs(self._next, tip, [self._ledger.address(self._contract)]):
                event = decode_log(log.topics, log.data)
                assert event is not None
                for _ in (key for key in head_keys(event) if key == self._key):
                    time, digest = times[log.block_number], event_digest(log.topics, log.data)
                    self.head = advance(self.head, block=log.block_number, timestamp=time, digest=digest)
                    self.events.append(
                        Recorded(
                            event=event,
                            block=log.block_number,
                            block_hash=log.block_hash,
                            timestamp=time,
                            tx_hash=log.tx_hash,
                            tx_index=log.tx_index,
                            log_index=log.log_index,
                            address=log.address,
                        )
                    )
            self._next = tip + 1
        return self.events

    def read_from_genesis(self) -> list[Recorded[Event]]:
        """Start over at the first block, for an object that has a past."""
        self.head, self.events, self._next = bytes(32), [], 0
        return self.read()

    def check_head(self) -> None:
        """The fold equals what the contract answers, and what its storage holds in the slot that proofs read."""
        self.read()
        address = self._ledger.address(self._contract)
        assert self._ledger.call(self._contract, call_data("heads", [("bytes32", self._key)])) == self.head
        (proof,) = self._ledger.chain.proofs({address: [head_slot(self._key)]})
        assert proof.slots[0][1].to_bytes(32, "big") == self.head
