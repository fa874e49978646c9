"""The embedded chain passes the port's suite."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from eth_abi.abi import encode
from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from ledger.chain.engine import EmbeddedChain, EngineConfig
from tests.chain.accounts import SealerKey, Sender
from tests.chain.behaviour import ChainBehaviour, probe, sender, word
from tests.chain.conftest import ANVIL, GENESIS_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["TestEmbeddedChain", "probe", "sender"]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedChain]:
    config = EngineConfig(
        folder=tmp_path_factory.mktemp("chain"),
        anvil=ANVIL,
        chain_id=2**40 + 1,
        genesis_time=GENESIS_TIME,
        time_lead_max_s=10**6,
    )
    with EmbeddedChain(config, SealerKey()) as chain:
        yield chain


class TestEmbeddedChain(ChainBehaviour):
    """Runs the suite, and what only the embedded chain promises."""

    def test_block_times_strictly_increase(self, chain: EmbeddedChain, sender: Sender) -> None:
        for _ in range(3):
            chain.wait_receipt(chain.submit(sender.next()), 20.0)
        headers = chain.headers(0, chain.final_block().number)
        assert all(child.timestamp > parent.timestamp for parent, child in itertools.pairwise(headers))

    def test_every_block_is_sealed_by_the_sealer(self, chain: EmbeddedChain, sender: Sender) -> None:
        chain.wait_receipt(chain.submit(sender.next()), 20.0)
        genesis = chain.block(0).ref.hash
        for number in range(chain.final_block().number + 1):
            bundle = chain.block(number)
            digest = encode_typed_data(
                {"name": "Quanze Seal", "version": "1", "chainId": chain.chain_id()},
                {"Seal": [
                    {"name": "deployment", "type": "bytes32"},
                    {"name": "number", "type": "uint64"},
                    {"name": "blockHash", "type": "bytes32"},
                ]},
                {
                    "deployment": keccak(encode(["uint256", "bytes32"], [chain.chain_id(), genesis])),
                    "number": number,
                    "blockHash": bundle.ref.hash,
                },
            )  # fmt: skip
            (seal,) = bundle.seals
            assert EthAccount.recover_message(digest, signature=seal.signature) == EthAccount.from_key(word(77)).address
            assert seal.signer == SealerKey().address
