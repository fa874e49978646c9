"""The committed artifacts of the contracts, from a build that Hardhat and py-solc-x must agree on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ledger.domain.keccak import keccak256
from scripts.contracts.compilers import VERSION, BuildError, Compiled, with_hardhat, with_solcx

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT: Final = Path(__file__).resolve().parents[2]

CONTRACTS: Final[Mapping[str, str]] = {
    "AccessManager": "@openzeppelin/contracts/access/manager/AccessManager.sol",
    "AgencyRegistry": "contracts/AgencyRegistry.sol",
    "Catalogue": "contracts/Catalogue.sol",
    "AgreementLedger": "contracts/AgreementLedger.sol",
    "ResponsibilityLedger": "contracts/ResponsibilityLedger.sol",
    "CaseLedger": "contracts/CaseLedger.sol",
    "CheckpointAnchor": "contracts/CheckpointAnchor.sol",
}
"""What is deployed: contract → its source."""

INITCODE_MAX: Final = 49_152
RUNTIME_MAX: Final = 24_576
"""Bounds of EIP-3860 and EIP-170, which every network that we name keeps."""


def contract_artifacts() -> dict[str, str]:
    """Return the artifacts by path.

    Raises:
        BuildError: The contracts do not compile, are too large, or the two drivers disagree.
    """
    hardhat, solcx = with_hardhat(_ROOT, CONTRACTS), with_solcx(_ROOT, CONTRACTS)
    for name in CONTRACTS:
        if hardhat[name] != solcx[name]:
            raise BuildError(f"{name}: Hardhat and py-solc-x disagree on its {_difference(hardhat[name], solcx[name])}")
        if len(solcx[name].initcode) > 2 * INITCODE_MAX or len(solcx[name].runtime) > 2 * RUNTIME_MAX:
            raise BuildError(f"{name}: {len(solcx[name].runtime) // 2} bytes of code, more than {RUNTIME_MAX}")
    return {
        f"contracts/artifacts/{name}.json": _artifact(name, source, solcx[name]) for name, source in CONTRACTS.items()
    }


def _artifact(name: str, source: str, compiled: Compiled) -> str:
    initcode = bytes.fromhex(compiled.initcode)
    artifact = {
        "contract": name,
        "source": source,
        "compiler": f"solc {VERSION}, london, optimizer 200",
        "initcodeHash": "0x" + keccak256(initcode).hex(),
        "abi": compiled.abi,
        "bytecode": "0x" + compiled.initcode,
        "deployedBytecode": "0x" + compiled.runtime,
        "immutables": compiled.immutables,
        "storageLayout": compiled.storage,
    }
    return json.dumps(artifact, indent=1, ensure_ascii=False) + "\n"


def _difference(one: Compiled, other: Compiled) -> str:
    fields = ("abi", "initcode", "runtime", "immutables", "storage")
    return ", ".join(field for field in fields if getattr(one, field) != getattr(other, field))
