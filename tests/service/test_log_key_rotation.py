"""A home's log gets another key: recorded on chain, signed by both for a while, and gone on with after any kill."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from ledger import bootstrap
from ledger.bootstrap.monitoring import Subject, open_monitor
from ledger.domain.errors import ConflictError, IntegrityError
from ledger.evidence import verify
from ledger.evidence.trust_root import parse_trust_root
from ledger.log.checkpoint import open_checkpoint
from ledger.log.client import verify_log
from ledger.log.cosignature import CosignatureVerifier, Cosigner
from ledger.log.note import Ed25519Verifier, keys_that_signed, parse_note
from ledger.monitor.monitor import Cadence
from ledger.service.deployment import STILL_SIGNS
from tests.api.world import make_world, serving
from tests.witnessing.running import our_witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ledger.service.services import Services
    from tests.api.world import World


WITNESS = Cosigner.from_seed("witness.example/w1", bytes([5]) * 32, lambda: 0)


class Killed(BaseException):
    """The process died here."""


def die_at(step: str) -> Callable[[str], None]:
    def at(reached: str) -> None:
        if reached == step:
            raise Killed(step)

    return at


@contextlib.contextmanager
def opened(world: World) -> Iterator[Services]:
    world.services = bootstrap.open_home(world.services.settings)
    try:
        yield world.services
    finally:
        world.services.close()


def signers(note: bytes, vkeys: list[str]) -> list[bool]:
    """Say for each key whether it signed a note, with its cosignature beside."""
    found = []
    for vkey in vkeys:
        key = Ed25519Verifier.from_vkey(vkey)
        lines = keys_that_signed(parse_note(note), [key, CosignatureVerifier(key.name, key.public_key)])
        assert len(lines) in {0, 2}
        found.append(bool(lines))
    return found


def defects(services: Services, *, resume: bool = False) -> list[dict[str, str]]:
    found: list[dict[str, str]] = services.dispatch("fsck", {"resume": resume})["defects"]
    return found


def watch(services: Services, memory: Path) -> list[str]:
    """Return the alarms of one look at log and chain by whoever has this home's present trust root."""
    root = services.dispatch("trust-root.export", {})["content"].encode()
    with serving(services) as api:
        subject = Subject(log=str(services.home.log), trust_root=root, chain_url=api + "/rpc")
        with open_monitor(subject, memory, Cadence()) as monitor:
            return [raised.alarm.kind for raised in monitor.round().raised]


def append_and_anchor(world: World) -> int:
    """Let the log grow by one event, anchor it, and return its index."""
    world.append("reporter-p", {})
    world.do("anchor")
    index: int = world.events[-1]["id"]
    return index


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path / "home")
    yield made
    made.services.close()


