"""Storage and code under one block's state root: the running heads, and that the contracts are the trusted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.domain import rlp
from ledger.domain.errors import VerificationError
from ledger.domain.heads import EMPTY_HEAD, head_slot
from ledger.domain.keccak import keccak256
from ledger.domain.scalars import WORD_BYTES
from ledger.evidence.file import unhex
from ledger.evidence.trie import EMPTY_ROOT, TrieProof

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.evidence.file import State
    from ledger.evidence.trust_root import TrustRoot

STEP: Final = 6
NO_CODE: Final = keccak256(b"")


@dataclass(frozen=True, slots=True)
class Account:
    """What the state says of an account."""

    storage_root: bytes
    code_hash: bytes


def read_account(value: bytes | None) -> Account:
    """Return the account in a state trie's value; one that is absent has no storage and no code.

    Raises:
        VerificationError: The value is no account.
    """
    if value is None:
        return Account(EMPTY_ROOT, NO_CODE)
    try:
        fields = rlp.decode(value)
    except ValueError as error:
        raise VerificationError(STEP, f"an account does not decode: {error}") from error
    match fields:
        case [bytes(), bytes(), bytes(storage_root), bytes(code_hash)]:
            return Account(storage_root, code_hash)
        case _:
            raise VerificationError(STEP, "an account has four fields")


class ProvenState:
    """The file's state proofs under one state root."""

    def __init__(self, state: State, state_root: bytes, root: TrustRoot) -> None:
        self._root = root
        self._accounts = TrieProof(state_root, [unhex(node, "a trie node") for node in state.accounts], "state")
        self._storage_nodes = {
            name: [unhex(node, "a trie node") for node in nodes] for name, nodes in state.storage.items()
        }
        self._storage: dict[str, TrieProof] = {}

    def account(self, address: bytes) -> Account:
        """Return an account.

        Raises:
            VerificationError: The proof does not lead to it, or to its absence.
        """
        return read_account(self._accounts.get(keccak256(address)))

    def head(self, contract: str, key: bytes) -> bytes:
        """Return a running head of a contract, whose code is the trusted one; zeros where the slot is empty.

        Raises:
            VerificationError: The proof does not lead to the slot, or to its emptiness.
        """
        value = self._trie(contract).get(keccak256(head_slot(key)))
        if value is None:
            return EMPTY_HEAD
        try:
            word = rlp.decode(value)
        except ValueError as error:
            raise VerificationError(STEP, f"a storage value does not decode: {error}") from error
        if not isinstance(word, bytes) or len(word) > WORD_BYTES:
            raise VerificationError(STEP, "a storage value is no word")
        return word.rjust(WORD_BYTES, b"\0")

    def check_used(self, contracts: Mapping[str, Sequence[bytes]], accounts: Sequence[bytes]) -> None:
        """Return if the proofs hold just the heads of the contracts given, and the further accounts.

        Raises:
            VerificationError: A node is missing or needless, or a contract's code is another.
        """
        if sorted(self._storage_nodes) != sorted(name for name, keys in contracts.items() if keys):
            raise VerificationError(STEP, "storage of a contract is missing or needless")
        for name, keys in contracts.items():
            trie = self._trie(name)
            if keys:
                trie.check_used([keccak256(head_slot(key)) for key in keys])
        addresses = [self._root.address(name) for name in contracts]
        self._accounts.check_used([keccak256(address) for address in (*addresses, *accounts)])

    def _trie(self, contract: str) -> TrieProof:
        known = self._storage.get(contract)
        if known is None:
            account = self.account(self._root.address(contract))
            if account.code_hash.hex() != self._root.contracts[contract].code_hash:
                raise VerificationError(STEP, f"{contract} has other code than the trust root says")
            nodes = self._storage_nodes.get(contract, [])
            known = self._storage[contract] = TrieProof(account.storage_root, nodes, f"storage of {contract}")
        return known
