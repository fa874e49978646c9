"""From a claim to the histories, state proof and blocks that prove it, all read at one final block.

The set of histories follows from what is in them, and the chain goes on meanwhile. So the state is proved first, and
the histories are then read up to that very block; if they need other heads than were proved, it is done again.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Final, Protocol

from ledger.domain import rlp
from ledger.domain.errors import UnavailableError, VerificationError
from ledger.domain.heads import head_slot
from ledger.domain.history import known_by_block
from ledger.domain.keccak import keccak256
from ledger.domain.ordered_trie import ordered_trie_nodes
from ledger.domain.records import AdmitAgency
from ledger.domain.typed_data import Domain, digest
from ledger.evidence.blocks import header_of, receipt_of
from ledger.evidence.calls import decode_call, recipient_and_data
from ledger.evidence.file import Block, History, State
from ledger.evidence.histories import needed
from ledger.evidence.signature import recover
from ledger.evidence.state import read_account
from ledger.evidence.trie import TrieProof, select_nodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ledger.domain.event_log import Event, Recorded
    from ledger.evidence.histories import HeadKey
    from ledger.service.deployment import Deployment
    from ledger.service.ledger_state import LedgerState
    from ledger.service.ports import BlockBundle, BlockRef, StateProof

    Read = Callable[[str, bytes], Sequence[Recorded[Event]]]

_ROUNDS: Final = 10
_KEPT: Final = 256
"""Results kept of each pure function of a block's bytes: evidence of many events shows the same few blocks."""

_KEPT_TRANSACTIONS: Final = 64
_KEPT_BYTES: Final = 16_384
"""What is longer is worked out again, so that what is kept stays within some tens of megabytes."""

Place = tuple[int, int, int]


class Proving(Protocol):
    """What is asked of the chain: blocks as stored bytes, and proofs of its state. `Chain` is one."""

    def block(self, number: int) -> BlockBundle: ...
    def proofs(self, wanted: Mapping[bytes, Sequence[bytes]]) -> list[StateProof]: ...


class Source(Protocol):
    """What gathering reads: `Services` is one."""

    @property
    def deployment(self) -> Deployment: ...
    @property
    def chain(self) -> Proving: ...
    @property
    def state(self) -> LedgerState: ...