def test_both_keys_sign_until_the_old_one_is_retired_and_all_evidence_holds(world: World, tmp_path: Path) -> None:
    old = world.services.deployment.log_vkey
    indexes = [append_and_anchor(world)]
    assert defects(world.services, resume=True) == []
    with pytest.raises(ConflictError, match="stop `quanze up`"):
        bootstrap.rotate_log_key(world.services.settings)
    with pytest.raises(ConflictError, match="stop `quanze up`"):
        bootstrap.rotate_log_key(world.services.settings, retire=True)
    memory = tmp_path / "monitor"
    assert watch(world.services, memory) == []
    world.services.close()
    settings = world.services.settings
    with pytest.raises(ConflictError, match="no key signs beside"):
        bootstrap.rotate_log_key(settings, retire=True)

    begun = bootstrap.rotate_log_key(settings)
    new = begun["vkey"]
    assert begun["former"] == [{"vkey": old, "until": STILL_SIGNS, "signs": True}]
    assert signers(begun["checkpoint"].encode(), [old, new]) == [True, True]  # The log has not grown since.
    assert bootstrap.public_log_key(settings) == new
    with pytest.raises(ConflictError, match="--retire"):
        bootstrap.rotate_log_key(settings)
    with opened(world) as services:
        indexes.append(append_and_anchor(world))
        note = services.log.checkpoint()
        assert signers(note, [old, new]) == [True, True]
        assert {open_checkpoint(note, Ed25519Verifier.from_vkey(vkey)).size for vkey in (old, new)} == {
            services.log.size()
        }
        assert defects(services, resume=True) == []
        assert watch(services, memory) == []
        until = services.log.size()

    ended = bootstrap.rotate_log_key(settings, retire=True)
    assert ended["former"] == [{"vkey": old, "until": until, "signs": False}]
    with opened(world) as services:
        assert defects(services, resume=True) == []
        indexes.append(append_and_anchor(world))
        assert signers(services.log.checkpoint(), [old, new]) == [False, True]
        assert defects(services, resume=True) == []
        assert watch(services, memory) == []
        key, former = Ed25519Verifier.from_vkey(new), Ed25519Verifier.from_vkey(old)
        *_, last = verify_log(services.tiles, key, former=[former])
        assert last.entries == services.log.size()
        root = services.dispatch("trust-root.export", {})["content"].encode()
        assert [(one.vkey, one.until) for one in parse_trust_root(root).log.former] == [(old, until)]
        for index in indexes:
            evidence = services.dispatch("evidence.export", {"kind": "event", "id": index})["content"].encode()
            assert verify(evidence, root).holds
        backup = tmp_path / "backup"
        services.dispatch("backup", {"folder": str(backup)})
    restored = settings.model_copy(update={"home": tmp_path / "restored"})
    assert bootstrap.restore_home(restored, backup)["log_size"] == until + 1

    # Again: the log has grown since, so that a third key may follow and the second one be retired.
    third = bootstrap.rotate_log_key(settings)["vkey"]
    assert len({old, new, third}) == 3
    assert [key["vkey"] for key in bootstrap.rotate_log_key(settings, retire=True)["former"]] == [old, new]
    with opened(world) as services:
        assert defects(services) == []
        assert watch(services, memory) == []


def test_a_witness_that_knows_both_keys_cosigns_through_a_rotation(world: World, tmp_path: Path) -> None:
    append_and_anchor(world)
    world.services.close()
    old = Ed25519Verifier.from_vkey(world.services.deployment.log_vkey)
    known = {old.name: (old,)}
    policy = tmp_path / "policy"
    with our_witness(tmp_path / "w1", WITNESS, known) as address:
        policy.write_text(f"log {old.vkey}\nwitness w1 {WITNESS.vkey} {address}\nquorum w1\n")
        world.services.settings = settings = world.services.settings.model_copy(update={"witnesses": policy})
        new = Ed25519Verifier.from_vkey(bootstrap.rotate_log_key(settings)["vkey"])
        with opened(world) as services:  # During the overlap the old key is enough.
            append_and_anchor(world)
            assert len(parse_note(services.log.checkpoint()).signatures) == 5
    with our_witness(tmp_path / "w1", WITNESS, {old.name: (old, new)}) as address:
        policy.write_text(f"log {old.vkey}\nwitness w1 {WITNESS.vkey} {address}\nquorum w1\n")
        bootstrap.rotate_log_key(settings, retire=True)
        with opened(world) as services:
            append_and_anchor(world)
            note = services.log.checkpoint()
            assert signers(note, [old.vkey, new.vkey]) == [False, True]
            assert len(parse_note(note).signatures) == 3
            assert defects(services) == []


def test_a_key_is_not_retired_at_the_size_at_which_the_one_before_was(world: World) -> None:
    append_and_anchor(world)
    world.services.close()
    settings = world.services.settings
    bootstrap.rotate_log_key(settings)
    bootstrap.rotate_log_key(settings, retire=True)
    bootstrap.rotate_log_key(settings)
    with pytest.raises(ConflictError, match="has not grown"):
        bootstrap.rotate_log_key(settings, retire=True)
    with opened(world):
        append_and_anchor(world)
    bootstrap.rotate_log_key(settings, retire=True)
    with opened(world) as services:
        assert defects(services) == []


