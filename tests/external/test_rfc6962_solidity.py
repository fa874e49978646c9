"""The published RFC 6962 vectors against the contracts' verifier, on the embedded chain: the 143 of 32-byte hashes.

The other 53 hold hashes of other lengths, which a ``bytes32`` cannot carry; Python refuses them by length. The good one
among them is named there ``LENGTH_DOES_NOT_MATTER``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ledger.chain.engine import EmbeddedChain, EngineConfig
from ledger.chain.raw_transaction import created_address, sign_transaction
from ledger.service.call_data import call_data
from ledger.signing.signers import LocalSigner
from scripts.contracts.compilers import SETTINGS, compile_sources
from scripts.contracts.sources import source_closure
from tests.chain.accounts import SealerKey
from tests.chain.conftest import GENESIS_TIME
from tests.external.test_rfc6962_python import LENGTH_DOES_NOT_MATTER, REFUSED_BY_LENGTH, decode, hashes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.external

ROOT = Path(__file__).parents[2]
PROBE = "tests/external/rfc6962_probe.sol"
TRUE = (1).to_bytes(32, "big")


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, anvil: Path) -> Iterator[Callable[[bytes], bytes]]:
    """Calls of the deployed probe."""
    compiled = compile_sources(ROOT, source_closure(ROOT, [PROBE]), SETTINGS)
    initcode = bytes.fromhex(compiled["contracts"][PROBE]["RFC6962Probe"]["evm"]["bytecode"]["object"])
    folder = tmp_path_factory.mktemp("probe")
    config = EngineConfig(folder=folder / "chain", anvil=anvil, chain_id=2**32 + 6962, genesis_time=GENESIS_TIME)
    signer = LocalSigner(b"\x01" * 32)
    with EmbeddedChain(config, SealerKey()) as chain:
        raw = sign_transaction(signer, chain_id=config.chain_id, nonce=0, to=b"", data=initcode, gas=3_000_000).raw
        assert chain.wait_receipt(chain.submit(raw), 30).status == 1
        address = created_address(signer.address, 0)
        yield lambda data: chain.call(address, data)


def test_the_143_vectors_of_32_byte_hashes_are_decided_as_published(
    ask: Callable[[bytes], bytes], external: Path
) -> None:
    testdata = external / "vectors" / "rfc6962" / "testdata"
    vectors = {
        str(path.relative_to(testdata).with_suffix("")): json.loads(path.read_text())
        for path in sorted(testdata.rglob("*.json"))
    }
    fitting = {name: vector for name, vector in vectors.items() if all(len(value) == 32 for value in hashes(vector))}
    assert len(fitting) == 143
    assert set(vectors) - set(fitting) == REFUSED_BY_LENGTH | {LENGTH_DOES_NOT_MATTER}
    decided = {name: ask(question(vector)) != TRUE for name, vector in fitting.items()}
    assert decided == {name: vector["wantErr"] for name, vector in fitting.items()}
    assert len(set(decided.values())) == 2


def question(vector: dict[str, Any]) -> bytes:
    """Return the call data of a vector."""
    proof = ("bytes32[]", [decode(text) for text in vector["proof"] or []])
    if "leafIdx" in vector:
        numbers = [("bytes32", decode(vector["leafHash"])), *uints(vector["leafIdx"], vector["treeSize"])]
        return call_data("isIncluded", [*numbers, proof, ("bytes32", decode(vector["root"]))])
    roots = [("bytes32", decode(vector["root1"])), ("bytes32", decode(vector["root2"]))]
    return call_data("isConsistent", [*uints(vector["size1"], vector["size2"]), proof, *roots])


def uints(*numbers: int) -> list[tuple[str, object]]:
    return [("uint64", number) for number in numbers]
