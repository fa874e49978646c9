"""A deployment: its code, its addresses and its roles; and `init_home` killed between each two of its steps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from eth_abi.abi import decode

from ledger.bootstrap import init_home, open_home
from ledger.chain import deploy
from ledger.chain.artifacts import Artifact, load_artifact
from ledger.chain.engine import EmbeddedChain, EngineConfig
from ledger.domain.errors import ConflictError, IntegrityError, RefusedError
from ledger.domain.keccak import keccak256
from ledger.home import Home
from ledger.service.call_data import call_data
from ledger.service.deployment import CONTRACT_NAMES
from ledger.settings import Settings
from tests.chain.accounts import SealerKey
from tests.contracts.deployed import DeployedLedger, MemoryKeyring

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


def test_every_contract_has_the_code_that_is_committed(ledger: DeployedLedger) -> None:
    assert set(ledger.contracts) == set(CONTRACT_NAMES)
    for name, contract in ledger.contracts.items():
        code = ledger.chain.code(contract.address)
        assert load_artifact(name).is_code(code)
        assert keccak256(code) == contract.code_hash
        assert 1 <= contract.block <= ledger.chain.final_block().number


def test_addresses_are_known_before_anything_is_deployed(ledger: DeployedLedger) -> None:
    known = deploy.contract_addresses(ledger.keyring.address("admin"))
    assert known == {name: contract.address for name, contract in ledger.contracts.items()}


def test_deploying_again_sends_nothing_and_answers_the_same(ledger: DeployedLedger, tmp_path: Path) -> None:
    before, nonce = ledger.chain.final_block().number, ledger.chain.nonce(ledger.keyring.address("admin"))
    again = deploy.deploy_contracts(Home(tmp_path), ledger.chain, ledger.keyring, lambda *_told: None)
    assert again == ledger.contracts
    assert ledger.chain.final_block().number == before
    assert ledger.chain.nonce(ledger.keyring.address("admin")) == nonce == len(CONTRACT_NAMES) + 3


def test_contracts_are_wired_to_each_other(ledger: DeployedLedger) -> None:
    def points_to(contract: str, function: str) -> bytes:
        (address,) = decode(["address"], ledger.call(contract, call_data(function, [])))
        return bytes.fromhex(address[2:])

    for contract in ("Catalogue", "AgreementLedger", "ResponsibilityLedger", "CaseLedger"):
        assert points_to(contract, "registry") == ledger.address("AgencyRegistry")
    assert points_to("ResponsibilityLedger", "agreements") == ledger.address("AgreementLedger")
    assert points_to("ResponsibilityLedger", "catalogue") == ledger.address("Catalogue")
    assert points_to("AgencyRegistry", "authority") == ledger.address("AccessManager")
    assert points_to("CheckpointAnchor", "authority") == ledger.address("AccessManager")
    assert points_to("CheckpointAnchor", "operator") == ledger.keyring.address("operator")
    assert points_to("CheckpointAnchor", "predecessor") == bytes(20)


@pytest.mark.parametrize("function", deploy.REGISTRAR_FUNCTIONS)
@pytest.mark.parametrize("sender", ["registrar", "admin", "relayer", "operator"])
def test_only_the_registrar_reaches_its_functions(ledger: DeployedLedger, function: str, sender: str) -> None:
    (data,) = decode(
        ["bool", "uint32"],
        ledger.call(
            "AccessManager",
            call_data(
                "canCall",
                [
                    ("address", ledger.keyring.address(sender)),
                    ("address", ledger.address("AgencyRegistry")),
                    ("bytes4", deploy._selector("AgencyRegistry", function)),
                ],
            ),
        ),
    )[:1]
    assert data is (sender == "registrar")


def test_the_operator_is_changed_by_the_admin_alone(ledger: DeployedLedger) -> None:
    data = call_data("setOperator", [("address", ledger.keyring.address("operator"))])
    for sender in ("registrar", "relayer", "operator"):
        with pytest.raises(RefusedError) as refused:
            ledger.send("CheckpointAnchor", data, sender=sender)
        assert refused.value.error == "AccessManagedUnauthorized"
    ledger.send("CheckpointAnchor", data, sender="admin")


def test_another_contract_under_the_same_keys_is_refused(
    tmp_path: Path, anvil: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = EngineConfig(
        folder=tmp_path / "chain", anvil=anvil, chain_id=2**32 + 816, genesis_time=10**9, time_lead_max_s=10**6
    )
    with EmbeddedChain(config, SealerKey()) as chain:
        DeployedLedger(chain, tmp_path)
        original = deploy.deployment_steps

        def other(*keys: bytes) -> tuple[deploy.Step, ...]:
            return original(*keys)[::-1]

        monkeypatch.setattr(deploy, "deployment_steps", other)
        with pytest.raises(ConflictError, match="other contracts"):
            deploy.deploy_contracts(Home(tmp_path), chain, MemoryKeyring(), lambda *_told: None)


def test_code_that_differs_beside_the_immutables_is_noticed() -> None:
    artifact = load_artifact("CaseLedger")
    filled = bytearray(artifact.runtime)
    for start, length in artifact.immutables:
        filled[start : start + length] = b"\x42" * length
    assert artifact.immutables
    assert artifact.is_code(bytes(filled))
    filled[100] ^= 1
    assert not artifact.is_code(bytes(filled))
    assert not artifact.is_code(b"")


def test_a_damaged_artifact_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ledger.chain import artifacts

    good = json.loads((ROOT / "contracts/artifacts/CaseLedger.json").read_text())
    damaged = {**good, "bytecode": good["bytecode"][:-2] + "00"}
    (tmp_path / "CaseLedger.json").write_text(json.dumps(damaged))
    (tmp_path / "Catalogue.json").write_text("{")
    monkeypatch.setattr(artifacts, "_folder", lambda: tmp_path)
    for name, reason in (("CaseLedger", "not what its hash says"), ("Catalogue", "cannot be read")):
        with pytest.raises(IntegrityError, match=reason):
            artifacts.load_artifact.__wrapped__(name)
    assert isinstance(load_artifact("CaseLedger"), Artifact)


@pytest.fixture
def lives() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.contracts.init_under_kill"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def life(process: subprocess.Popen[bytes], home: Path, kill_at: int) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"home": str(home), "kill_at": kill_at}).encode() + b"\n")
    process.stdin.flush()
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


@pytest.mark.slow
def test_init_goes_on_after_a_kill_between_any_two_steps(lives: subprocess.Popen[bytes], tmp_path: Path) -> None:
    (tmp_path / "passphrase").write_text("correct horse\n")
    home, killed = tmp_path / "home", 0
    # One home: its n-th life ends at its n-th point, so every point comes first in some life.
    for point in range(1, 200):
        told = life(lives, home, point)
        if not told["killed"]:
            break
        killed += 1
        assert not Home(home).config.exists()
    assert killed == told["points"] == point - 1
    assert killed >= len(CONTRACT_NAMES) * 3
    settings = Settings(home=home, passphrase_file=tmp_path / "passphrase", keystore_scrypt_n=2)
    services = open_home(settings)
    try:
        admin = services.keyring.address("admin")
        assert services.chain.nonce(admin) == len(CONTRACT_NAMES) + 3
        addresses = {name: "0x" + address.hex() for name, address in deploy.contract_addresses(admin).items()}
        assert told["made"]["contracts"] == addresses
    finally:
        services.close()
    with pytest.raises(ConflictError, match="exists"):
        init_home(settings)
