"""Signed transactions as the network takes them: EIP-1559, type 2, with no access list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.domain import rlp
from ledger.domain.keccak import keccak256

if TYPE_CHECKING:
    from ledger.service.ports import Signer

_TYPE_2 = b"\x02"
_FIRST_V = 27


@dataclass(frozen=True, slots=True)
class RawTransaction:
    """A signed transaction's bytes and its hash."""

    raw: bytes
    hash: bytes


def sign_transaction(
    signer: Signer,
    *,
    chain_id: int,
    nonce: int,
    to: bytes,
    data: bytes,
    gas: int,
    max_fee: int = 0,
    tip: int = 0,
) -> RawTransaction:
    """Sign a transaction that moves no value. The same arguments give the same bytes.

    Args:
        signer: The sender.
        chain_id: The chain that alone may take it.
        nonce: Its place among the sender's transactions.
        to: The contract called, or empty bytes to create one.
        data: Call data, or initcode.
        gas: Gas limit.
        max_fee: Most wei per gas that the sender pays, base fee included.
        tip: Most wei per gas for the block's maker.
    """
    numbers = [rlp.encode_int(number) for number in (chain_id, nonce, tip, max_fee, gas)]
    fields = [*numbers, rlp.encode_bytes(to), rlp.encode_int(0), rlp.encode_bytes(data), rlp.encode_list([])]
    signature = signer.sign_digest(keccak256(_TYPE_2 + rlp.encode_list(fields)))
    parity, r, s = (
        signature[64] - _FIRST_V,
        int.from_bytes(signature[:32], "big"),
        int.from_bytes(signature[32:64], "big"),
    )
    raw = _TYPE_2 + rlp.encode_list([*fields, *(rlp.encode_int(number) for number in (parity, r, s))])
    return RawTransaction(raw, keccak256(raw))


def created_address(sender: bytes, nonce: int) -> bytes:
    """Return the address of the contract that the sender's transaction number ``nonce`` creates."""
    return keccak256(rlp.encode_list([rlp.encode_bytes(sender), rlp.encode_int(nonce)]))[12:]
