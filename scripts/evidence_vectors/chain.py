"""A chain without a virtual machine: blocks whose tries, heads, seals and hashes are right because they are made so.

Whoever uses it says which events a transaction emitted; nothing checks that a contract would. It gives the reads of the
port ``Chain`` that evidence is gathered through, and it can be told to lie.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import coincurve

from ledger.domain import rlp
from ledger.domain.block import decode_header
from ledger.domain.heads import advance, event_digest, head_keys, head_slot
from ledger.domain.keccak import keccak256, keccak256_text
from ledger.domain.seal import seal_digest
from ledger.service.ports import BlockBundle, BlockHeader, BlockRef, RawLog, Seal, StateProof
from scripts.evidence_vectors.tries import Trie, ordered, secure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.domain.event_log import Event

GENESIS_TIME: Final = 1_767_225_600
"""2026-01-01T00:00:00Z."""
_BLOOM: Final = bytes(256)
_EMPTY_UNCLES: Final = keccak256(b"\xc0")
_NAMES: Final = (
    "AccessManager", "AgencyRegistry", "AgreementLedger", "CaseLedger", "Catalogue", "CheckpointAnchor",
    "ResponsibilityLedger",
)  # fmt: skip


class Key:
    """A secp256k1 key from a word, for vectors only."""

    def __init__(self, word: str) -> None:
        self._key = coincurve.PrivateKey(keccak256_text(f"quanze vectors: {word}"))
        self.address = keccak256(self._key.public_key.format(compressed=False)[1:])[12:]

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the signature r ‖ s ‖ v."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes((signature[64] + 27,))


class MadeChain:
    """Blocks made one transaction after another, ten seconds apart."""

    def __init__(self, chain_id: int, sealers: Sequence[Key], seed: str = "") -> None:
        self._chain_id = chain_id
        self.sealers = list(sealers)
        self.addresses = {name: keccak256_text(f"address of {name}{seed}")[12:] for name in _NAMES}
        self.code_hashes = {name: keccak256_text(f"code of {name}") for name in _NAMES}
        self._accounts: dict[bytes, bytes] = {}
        """Further accounts with code: contract accounts that sign."""
        self._heads: dict[tuple[bytes, bytes], bytes] = {}
        self._states: dict[int, tuple[Trie, dict[bytes, Trie]]] = {}
        self._logs: list[RawLog] = []
        self._waiting: list[tuple[bytes, list[tuple[bytes, tuple[bytes, ...], bytes]]]] = []
        self.bundles: list[BlockBundle] = []
        self.time = GENESIS_TIME - 10
        self.mine()
        self.genesis_hash = self.bundles[0].ref.hash

    # Making blocks.

    def add(self, contract: str, data: bytes, events: Sequence[Event]) -> None:
        """Put a transaction into the next block: a call of a contract that emitted these events."""
        address = self.addresses[contract]
        logs = [(address, *event.to_log()) for event in events]
        self._waiting.append((_transaction(self._chain_id, len(self._logs), address, data), logs))
        number, timestamp = len(self.bundles), self.time + 10
        for event, (_, topics, log_data) in zip(events, logs, strict=True):
            for key in head_keys(event):
                known = self._heads.get((address, key), bytes(32))
                self._heads[address, key] = advance(
                    known, block=number, timestamp=timestamp, digest=event_digest(topics, log_data)
                )

    def give_code(self, address: bytes) -> None:
        """Make an address a contract account."""
        self._accounts[address] = keccak256(b"code of " + address)

    def set_head(self, contract: str, key: bytes, head: bytes) -> None:
        """Put another running head into the state, as no contract would."""
        self._heads[self.addresses[contract], key] = head

    def mine(self) -> BlockRef:
        """Make a block of the transactions that wait."""
        self.time += 10
        number = len(self.bundles)
        transactions = [raw for raw, _ in self._waiting]
        receipts = [_receipt(place, logs) for place, (_, logs) in enumerate(self._waiting)]
        state = self._state_trie()
        self._states[number] = state
        parent = self.bundles[-1].ref.hash if self.bundles else bytes(32)
        header = rlp.encode(
            [
                parent,
                _EMPTY_UNCLES,
                bytes(20),
                state[0].root,
                ordered(transactions).root,
                ordered(receipts).root,
                _BLOOM,
                b"",
                _int(number),
                _int(30_000_000),
                _int(100_000 * len(transactions)),
                _int(self.time),
                b"",
                bytes(32),
                bytes(8),
            ]
        )
        ref = BlockRef(number, keccak256(header), self.time)
        genesis = self.bundles[0].ref.hash if self.bundles else ref.hash
        self.bundles.append(
            BlockBundle(ref, header, tuple(transactions), tuple(receipts), self.seal(genesis, number, ref.hash))
        )
        index = 0
        for place, (raw, logs) in enumerate(self._waiting):
            for address, topics, data in logs:
                log = RawLog(address, topics, data, number, ref.hash, keccak256(raw), place, index)
                self._logs.append(log)
                index += 1
        self._waiting = []
        return ref

    def seal(self, genesis: bytes, number: int, block_hash: bytes) -> tuple[Seal, ...]:
        """Return every sealer's seal of a block."""
        digest = seal_digest(self._chain_id, genesis, number=number, block_hash=block_hash)
        return tuple(Seal(sealer.address, sealer.sign_digest(digest)) for sealer in self.sealers)

    def _state_trie(self) -> tuple[Trie, dict[bytes, Trie]]:
        slots: dict[bytes, dict[bytes, bytes]] = defaultdict(dict)
        for (address, key), head in self._heads.items():
            slots[address][head_slot(key)] = rlp.encode_bytes(head.lstrip(b"\0"))
        storage = {address: secure(slots[address]) for address in self.addresses.values()}
        accounts = {
            self.addresses[name]: rlp.encode([_int(1), b"", storage[self.addresses[name]].root, self.code_hashes[name]])
            for name in _NAMES
        }
        accounts |= {
            address: rlp.encode([_int(1), b"", Trie({}).root, code]) for address, code in self._accounts.items()
        }
        accounts |= {
            bytes([filler]) * 20: rlp.encode([b"", _int(filler), Trie({}).root, keccak256(b"")])
            for filler in range(1, 20)
        }
        return secure(accounts), storage

    # The reads of the port.

    def chain_id(self) -> int:
        """Return the chain id."""
        return self._chain_id

    def final_block(self) -> BlockRef:
        """Return the newest block."""
        return self.bundles[-1].ref

    def block(self, number: int) -> BlockBundle:
        """Return a block."""
        return self.bundles[number]

    def headers(self, first: int, last: int) -> list[BlockHeader]:
        """Return headers."""
        found = [(bundle.ref, decode_header(bundle.header_rlp)) for bundle in self.bundles[first : last + 1]]
        return [BlockHeader(ref.number, ref.hash, header.parent_hash, ref.timestamp) for ref, header in found]

    def logs(self, first: int, last: int, _addresses: Sequence[bytes]) -> list[RawLog]:
        """Return logs."""
        return [log for log in self._logs if first <= log.block_number <= last]

    def proofs(self, wanted: Mapping[bytes, Sequence[bytes]]) -> list[StateProof]:
        """Return whole tries as heaps of nodes: whoever makes a proof of them picks what it needs."""
        block = self.final_block()
        state, storage = self._states[block.number]
        return [
            StateProof(
                block,
                address,
                tuple(state.nodes),
                tuple((slot, 0, tuple(storage[address].nodes)) for slot in slots),
            )
            for address, slots in wanted.items()
        ]


def _transaction(chain_id: int, nonce: int, to: bytes, data: bytes) -> bytes:
    """Return a transaction of type 2 with a signature that nobody made: evidence never asks who relayed."""
    fields: rlp.RLP = [_int(chain_id), _int(nonce), b"", b"", _int(100_000), to, b"", data, [], b"", _int(1), _int(1)]
    return b"\x02" + rlp.encode(fields)


def _receipt(place: int, logs: list[tuple[bytes, tuple[bytes, ...], bytes]]) -> bytes:
    encoded: list[rlp.RLP] = [[address, list(topics), data] for address, topics, data in logs]
    return b"\x02" + rlp.encode([_int(1), _int(100_000 * (place + 1)), _BLOOM, encoded])


def _int(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
