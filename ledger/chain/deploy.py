"""Deploying the contracts of a new home, once, whatever interrupts it.

The admin key signs a fixed list of transactions, numbered from its nonce 0: seven creations, then the roles. The same
keys, chain id and compiled contracts give the same bytes, so a run after a kill sends what the last one sent, the chain
answers what it has already, and every contract has the address that was known before the first was made.

1. Sign the whole list. 2. Hand it to the chain's durable queue. 3. Wait for each receipt. 4. Compare the code on chain
with the compiled contracts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ledger.chain.artifacts import load_artifact
from ledger.chain.contract_errors import canonical_type
from ledger.chain.raw_transaction import created_address, sign_transaction
from ledger.domain.errors import ConflictError, IntegrityError
from ledger.domain.keccak import keccak256, keccak256_text
from ledger.service.call_data import call_data
from ledger.service.deployment import CONTRACT_NAMES, DeployedContract

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ledger.home import Home
    from ledger.service.ports import Chain, ChainReceipt, Keyring

ADMIN: Final = "admin"
REGISTRAR: Final = "registrar"
OPERATOR: Final = "operator"

REGISTRAR_ROLE: Final = 1
"""The number of the registrar's role in AccessManager; 0 is its admin, and there are no others."""

REGISTRAR_FUNCTIONS: Final = (
    "admitAgency",
    "setCapacities",
    "suspendAgency",
    "reinstateAgency",
    "announceRootReplacement",
    "executeRootReplacement",
    "linkSuccessor",
)
"""What the registrar may call in AgencyRegistry. Whatever else is restricted, there and in CheckpointAnchor, is the
admin's."""

_CREATION_GAS: Final = 8_000_000
_CALL_GAS: Final = 500_000
_WAIT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of a deployment: ``to`` is empty where it creates the contract ``name``."""

    name: str
    to: bytes
    data: bytes
    gas: int


def deployment_steps(admin: bytes, registrar: bytes, operator: bytes) -> tuple[Step, ...]:
    """Return what the admin sends, in order, from its nonce 0.

    Raises:
        UnavailableError: The compiled contracts are not installed.
        IntegrityError: A compiled contract is damaged.
    """
    addresses = contract_addresses(admin)
    # A constructor's arguments are named for what they are.
    values = {
        "initialAdmin": admin,
        "authority": addresses["AccessManager"],
        "accessManager": addresses["AccessManager"],
        "registry": addresses["AgencyRegistry"],
        "catalogue": addresses["Catalogue"],
        "agreements": addresses["AgreementLedger"],
        "operator": operator,
        "predecessor": bytes(20),
    }
    steps = []
    for name in CONTRACT_NAMES:
        artifact = load_artifact(name)
        arguments = [values[argument.strip("_")] for argument, _ in artifact.arguments()]
        steps.append(Step(name, b"", artifact.initcode + artifact.encode_arguments(arguments), _CREATION_GAS))
    manager = addresses["AccessManager"]
    selectors = [_selector("AgencyRegistry", function) for function in REGISTRAR_FUNCTIONS]
    calls = {
        "the registrar's role": call_data("labelRole", [("uint64", REGISTRAR_ROLE), ("string", "REGISTRAR")]),
        "the registrar's functions": call_data(
            "setTargetFunctionRole",
            [("address", addresses["AgencyRegistry"]), ("bytes4[]", selectors), ("uint64", REGISTRAR_ROLE)],
        ),
        "the registrar": call_data("grantRole", [("uint64", REGISTRAR_ROLE), ("address", registrar), ("uint32", 0)]),
    }
    return (*steps, *(Step(name, manager, data, _CALL_GAS) for name, data in calls.items()))


def contract_addresses(admin: bytes) -> dict[str, bytes]:
    """Return where each contract of a deployment by this admin is, before or after it is made."""
    return {name: created_address(admin, nonce) for nonce, name in enumerate(CONTRACT_NAMES)}


def deploy_contracts(
    home: Home, chain: Chain, keyring: Keyring, progress: Callable[[str, int, int], None]
) -> Mapping[str, DeployedContract]:
    """Deploy all contracts and give out the roles, or go on where an earlier run ended.

    Args:
        home: The home that is being made, for messages.
        chain: Its chain.
        keyring: Its keys; the admin's signs.
        progress: Told of "contracts", how many transactions are done, and of how many.

    Raises:
        ConflictError: The unfinished home was begun with other compiled contracts.
        IntegrityError: A transaction failed, or the code on chain is not the compiled contract's.
        UnavailableError: The chain does not answer, or the compiled contracts are not installed.
    """
    admin = keyring.signer(ADMIN)
    steps = deployment_steps(admin.address, keyring.address(REGISTRAR), keyring.address(OPERATOR))
    chain_id = chain.chain_id()
    progress("contracts", 0, len(steps))
    hashes = []
    for nonce, step in enumerate(steps):
        signed = sign_transaction(admin, chain_id=chain_id, nonce=nonce, to=step.to, data=step.data, gas=step.gas)
        try:
            hashes.append(chain.submit(signed.raw))
        except ConflictError as error:
            raise ConflictError(
                "home", "it was begun with other contracts; remove it and begin again", path=str(home.path)
            ) from error
    receipts = []
    for step, tx_hash in zip(steps, hashes, strict=True):
        receipt = chain.wait_receipt(tx_hash, _WAIT_S)
        if receipt.status != 1:
            raise IntegrityError("contracts", f"{step.name} could not be set up", tx=tx_hash, revert=receipt.revert)
        receipts.append(receipt)
        progress("contracts", len(receipts), len(steps))
    return {
        step.name: _deployed(chain, step.name, created_address(admin.address, nonce), receipt)
        for nonce, (step, receipt) in enumerate(zip(steps, receipts, strict=True))
        if not step.to
    }


def _deployed(chain: Chain, name: str, address: bytes, receipt: ChainReceipt) -> DeployedContract:
    code = chain.code(address)
    if not load_artifact(name).is_code(code):
        raise IntegrityError("contracts", f"the code of {name} is not the compiled contract's", address=address)
    return DeployedContract(address, keccak256(code), receipt.block_number)


def _selector(contract: str, function: str) -> bytes:
    """Return the selector of a function that the contract has once."""
    found = [item for item in load_artifact(contract).abi if item["type"] == "function" and item["name"] == function]
    if len(found) != 1:
        raise IntegrityError("contracts", f"{contract} has {len(found)} functions {function}, not one")
    types = ",".join(canonical_type(field) for field in found[0]["inputs"])
    return keccak256_text(f"{function}({types})")[:4]
