"""A home on a network's endpoint: the same use-cases, evidence that holds, and no mixing of the two engines."""

from __future__ import annotations

import re
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.chain.engine.attested import AttestedNetwork
from ledger.chain.engine.remote import FinalityDepth
from ledger.domain.errors import IntegrityError, InvalidInputError, UnavailableError
from ledger.evidence import verify
from ledger.settings import Settings
from tests.api.world import make_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.api.world import World

CHAIN_ID = 31_415_926_536


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, anvil: Path) -> Iterator[str]:
    """A plain anvil, with nothing of ours but zero fees."""
    command = [
        str(anvil), "--port", "0", "--chain-id", str(CHAIN_ID), "--hardfork", "london", "--gas-price", "0",
        "--block-base-fee-per-gas", "0", "--disable-min-priority-fee",
    ]  # fmt: skip
    home = {"HOME": str(tmp_path_factory.mktemp("anvil"))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=home) as process:
        assert process.stdout is not None
        found = next(match for line in process.stdout if (match := re.search(r"Listening on (\S+)", line)))
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        yield f"http://{found[1]}"
        process.kill()
        drain.join()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("network")
    made = make_world(folder / "home", chain_url=url, chain_finality_blocks=0)
    made.append("reporter-p", {}, {})
    made.do("anchor")
    yield made
    made.services.close()


def test_evidence_of_an_event_on_a_network_holds_and_names_the_operator(world: World) -> None:
    evidence = world.do("evidence.export", kind="event", id="0", disclose=[])["content"]
    trust_root = world.do("trust-root.export")["content"]
    report = verify(evidence.encode(), trust_root.encode())
    assert report.holds, [step.reason for step in report.steps]
    assert report.assurance == "OPERATOR_ONLY"


def test_fsck_follows_the_networks_headers(world: World) -> None:
    report = world.do("fsck")
    chain = next(check for check in report["checks"] if check["what"] == "chain")
    assert chain["checked"] > world.services.state.final.number
    assert report["defects"] == []


def test_backup_leaves_the_networks_blocks_to_the_network(world: World, tmp_path: Path) -> None:
    world.do("backup", folder=str(tmp_path / "copy"))
    assert not (tmp_path / "copy" / "chain").exists()
    assert (tmp_path / "copy" / "vault.db").exists()


@pytest.mark.parametrize("made_for", ["network", "embedded"])
def test_a_home_refuses_the_engine_that_it_was_not_made_for(tmp_path: Path, url: str, made_for: str) -> None:
    network = Settings(home=tmp_path / "home", passphrase="x", keystore_scrypt_n=2, chain_url=url)  # type: ignore[arg-type]
    network = network.model_copy(update={"chain_finality_blocks": 0})
    embedded = network.model_copy(update={"chain_url": None})
    first, second = (network, embedded) if made_for == "network" else (embedded, network)
    bootstrap.init_home(first)
    with pytest.raises(InvalidInputError) as caught:
        bootstrap.open_home(second)
    assert caught.value.field == "QUANZE_CHAIN_URL"
    bootstrap.open_home(first).close()


def test_an_endpoint_of_another_chain_is_refused(url: str) -> None:
    chain = AttestedNetwork(url, sealer=bytes(20), sign=bytes, finality=FinalityDepth(0), chain_id=1)
    with pytest.raises(IntegrityError, match="another chain"):
        chain.start()
    chain.close()


def test_a_block_that_is_not_final_is_attested_by_nobody(world: World, url: str) -> None:
    head = world.services.chain.head_block().number
    chain = AttestedNetwork(url, sealer=bytes(20), sign=lambda digest: digest + digest, finality=FinalityDepth(2))
    with pytest.raises(UnavailableError, match="not final"):
        chain.block(head)
    assert len(chain.block(head - 2).seals) == 1
    chain.close()