def test_a_rotation_that_is_killed_between_any_two_steps_goes_on(world: World) -> None:
    old = world.services.deployment.log_vkey
    append_and_anchor(world)
    world.services.close()
    settings = world.services.settings
    for step in ("key made", "recorded on chain"):
        with pytest.raises(Killed):
            bootstrap.rotate_log_key(settings, at_step=die_at(step))
        with opened(world) as services:  # As before, in the meantime.
            append_and_anchor(world)
            assert services.deployment.log_vkey == old
            assert signers(services.log.checkpoint(), [old]) == [True]
            assert defects(services) == []
            waiting = services.following_log_key()
            assert waiting is not None
    with pytest.raises(Killed):
        bootstrap.rotate_log_key(settings, at_step=die_at("record written"))
    with opened(world) as services:  # The overlap has begun.
        assert services.deployment.log_vkey == waiting
        assert signers(services.log.checkpoint(), [old, waiting]) == [True, True]
        assert len(services.state.rotations()) == 1
        assert defects(services) == []
        append_and_anchor(world)
    with pytest.raises(Killed):
        bootstrap.rotate_log_key(settings, retire=True, at_step=die_at("everything anchored"))
    with opened(world) as services:
        append_and_anchor(world)
        assert signers(services.log.checkpoint(), [old, waiting]) == [True, True]
        assert defects(services) == []
    with pytest.raises(Killed):
        bootstrap.rotate_log_key(settings, retire=True, at_step=die_at("record written"))
    with opened(world) as services:
        append_and_anchor(world)
        assert signers(services.log.checkpoint(), [old, waiting]) == [False, True]
        assert defects(services) == []


def test_a_home_whose_keys_are_not_those_on_chain_does_not_open(world: World) -> None:
    append_and_anchor(world)
    home = world.services.home
    world.services.close()
    settings = world.services.settings
    before = home.config.read_bytes()
    bootstrap.rotate_log_key(settings)
    bootstrap.rotate_log_key(settings, retire=True)
    after = home.config.read_bytes()
    stated = json.loads(after)
    (first,) = stated["log_former"]

    home.config.write_bytes(before)  # The chain knows of a rotation that this record does not, and the key is there.
    key_file = home.keys / "log-2.ed25519"
    hidden = key_file.rename(home.path / "elsewhere")
    with pytest.raises(IntegrityError, match=r"does not know|not signed by"), opened(world):
        pass
    hidden.rename(key_file)
    for former, reason in (
        ([{**first, "vkey": stated["log_vkey"]}], "other keys"),
        ([first, first], "other keys|does not record"),
        ([{**first, "until": 0}], "counts up to less"),
        ([{**first, "until": first["until"] - 1}], "counts up to less"),
    ):
        home.config.write_text(json.dumps({**stated, "log_former": former}))
        with pytest.raises(IntegrityError, match=reason), opened(world):
            pass
    # What the log's own checks cannot tell the anchors' notes do: how far the former key signed.
    home.config.write_text(json.dumps({**stated, "log_former": [{**first, "until": first["until"] + 1}]}))
    with opened(world) as services:
        assert {defect["what"] for defect in defects(services)} == {"log-keys"}
    home.config.write_bytes(after)
    with opened(world) as services:
        assert defects(services) == []
        append_and_anchor(world)
    # Nobody brings a retired key back: it did not sign the newest anchor.
    home.config.write_text(json.dumps({**stated, "log_former": [{**first, "until": STILL_SIGNS}]}))
    with opened(world) as services:
        assert "log-keys" in {defect["what"] for defect in defects(services)}
    home.config.write_bytes(after)
