"""The fork drill: an operator with every key of the ledger rewrites an entry and signs everything again.

Everything runs for real: the contract on the home's engine, a witness and a monitor over HTTP, and a rewritten log
whose every tile and signature is valid. Each guard is asked alone, so that none hides another's failure.
"""

from __future__ import annotations

import json
import random
import shutil
import socket
import threading
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import httpx
import pytest

from ledger import bootstrap
from ledger.bootstrap.parts import LazyNoteSigner
from ledger.domain.errors import LedgerError, RefusedError
from ledger.log.checkpoint import parse_checkpoint
from ledger.log.note import parse_note
from ledger.log.storage import FolderLog
from ledger.log.tree import HashList, consistency_proof, leaf_hash
from ledger.log.witness import PATH, AddCheckpoint
from ledger.service.call_data import call_data
from ledger.service.submission import send
from ledger.settings import Settings
from tests.api.world import make_world, serving
from tests.cli.command import Command, Said
from tests.monitor.operators import web_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.api.world import World

ENTRIES = 300
SEED = 20_261_124


@dataclass(frozen=True)
class Tree:
    """A log as somebody publishes it: its entries, its folder and its note."""

    entries: list[bytes]
    folder: Path
    note: bytes

    @property
    def root(self) -> bytes:
        return parse_checkpoint(parse_note(self.note).text).root

    def proof(self, old: int) -> list[bytes]:
        return consistency_proof(HashList([leaf_hash(entry) for entry in self.entries]), old, len(self.entries))


