"""A home with a policy: what is published, anchored and exported bears the witness's cosignature, or stays behind."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.evidence import verify
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.cosignature import CosignatureVerifier, Cosigner
from ledger.log.note import Ed25519Verifier, keys_that_signed, parse_note
from ledger.service.evidence_files import make_trust_root
from ledger.service.reading_overview import readiness
from ledger.witnessing.client import WitnessesUnmetError
from tests.api.world import make_world
from tests.witnessing.running import our_witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ledger.service.services import Services

WITNESS = Cosigner.from_seed("witness.example/w1", bytes([5]) * 32, lambda: 0)


def size_of(note: bytes) -> int:
    return parse_checkpoint(parse_note(note).text).size


@contextlib.contextmanager
def reopened(services: Services, policy: Path | None) -> Iterator[Services]:
    again = bootstrap.open_home(services.settings.model_copy(update={"witnesses": policy}))
    try:
        yield again
    finally:
        again.close()


def test_a_policy_counts_from_the_next_checkpoint_on_and_is_met_or_waited_for(tmp_path: Path) -> None:
    world = make_world(tmp_path / "home")
    world.append("reporter-p", {})
    world.do("anchor")
    before = world.events[-1]["id"]
    world.services.close()
    deployment = world.services.deployment
    own = Ed25519Verifier.from_vkey(deployment.log_vkey)
    known = [own, CosignatureVerifier(own.name, own.public_key), CosignatureVerifier.from_vkey(WITNESS.vkey)]
    policy = tmp_path / "policy"
    with our_witness(tmp_path / "w1", WITNESS, {own.name: (own,)}) as address:
        policy.write_text(f"log {own.vkey}\nwitness w1 {WITNESS.vkey} {address}\nquorum w1\n")
        with reopened(world.services, policy) as services:
            world.services = services
            assert len(keys_that_signed(parse_note(services.log.checkpoint()), known)) == 2
            world.append("reporter-p", {})
            services.dispatch("anchor", {})
            assert len(keys_that_signed(parse_note(services.log.checkpoint()), known)) == 3
            root = services.dispatch("trust-root.export", {})["content"].encode()
            for index, assurance in ((before, "OPERATOR_ONLY"), (world.events[-1]["id"], "WITNESSED 1/1")):
                evidence = services.dispatch("evidence.export", {"kind": "event", "id": index})["content"].encode()
                assert verify(evidence, root).assurance.startswith(assurance)
            told = services.dispatch("status", {})["witnesses"]
            assert (told["is_met"], told["witnesses"][0]["size"]) == (True, services.log.size())
            eras = services.witness_eras
            services.dispatch("backup", {"folder": str(tmp_path / "backup")})
        restored = services.settings.model_copy(update={"home": tmp_path / "restored", "witnesses": policy})
        bootstrap.restore_home(restored, tmp_path / "backup")
        with contextlib.closing(
            bootstrap.open_home(restored)
        ) as copy:  # It knows from which size on the witness counts.
            assert copy.witness_eras == eras
            assert [era.threshold for era in make_trust_root(deployment, services.state, eras).witnesses] == [1]
    with reopened(world.services, policy) as services:  # The witness is down now.
        world.services = services
        published = services.log.checkpoint()
        world.append("reporter-p", {})
        with pytest.raises(WitnessesUnmetError):
            services.log.publish_checkpoint()
        assert services.dispatch("anchor", {})["repeated"]
        assert services.log.checkpoint() == published
        assert services.log.size() > size_of(published)
        told = readiness(services)
        assert told["ready"]
        assert [check["what"] for check in told["checks"] if not check["ok"]] == ["witnesses"]
        assert services.witness_eras == eras
    with reopened(world.services, None) as services:  # Without a policy all is as before, from the next size on.
        services.log.publish_checkpoint()
        assert size_of(services.log.checkpoint()) == services.log.size()
        assert [era.threshold for era in services.witness_eras] == [1, 0]
