"""What is asked of a node's present state, the same for the embedded node and for a network's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledger.chain.rpc import Call, RPCError, from_quantity, to_hex, unhex
from ledger.domain.errors import IntegrityError, RefusedError, UnavailableError
from ledger.domain.keccak import keccak256
from ledger.service.ports import Simulation, StateProof

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ledger.chain.rpc import RPCClient
    from ledger.service.ports import BlockRef

__all__ = ["read_code", "read_proofs", "simulate", "view"]


def view(rpc: RPCClient, to: bytes, data: bytes, block: str = "latest") -> bytes:
    """Return what a view answers.

    Raises:
        RefusedError: It reverted.
        RPCError: Any other error of the node's.
        UnavailableError: No answer.
    """
    try:
        return unhex(rpc.call("eth_call", {"to": to_hex(to), "data": to_hex(data)}, block))
    except RPCError as error:
        returned = error.revert_data()
        if returned is None:
            raise
        raise RefusedError("Reverted", {"data": to_hex(returned)}, to_hex(to)) from error


def simulate(rpc: RPCClient, sender: bytes, to: bytes, data: bytes) -> Simulation:
    """Return the gas that a call would take at the tip, or its revert data. ``to`` empty tries a creation.

    Raises:
        RPCError: Any other error of the node's.
        UnavailableError: No answer.
    """
    call = {"from": to_hex(sender), "data": to_hex(data)}
    if to:
        call["to"] = to_hex(to)
    try:
        return Simulation(from_quantity(rpc.call("eth_estimateGas", call, "latest")), None)
    except RPCError as error:
        returned = error.revert_data()
        if returned is None:
            raise
        return Simulation(0, returned)


def read_code(rpc: RPCClient, address: bytes) -> bytes:
    """Return the runtime code at an address."""
    return unhex(rpc.call("eth_getCode", to_hex(address), "latest"))


def read_proofs(
    rpc: RPCClient, wanted: Mapping[bytes, Sequence[bytes]], block: BlockRef, state_root: bytes, tag: str
) -> list[StateProof]:
    """Return the node's proofs at ``tag``, each under the state root of ``block``.

    Only the first node is compared here; whoever relies on a proof verifies it to the end.

    Raises:
        IntegrityError: A proof begins elsewhere.
        UnavailableError: No answer, or one that is no proof.
    """
    calls = [
        Call("eth_getProof", (to_hex(address), [to_hex(slot.rjust(32, b"\0")) for slot in slots], tag))
        for address, slots in wanted.items()
    ]
    return [
        _proof(found, address, slots, block, state_root)
        for found, (address, slots) in zip(rpc.batch(calls), wanted.items(), strict=True)
    ]


def _proof(
    found: dict[str, Any], address: bytes, slots: Sequence[bytes], block: BlockRef, state_root: bytes
) -> StateProof:
    nodes = tuple(unhex(node) for node in found.get("accountProof") or ())
    if not nodes or keccak256(nodes[0]) != state_root:
        raise IntegrityError(
            f"block {block.number}", "the node's account proof is not under its state root", block=block.number
        )
    entries = found.get("storageProof") or ()
    if len(entries) != len(slots):
        raise UnavailableError("chain node", "its proof lacks a slot", address=address)
    proven = tuple(
        (
            slot.rjust(32, b"\0"),
            from_quantity(entry.get("value")),
            tuple(unhex(node) for node in entry.get("proof") or ()),
        )
        for slot, entry in zip(slots, entries, strict=True)
    )
    return StateProof(block, address, nodes, proven)