@dataclass
class Drill:
    """An honest log that is anchored, witnessed and watched, and the operator who will rewrite it."""

    world: World
    folder: Path
    api: str
    witness: str
    honest: Tree

    def publish(self, name: str, whole: Sequence[bytes]) -> Tree:
        """Build a whole log of these entries, with valid tiles and the log key's signature."""
        services = self.world.services
        signer = LazyNoteSigner(services.keyring, services.deployment.log_vkey)  # type: ignore[arg-type]
        log = FolderLog.open(self.folder / name, signer=signer, origin=signer.name)
        for first in range(0, len(whole), 100):
            log.append(whole[first : first + 100])
        note = log.publish_checkpoint()
        log.close()
        return Tree(list(whole), self.folder / name, note)

    def show(self, tree: Tree, place: str = "public") -> None:
        """Put a log where the public reads it."""
        shutil.rmtree(self.folder / place, ignore_errors=True)
        shutil.copytree(tree.folder, self.folder / place)

    def rewritten(self, k: int, *more: bytes) -> Tree:
        """The honest log with entry ``k`` rewritten, and more entries after it."""
        whole = list(self.honest.entries)
        whole[k] = bytes(byte ^ 1 for byte in whole[k])
        return self.publish(f"rewritten-{k}-{len(more)}", [*whole, *more])

    def ask_contract(self, tree: Tree, old: int) -> None:
        data = call_data(
            "anchor",
            [
                ("uint64", len(tree.entries)),
                ("bytes32", tree.root),
                ("bytes32", sha256(tree.note).digest()),
                ("bytes32[]", tree.proof(old)),
            ],
        )
        services = self.world.services
        address = services.deployment.address("CheckpointAnchor")
        send(services, f"drill:{tree.root.hex()}", address, data, sender="operator")

    def ask_witness(self, tree: Tree, old: int) -> httpx.Response:
        body = AddCheckpoint(old, tuple(tree.proof(old)), tree.note).print()
        return httpx.post(self.witness + PATH, content=body)

    def watch(self, log: str, memory: str, *more: str) -> Said:
        """One look of a monitor that holds nothing but the trust root."""
        command = Command(self.folder / "no home")
        return command(
            "monitor", "--log", log, "--trust-root", str(self.folder / "root.json"), "--chain-url", self.api + "/rpc",
            "--state", str(self.folder / memory), "--once", *more,
        )  # fmt: skip


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder = tmp_path_factory.mktemp("drill")
    world = make_world(folder / "home")
    try:
        for _ in range(ENTRIES // 100):
            world.append("reporter-p", *({} for _ in range(100)))
        world.do("anchor")
        (folder / "root.json").write_text(world.do("trust-root.export")["content"])
        log = world.services.log
        honest = Tree(list(log.leaves(0, ENTRIES)), world.services.home.log, log.checkpoint())
        with serving(world.services) as api, _Witness(world, folder) as witness:
            made = Drill(world, folder, api, witness, honest)
            assert made.ask_witness(honest, 0).status_code == 200
            yield made
    finally:
        world.services.close()


class _Witness:
    """A witness of the home's log, over HTTP, while it is entered."""

    def __init__(self, world: World, folder: Path) -> None:
        settings = Settings(home=folder / "witness", passphrase="w", keystore_scrypt_n=2)  # type: ignore[arg-type]
        bootstrap.init_witness(settings, "witness.example.org/w1")
        logs = folder / "logs"
        logs.write_text(f"log {world.services.deployment.log_vkey}\n")
        self._opened = bootstrap.open_witness(settings, logs)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._opened.serve, args=(self._listener,), daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def __exit__(self, *_error: object) -> None:
        self._listener.close()
        self._opened.close()


def random_entries(count: int) -> list[int]:
    return random.Random(SEED).sample(range(ENTRIES), count)


def told(said: Said) -> list[str]:
    """The kinds of the alarms that a monitor printed."""
    events = [json.loads(line) for line in said.out.splitlines()]
    return [event["kind"] for event in events if event["event"] == "alarm"]


@pytest.mark.parametrize("k", random_entries(4))
@pytest.mark.parametrize("more", [0, 57])
def test_the_contract_refuses_the_anchor_of_a_rewritten_log(drill: Drill, k: int, more: int) -> None:
    tree = drill.rewritten(k, *(b"more %d" % number for number in range(more)))
    with pytest.raises(RefusedError):
        drill.ask_contract(tree, ENTRIES)


@pytest.mark.parametrize("k", random_entries(4))
@pytest.mark.parametrize("more", [0, 57])
def test_the_witness_refuses_the_checkpoint_of_a_rewritten_log(drill: Drill, k: int, more: int) -> None:
    tree = drill.rewritten(k, *(b"more %d" % number for number in range(more)))
    answer = drill.ask_witness(tree, ENTRIES)
    assert answer.status_code in {409, 422}, answer.text


@pytest.mark.parametrize("k", random_entries(4))
@pytest.mark.parametrize("more", [0, 57])
def test_the_monitor_tells_it_at_its_next_look_with_both_notes(drill: Drill, k: int, more: int) -> None:
    memory = f"memory-{k}-{more}"
    tree = drill.rewritten(k, *(b"more %d" % number for number in range(more)))
    drill.show(drill.honest)
    with web_server(drill.folder / "public") as log:
        before = drill.watch(log, memory)
        assert (before.code, told(before)) == (0, []), before
        drill.show(tree)
        after = drill.watch(log, memory)
    assert after.code == 1
    assert told(after) == ["FORK"]
    (path,) = (drill.folder / memory / "alarms").glob("fork-*.json")
    notes = [note["note"].encode() for note in json.loads(path.read_bytes())["notes"]]
    assert notes == [drill.honest.note, tree.note]
    said = Command(drill.folder / "no home")(
        "monitor", "check-alarm", str(path), "--trust-root", str(drill.folder / "root.json"), "--json"
    )
    assert (said.code, said.json["proven"]) == (0, True)


def test_a_monitor_of_the_service_itself_finds_an_honest_log_right(drill: Drill) -> None:
    said = drill.watch(drill.api + "/log", "service")
    (looked,) = (json.loads(line) for line in said.out.splitlines())
    assert (said.code, looked["size"], looked["anchored"], looked["alarms"]) == (0, ENTRIES, ENTRIES, 0)


def test_a_monitor_that_begins_after_the_rewriting_tells_it_by_the_chain(drill: Drill) -> None:
    tree = drill.rewritten(17)
    drill.show(tree)
    with web_server(drill.folder / "public") as log:
        said = drill.watch(log, "late")
    assert said.code == 1
    assert told(said) == ["ANCHOR_DIFFERS"]


def test_a_log_cut_below_its_anchor_is_told_by_the_chain(drill: Drill) -> None:
    tree = drill.publish("cut", drill.honest.entries[:200])
    drill.show(tree)
    with web_server(drill.folder / "public") as log:
        said = drill.watch(log, "cut-memory")
    assert said.code == 1
    assert told(said) == ["ANCHOR_AHEAD"]


def test_an_old_checkpoint_served_again_is_told(drill: Drill) -> None:
    old = drill.publish("old", drill.honest.entries[:100])
    drill.show(drill.honest)
    with web_server(drill.folder / "public") as log:
        assert drill.watch(log, "replayed").code == 0
        (drill.folder / "public" / "checkpoint").write_bytes(old.note)
        said = drill.watch(log, "replayed")
    assert said.code == 1
    assert told(said) == ["SHRANK"]


def test_two_people_shown_two_logs_find_out_when_their_monitors_meet(drill: Drill) -> None:
    """Two extensions of the anchored log, neither anchored yet: only notes that meet can show it."""
    views = {
        name: drill.publish(f"view-{name}", [*drill.honest.entries, *(b"%s %d" % (name.encode(), n) for n in range(9))])
        for name in ("a", "b")
    }
    for name, tree in views.items():
        drill.show(tree, f"public-{name}")
        with web_server(drill.folder / f"public-{name}") as log:
            assert drill.watch(log, f"view-memory-{name}").code == 0
    output = drill.folder / "split.json"
    said = Command(drill.folder / "no home")(
        "monitor", "compare", str(drill.folder / "view-memory-a"), str(drill.folder / "view-memory-b"), "-o",
        str(output), "--json",
    )  # fmt: skip
    assert (said.code, said.json["fork"]) == (1, True)
    notes = {note["note"].encode() for note in json.loads(output.read_bytes())["notes"]}
    assert notes == {tree.note for tree in views.values()}


def test_an_anchor_of_another_tree_made_with_the_operators_key_is_told(drill: Drill) -> None:
    """Last, since it spoils the chain: a thief extends the anchored tree by entries that the log does not have."""
    stolen = drill.publish("stolen", [*drill.honest.entries, *(b"stolen %d" % number for number in range(10))])
    drill.show(drill.honest)
    with web_server(drill.folder / "public") as log:
        assert drill.watch(log, "thief").code == 0
        drill.ask_contract(stolen, ENTRIES)
        first = drill.watch(log, "thief")
        assert (first.code, told(first)) == (1, ["ANCHOR_AHEAD"])
        grown = drill.publish("grown", [*drill.honest.entries, *(b"true %d" % number for number in range(10))])
        drill.show(grown)
        second = drill.watch(log, "thief")
    assert second.code == 1
    assert told(second) == ["ANCHOR_DIFFERS"]
    with pytest.raises(LedgerError):  # And the contract lets no honest anchor follow the stolen one.
        drill.ask_contract(grown, ENTRIES)