class Gathered:
    """Histories, their state proof, and every block that is used, in the form of the file."""

    def __init__(self, services: Source) -> None:
        self._services = services
        self._bundles: dict[int, BlockBundle] = {}
        self._used: dict[int, set[int]] = {}
        self._first_logs: dict[int, list[int]] = {}
        self.histories: list[History] = []
        self.state: State | None = None
        self._proved_at: BlockRef | None = None

    def prove(
        self, base: Callable[[Read], list[HeadKey]], posts: Sequence[bytes] = (), accounts: Iterable[str] = ()
    ) -> None:
        """Gather the histories of a claim and prove their heads.

        Args:
            base: Gives the histories that the claim is about, out of histories as read.
            posts: Posts that must be known besides those that acted.
            accounts: Contracts whose code is to be proved besides those with histories.

        Raises:
            UnavailableError: The chain went on faster than it could be read.
        """
        services = self._services
        read = self._read_up_to(services.state.final)
        for _ in range(_ROUNDS):
            wanted = needed(base(read), posts, read)
            signers = self._contract_signers(wanted, read)
            names = sorted({*(contract for contract, _ in wanted), *accounts})
            slots = {
                services.deployment.address(name): [head_slot(key) for contract, key in wanted if contract == name]
                for name in names
            }
            proofs = services.chain.proofs({**slots, **{signer: [] for signer in signers}})
            block = proofs[0].block
            services.state.refresh()
            read = self._read_up_to(block)
            if needed(base(read), posts, read) == wanted and self._contract_signers(wanted, read) == signers:
                self._take(wanted, read, names, signers, proofs)
                return
        raise UnavailableError("chain", "it went on faster than a proof of its state could be read", rounds=_ROUNDS)

    @property
    def proved_at(self) -> BlockRef:
        """The block under whose state root the histories are complete.

        Raises:
            UnavailableError: Nothing was proved.
        """
        if self._proved_at is None:
            raise UnavailableError("evidence", "nothing was proved yet")
        return self._proved_at

    def use_block(self, number: int) -> None:
        """Let the file hold a block for its header."""
        self._used.setdefault(number, set())

    def place(self, recorded: Recorded[Event]) -> Place:
        """Return an event's place in the form of the file, and let the file hold its transaction and receipt."""
        self._used.setdefault(recorded.block, set()).add(recorded.tx_index)
        first = self._first_logs.get(recorded.block)
        if first is None:
            counts = (len(receipt_of(raw).logs) for raw in self._bundle(recorded.block).receipts)
            first = self._first_logs[recorded.block] = [0, *accumulate(counts)]
        return recorded.block, recorded.tx_index, recorded.log_index - first[recorded.tx_index]

    def blocks(self) -> list[Block]:
        """Return every block used, in their order."""
        return [self._block(number, sorted(self._used[number])) for number in sorted(self._used)]

    def _take(
        self,
        wanted: Sequence[HeadKey],
        read: Read,
        names: Sequence[str],
        signers: Sequence[bytes],
        proofs: Sequence[StateProof],
    ) -> None:
        by_address = {proof.address: proof for proof in proofs}
        block = proofs[0].block
        self._proved_at = block
        self.use_block(block.number)
        root = header_of(self._bundle(block.number).header_rlp).state_root
        heap = [node for proof in proofs for node in proof.account_nodes]
        addresses = [self._services.deployment.address(name) for name in names]
        keys = [keccak256(address) for address in (*addresses, *signers)]
        state = TrieProof(root, heap)
        storage: dict[str, list[str]] = {}
        for name, address in zip(names, addresses, strict=True):
            slots = [keccak256(head_slot(key)) for contract, key in wanted if contract == name]
            if slots:
                storage_root = read_account(state.get(keccak256(address))).storage_root
                nodes = [node for _, _, some in by_address[address].slots for node in some]
                storage[name] = _hex(select_nodes(storage_root, nodes, slots))
        self.state = State(accounts=_hex(select_nodes(root, heap, keys)), block=block.number, storage=storage)
        self.histories = [
            History(contract=contract, key=key.hex(), events=[self.place(one) for one in read(contract, key)])
            for contract, key in wanted
        ]

    def _contract_signers(self, wanted: Sequence[HeadKey], read: Read) -> list[bytes]:
        """Return the signers whose signatures only the chain can check: contract accounts."""
        deployment = self._services.deployment
        places = {(one.block, one.tx_index, one.address) for contract, key in wanted for one in read(contract, key)}
        found: set[bytes] = set()
        for number, index, address in places:
            raw = self._bundle(number).transactions[index]
            known = _unrecovered if len(raw) <= _KEPT_BYTES else _unrecovered.__wrapped__
            found |= known(deployment.chain_id, address, deployment.name_of(address), raw)
        return sorted(found)

    def _read_up_to(self, block: BlockRef) -> Read:
        state = self._services.state
        return lambda contract, key: list(known_by_block(state.history(contract, key), block.number))

    def _bundle(self, number: int) -> BlockBundle:
        if number not in self._bundles:
            self._bundles[number] = self._services.chain.block(number)
        return self._bundles[number]

    def _block(self, number: int, indices: Sequence[int]) -> Block:
        bundle = self._bundle(number)
        return (_shown if _is_short(bundle) else _shown.__wrapped__)(bundle, tuple(indices))


@lru_cache(_KEPT)
def _unrecovered(chain_id: int, address: bytes, name: str, transaction: bytes) -> frozenset[bytes]:
    """Return the signers of a call that its signatures do not lead to."""
    _, data = recipient_and_data(transaction)
    try:
        call = decode_call(name, data)
    except VerificationError:
        return frozenset()  # The registrar's own acts carry no signature.
    signed = digest(Domain(chain_id, address), call.record)
    signer = call.record.root_key if isinstance(call.record, AdmitAgency) else call.signer
    held = [getattr(call.record, name, b"") for name in ("key", "new_key", "new_root")] if call.possession else []
    pairs = [(signer, call.signature), *((key, call.possession) for key in held if key)]
    return frozenset(who for who, signature in pairs if not _is_signed(signed, signature, who))


def _is_signed(digest_signed: bytes, signature: bytes, who: bytes) -> bool:
    try:
        return recover(digest_signed, signature) == who
    except VerificationError:
        return False


@lru_cache(_KEPT)
def _shown(bundle: BlockBundle, indices: tuple[int, ...]) -> Block:
    """Return a block in the form of the file, with these transactions and their receipts."""
    header = header_of(bundle.header_rlp)
    keys = [rlp.encode_int(index) for index in indices]
    return Block(
        header=bundle.header_rlp.hex(),
        receipts=_proof(header.receipts_root, bundle.receipts, keys),
        seals=[seal.signature.hex() for seal in sorted(bundle.seals, key=lambda seal: seal.signer)],
        transactions=_proof(header.transactions_root, bundle.transactions, keys),
    )


def _is_short(bundle: BlockBundle) -> bool:
    return (
        len(bundle.transactions) <= _KEPT_TRANSACTIONS and max(map(len, bundle.transactions), default=0) <= _KEPT_BYTES
    )


def _proof(root: bytes, items: Sequence[bytes], keys: Sequence[bytes]) -> list[str]:
    return _hex(select_nodes(root, ordered_trie_nodes(items), keys)) if keys else []


def _hex(nodes: Iterable[bytes]) -> list[str]:
    return [node.hex() for node in nodes]
