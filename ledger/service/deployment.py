"""What a home is deployed as: chain id, contracts, validators and the log's key.

The record is written once by ``quanze init``; start-up compares it with what the stores say, and the
trust root is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ledger.domain.canonical import MAX_INTEGER

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = "quanze-home-v1"
STILL_SIGNS: Final = MAX_INTEGER
"""Up to which size a key counts that the log signs with beside a newer one: any that the trust root can state."""

CONTRACT_NAMES: Final = (
    "AccessManager",
    "AgencyRegistry",
    "Catalogue",
    "AgreementLedger",
    "ResponsibilityLedger",
    "CaseLedger",
    "CheckpointAnchor",
)


@dataclass(frozen=True, slots=True)
class DeployedContract:
    """A contract's address, the hash of its runtime code, and the block it was created in."""

    address: bytes
    code_hash: bytes
    block: int


@dataclass(frozen=True, slots=True)
class FormerLogKey:
    """A key that the log signed with before, and the largest size of a checkpoint that counts by its signature.

    While it signs beside the key that follows it, that is the largest size there can be.
    """

    vkey: str
    until: int

    @property
    def still_signs(self) -> bool:
        """Whether the log still signs with it, beside its newer key."""
        return self.until == STILL_SIGNS


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment of all contracts together with its log."""

    chain_id: int
    genesis_hash: bytes
    contracts: Mapping[str, DeployedContract]
    validators: tuple[bytes, ...]
    log_origin: str
    log_vkey: str
    demonstration: bool
    log_former: tuple[FormerLogKey, ...] = ()
    """The keys that the log signed with before, oldest first; the last may still sign."""

    @property
    def log_vkeys(self) -> tuple[str, ...]:
        """Every key of the log, the first one first and the present one last."""
        return (*(key.vkey for key in self.log_former), self.log_vkey)

    def with_new_log_key(self, vkey: str) -> Deployment:
        """Return the deployment in which another key follows, and the one before still signs."""
        former = (*self.log_former, FormerLogKey(self.log_vkey, STILL_SIGNS))
        return replace(self, log_vkey=vkey, log_former=former)

    def with_retired_log_key(self, until: int) -> Deployment:
        """Return the deployment in which the key before counts up to a size, and signs no more."""
        former = (*self.log_former[:-1], FormerLogKey(self.log_former[-1].vkey, until))
        return replace(self, log_former=former)

    def address(self, name: str) -> bytes:
        """Return a contract's address."""
        return self.contracts[name].address

    def name_of(self, address: bytes) -> str:
        """Return the name of the contract at ``address``, or the address in hex."""
        for name, contract in self.contracts.items():
            if contract.address == address:
                return name
        return "0x" + address.hex()

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values, bytes in hex."""
        return {
            "format": FORMAT,
            "chain_id": self.chain_id,
            "genesis_hash": self.genesis_hash.hex(),
            "contracts": {
                name: {
                    "address": contract.address.hex(),
                    "code_hash": contract.code_hash.hex(),
                    "block": contract.block,
                }
                for name, contract in sorted(self.contracts.items())
            },
            "validators": [validator.hex() for validator in self.validators],
            "log_origin": self.log_origin,
            "log_vkey": self.log_vkey,
            "demonstration": self.demonstration,
            "log_former": [{"until": key.until, "vkey": key.vkey} for key in self.log_former],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Deployment:
        """Parse what ``to_json`` made."""
        return cls(
            chain_id=value["chain_id"],
            genesis_hash=bytes.fromhex(value["genesis_hash"]),
            contracts={
                name: DeployedContract(
                    bytes.fromhex(contract["address"]), bytes.fromhex(contract["code_hash"]), contract["block"]
                )
                for name, contract in value["contracts"].items()
            },
            validators=tuple(bytes.fromhex(validator) for validator in value["validators"]),
            log_origin=value["log_origin"],
            log_vkey=value["log_vkey"],
            demonstration=value["demonstration"],
            log_former=tuple(FormerLogKey(key["vkey"], key["until"]) for key in value.get("log_former", ())),
        )
