"""Anchors by themselves: a line that is cut, an anchor that gets stuck, an operator without the right; ingest goes on.

The chain is an anvil of its own that mines when told to, reached over a line that the test can cut. The loops are those
of ``quanze up``.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ledger.chain.raw_transaction import sign_transaction
from ledger.chain.rpc import RPCClient
from ledger.domain.errors import RefusedError, UnavailableError
from ledger.service.anchoring import (
    Anchor,
    anchor,
    anchor_by_itself,
    anchors_under_way,
    observe_anchors,
    publish_checkpoint,
)
from ledger.service.cadence import AnchorPace, CheckpointPace
from ledger.service.call_data import call_data
from ledger.service.event_states import ShowState, event_state
from ledger.service.supervision import Loop
from tests.api.world import make_world
from tests.service.line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.api.world import World

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, anvil: Path) -> Iterator[tuple[str, int]]:
    command = [
        str(anvil), "--port", "0", "--chain-id", "31415926537", "--hardfork", "london", "--gas-price", "0",
        "--block-base-fee-per-gas", "0", "--disable-min-priority-fee", "--order", "fifo",
    ]  # fmt: skip
    home = {"HOME": str(tmp_path_factory.mktemp("anvil"))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=home) as process:
        assert process.stdout is not None
        found = next(match for line in process.stdout if (match := re.search(r"Listening on (\S+):(\d+)", line)))
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        yield found[1], int(found[2])
        process.kill()
        drain.join()


@pytest.fixture(scope="module")
def control(node: tuple[str, int]) -> Iterator[Callable[..., Any]]:
    """Calls of the node itself, beside the line."""
    with RPCClient(f"http://{node[0]}:{node[1]}") as rpc:
        yield rpc.call


@pytest.fixture(scope="module")
def line(node: tuple[str, int]) -> Iterator[Line]:
    with Line(node) as made:
        yield made


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, line: Line) -> Iterator[World]:
    made = make_world(
        tmp_path_factory.mktemp("cadence") / "home",
        chain_url=line.url,
        chain_finality_blocks=0,
        binding_age_max_s=60,
    )
    made.services.is_up = True
    yield made
    made.services.close()


@contextlib.contextmanager
def running(world: World, *, every_events: int = 10**6, max_age_s: float = 0.05) -> Iterator[Loop]:
    """Run the loops of ``quanze up`` that make checkpoints and anchors."""
    services = world.services
    made = Loop("checkpoint", CheckpointPace(services.frontiers, 0.02), lambda: publish_checkpoint(services))
    pace = AnchorPace(services.frontiers, every_events=every_events, max_age_s=max_age_s)
    anchors = Loop("anchor", pace, lambda: anchor_by_itself(services))
    try:
        yield anchors
    finally:
        anchors.close()
        made.close()


def until(world: World, size: int) -> None:
    """Wait until the log is anchored in a final block up to a size."""
    assert world.services.frontiers.wait_until(lambda sizes: sizes.final.size >= size, PATIENCE_S)


def becomes(world: World, holds: Callable[[], bool]) -> None:
    """Wait until something holds that no frontier tells."""
    turn = threading.Event()
    for _ in range(int(PATIENCE_S / 0.05)):
        if holds():
            return
        turn.wait(0.05)
    raise AssertionError(f"it never held; the log has {world.services.log.size()} entries")


def failures(world: World) -> int:
    return sum(count for (name, _), count in world.services.counters.all().items() if name == "anchor_failures")


def anchors_of(world: World) -> list[int]:
    world.services.state.refresh()
    return [recorded.event.size for recorded in world.services.state.anchors()]


def test_what_comes_is_included_and_anchored_by_itself_and_an_idle_log_makes_nothing(world: World) -> None:
    services = world.services
    with running(world):
        (receipt,) = world.append("reporter-p", {})
        told = event_state(services, ShowState(event=str(receipt["index"]), wait="final", timeout_s=60))
        assert told["state"] == "FINAL"
        assert told["accepted_at"] <= told["included_at"] <= told["final_at"]
        note, made = services.log.checkpoint(), anchors_of(world)
        block = services.chain.head_block().number
    turned: list[int] = []

    def turn() -> None:
        publish_checkpoint(services)
        turned.append(services.log.size())

    looking = Loop("checkpoint", CheckpointPace(services.frontiers, 0.02), turn)
    try:
        becomes(world, lambda: len(turned) >= 2)
    finally:
        looking.close()
    assert (services.log.checkpoint(), anchors_of(world)) == (note, made)
    assert services.chain.head_block().number == block


def test_an_anchor_is_due_by_size_before_it_is_by_age(world: World) -> None:
    services = world.services
    before = anchors_of(world)
    with running(world, every_events=20, max_age_s=25):
        for _ in range(19):
            world.append("reporter-p", {})
        assert services.frontiers.sizes.accepted.size - services.frontiers.sizes.anchored.size == 19
        world.append("reporter-p", {})
        size = services.log.size()
        until(world, size)
    assert anchors_of(world) == [*before, size]


def test_a_chain_out_of_reach_stops_no_ingest_and_one_anchor_covers_it_all(world: World, line: Line) -> None:
    services = world.services
    publish_checkpoint(services)
    anchor(services, Anchor())
    world.append("reporter-p", {})  # The block that the others are bound at is a fresh one.
    world.services.dispatch("anchor", {})
    before, failed = anchors_of(world), failures(world)
    with running(world) as loop:
        line.cut()
        for _ in range(5):
            world.append("reporter-p", {}, {})
        becomes(world, lambda: failures(world) > failed)
        included = services.frontiers.sizes.included
        assert included.size == services.log.size(), "checkpoints go on"
        world.append("reporter-p", {})
        assert loop.last_error
        assert services.frontiers.sizes.final.size == before[-1]
        line.mend()
        size = services.log.size()
        until(world, size)
    assert anchors_of(world) == [*before, size]


def test_an_anchor_that_is_stuck_holds_nothing_up_and_the_next_covers_the_rest(
    world: World, control: Callable[..., Any]
) -> None:
    services = world.services
    before = anchors_of(world)
    control("evm_setAutomine", False)
    (first,) = world.append("reporter-p", {})
    stuck = services.log.size()
    with pytest.raises(UnavailableError, match="not final"):
        anchor(services, Anchor(), 0.2)
    assert len(anchors_under_way(services)) == 1
    for _ in range(4):
        world.append("reporter-p", {}, {})
    publish_checkpoint(services)
    size = services.log.size()
    for _ in range(3):  # However often it is tried, nothing more is sent while one is under way.
        with pytest.raises(UnavailableError, match="not final"):
            anchor(services, Anchor(), 0.0)
    assert len(anchors_under_way(services)) == 1
    assert event_state(services, ShowState(event=str(first["index"])))["state"] == "INCLUDED"
    control("evm_setAutomine", True)
    control("evm_mine")
    with running(world):
        until(world, size)
    assert anchors_of(world) == [*before, stuck, size]
    assert anchors_under_way(services) == []


def test_an_operator_without_the_right_is_tried_again_with_one_anchor(world: World) -> None:
    services = world.services
    anchor(services, Anchor())
    before, failed = anchors_of(world), failures(world)
    operator, other = services.keyring.address("operator"), services.keyring.address("relayer")
    services.chain.wait_receipt(make_operator(world, other), PATIENCE_S)
    (receipt,) = world.append("reporter-p", {})
    with running(world) as loop:
        becomes(world, lambda: failures(world) > failed)
        assert "AnchorNotOperator" in loop.last_error
        world.append("reporter-p", {}, {})
        with pytest.raises(UnavailableError, match=r"is (INCLUDED|ACCEPTED) after"):
            event_state(services, ShowState(event=str(receipt["index"]), wait="final", timeout_s=0))
        services.chain.wait_receipt(make_operator(world, operator), PATIENCE_S)
        size = services.log.size()
        until(world, size)
    assert anchors_of(world) == [*before, size]


def test_a_refusal_on_chain_does_not_answer_for_ever(world: World, control: Callable[..., Any]) -> None:
    """The right is lost between the trial and the block: the same size is anchored once it is back."""
    services = world.services
    operator, other = services.keyring.address("operator"), services.keyring.address("relayer")
    before = anchors_of(world)
    world.append("reporter-p", {})
    publish_checkpoint(services)
    control("evm_setAutomine", False)
    taken = make_operator(world, other)
    with pytest.raises(UnavailableError):
        anchor(services, Anchor(), 0.1)
    control("evm_setAutomine", True)
    control("evm_mine")
    assert services.chain.wait_receipt(taken, PATIENCE_S).status == 1
    with pytest.raises(RefusedError, match="AnchorNotOperator"):
        anchor(services, Anchor())
    services.chain.wait_receipt(make_operator(world, operator), PATIENCE_S)
    assert anchor(services, Anchor())["repeated"] is False
    assert anchors_of(world) == [*before, services.log.size()]


def test_an_anchor_that_the_chain_takes_back_is_anchored_no_more(world: World) -> None:
    services = world.services
    world.append("reporter-p", {})
    publish_checkpoint(services)
    size, final = services.log.size(), services.frontiers.sizes.final.size
    services.frontiers.anchored(size, 10**6, services.clock.now_ms())  # In a block that the chain has not any more.
    assert event_state(services, ShowState(event=str(size - 1)))["state"] == "ANCHORED"
    observe_anchors(services)
    assert services.frontiers.sizes.anchored.size == final
    assert event_state(services, ShowState(event=str(size - 1)))["state"] == "INCLUDED"
    anchor(services, Anchor())
    assert event_state(services, ShowState(event=str(size - 1)))["state"] == "FINAL"


def make_operator(world: World, address: bytes) -> bytes:
    """Have the admin of the contracts name the account that may anchor; return the transaction's hash."""
    services = world.services
    admin = services.keyring.signer("admin")
    signed = sign_transaction(
        admin,
        chain_id=services.deployment.chain_id,
        nonce=services.chain.nonce(admin.address),
        to=services.deployment.address("CheckpointAnchor"),
        data=call_data("setOperator", [("address", address)]),
        gas=200_000,
    )
    return services.chain.submit(signed.raw)
