"""Keys and signed transactions for chain tests, made with eth-account, which shares no code with ours."""

from __future__ import annotations

import threading
from typing import Any

import coincurve
from eth_account import Account as EthAccount
from eth_account.signers.local import LocalAccount


def _assemble() -> bytes:
    """The probe: 32 bytes are stored in slot 0 and logged, zero reverts with deadbeef; anything else reads slot 0."""
    head = bytes.fromhex("36602014") + b"\x60\x00" + b"\x57"
    read = bytes.fromhex("60005460005260206000f3")
    store_at = len(head) + len(read)
    store = bytes.fromhex("5b60003580") + b"\x60\x00" + b"\x57"
    revert = bytes.fromhex("63deadbeef6000526004601cfd")
    log_at = store_at + len(store) + len(revert)
    log = bytes.fromhex("5b806000558060005260206000a100")
    head = head.replace(b"\x60\x00\x57", bytes((0x60, store_at, 0x57)))
    store = store.replace(b"\x60\x00\x57", bytes((0x60, log_at, 0x57)))
    return head + read + store + revert + log


PROBE = _assemble()
PROBE_INITCODE = bytes.fromhex(f"60{len(PROBE):02x}600c60003960{len(PROBE):02x}6000f3") + PROBE
NOBODY = b"\x11" * 20


class Sender:
    """An account that signs for one chain and counts its own nonces."""

    def __init__(self, chain_id: int, seed: int) -> None:
        self._account: LocalAccount = EthAccount.from_key(seed.to_bytes(32, "big"))
        self._chain_id = chain_id
        self._lock = threading.Lock()
        self.nonce = 0
        self.address = bytes.fromhex(self._account.address[2:])

    def sign(
        self, nonce: int, *, to: bytes = NOBODY, data: bytes = b"", kind: int = 2, gas: int = 200_000, **changes: Any
    ) -> bytes:
        fields: dict[str, Any] = {
            "nonce": nonce, "gas": gas, "value": 0, "data": data, "chainId": self._chain_id,
        }  # fmt: skip
        if to:
            fields["to"] = to
        if kind == 0:
            fields["gasPrice"] = 0
        elif kind == 1:
            fields |= {
                "type": 1,
                "gasPrice": 0,
                "accessList": [{"address": "0x" + "22" * 20, "storageKeys": ["0x" + "00" * 32]}],
            }
        else:
            fields |= {"type": 2, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
        return bytes(self._account.sign_transaction(fields | changes).raw_transaction)

    def next(self, *, to: bytes = NOBODY, data: bytes = b"", kind: int = 2, **changes: Any) -> bytes:
        with self._lock:
            nonce, self.nonce = self.nonce, self.nonce + 1
        return self.sign(nonce, to=to, data=data, kind=kind, **changes)


class SealerKey:
    """The sealer's key as the engine wants it: a function from digest to signature."""

    def __init__(self, seed: int = 77) -> None:
        self._key = coincurve.PrivateKey(seed.to_bytes(32, "big"))
        self.address = bytes.fromhex(EthAccount.from_key(seed.to_bytes(32, "big")).address[2:])

    def __call__(self, digest: bytes) -> bytes:
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes((signature[64] + 27,))
