"""A witness that says, while the ledger runs, that it cosigned another log: what stops, and who is told."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest
from structlog.testing import capture_logs

from ledger import bootstrap
from ledger.log.cosignature import Cosigner
from ledger.log.note import Ed25519Verifier
from ledger.log.witness import SIZE_TYPE
from ledger.service.anchoring import publish_checkpoint
from ledger.service.event_appending import append_signed_batch
from ledger.service.metrics import render
from ledger.service.reading_overview import overview, readiness
from ledger.service.requests import Nothing
from ledger.service.standstill import WitnessesContradictError, WitnessWatch
from ledger.service.witnesses import Problem, WitnessStanding, barring, contradicting
from ledger.witnessing.client import WitnessesUnmetError
from tests.api.world import World, make_world
from tests.witnessing.running import Answer, our_witness, told_witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITNESSES = [Cosigner.from_seed(f"witness.example/w{place}", bytes([place]) * 32, lambda: 0) for place in (5, 6)]
AHEAD: Answer = (409, SIZE_TYPE, b"1000\n")
FORKED: Answer = (422, "text/plain", b"not consistent\n")
BROKEN: Answer = (500, "text/plain", b"")


class Changing:
    """What the witness at an address answers: as told, or what a good one does."""

    def __init__(self, good: str) -> None:
        self.told: Answer | None = BROKEN
        self._good = good

    def __call__(self, body: bytes) -> Answer:
        if self.told is not None:
            return self.told
        answer = httpx.post(f"{self._good}/add-checkpoint", content=body)
        return answer.status_code, answer.headers["content-type"], answer.content


@contextlib.contextmanager
def witnessed(folder: Path, needed: int = 1, others: int = 0) -> Iterator[tuple[World, Changing]]:
    """Open a home whose first witness changes its answers, beside others that are good."""
    world = make_world(folder / "home")
    world.services.close()
    settings = world.services.settings
    own = Ed25519Verifier.from_vkey(world.services.deployment.log_vkey)
    with contextlib.ExitStack() as running:
        good = [
            running.enter_context(our_witness(folder / f"w{place}", one, {own.name: (own,)}))
            for place, one in enumerate(WITNESSES[: others + 1])
        ]
        changing = Changing(good[0])
        addresses = [running.enter_context(told_witness(changing)), *good[1:]]
        lines = [
            f"witness w{place} {one.vkey} {address}\n"
            for place, (one, address) in enumerate(zip(WITNESSES, addresses, strict=False))
        ]
        names = " ".join(f"w{place}" for place in range(len(addresses)))
        policy = folder / "policy"
        policy.write_text("".join([*lines, f"group enough {needed} {names}\n", "quorum enough\n"]))
        world.services = bootstrap.open_home(
            settings.model_copy(update={"witnesses": policy, "witness_timeout_ms": 30_000})
        )
        running.callback(lambda: world.services.close())  # noqa: PLW0108 - those that are open then.
        yield world, changing


def turn(world: World, watch: WitnessWatch, problem: Problem, *, grows: bool = False) -> list[str]:
    """Publish as the running service does until the witness says so; return what the operator is told.

    Where others suffice, each checkpoint needs a new entry.
    """
    witnesses = world.services.witnesses
    assert witnesses is not None
    with capture_logs() as told:
        while True:
            with contextlib.suppress(WitnessesUnmetError):
                publish_checkpoint(world.services)
            watch.look()
            if witnesses.standings()[0].problem is problem:
                break
            if grows:
                world.append("reporter-p", {})
    return [one["event"] for one in told if one["event"].startswith(("witness_contradicts", "events_"))]


def test_an_older_copy_that_a_witness_knows_later_takes_no_event_and_no_decision_until_it_cosigns(
    tmp_path: Path,
) -> None:
    with witnessed(tmp_path) as (world, witness):
        services, watch = world.services, WitnessWatch(world.services)
        world.append("reporter-p", {})  # The witness is broken: its silence stops nothing.
        size = services.log.size()
        witness.told = AHEAD
        assert turn(world, watch, Problem.AHEAD) == ["witness_contradicts", "events_refused"]
        batch = world.batch("reporter-p", {})
        with pytest.raises(WitnessesContradictError, match="w0 AHEAD: it cosigned size 1000, and this log has 1"):
            append_signed_batch(services, batch)
        with pytest.raises(WitnessesContradictError):
            world.do("agency.add", agency="ods:NEW", name_en="New")
        assert services.log.size() == size
        assert services.dispatch("anchor", {})["repeated"], "what was cosigned before stays anchored"

        told = world.do("status")["witnesses"]
        assert not told["takes_events"]
        assert "No events are taken in" in told["alarm"]
        assert "Stop the service" in told["alarm"]
        assert overview(services, Nothing())["witnesses"] == told
        ready = readiness(services)
        assert not ready["ready"]
        assert [one["reason"] for one in ready["checks"] if not one["ok"]] == [told["alarm"]]
        assert 'quanze_witness_contradicts{witness="w0"} 1\n' in render(services)
        assert "quanze_events_refused 1\n" in render(services)

        witness.told = None  # It cosigns: it knows no other log any more.
        assert turn(world, watch, Problem.NONE) == ["witness_contradicts_no_more", "events_taken_again"]
        assert append_signed_batch(services, batch)[0]["index"] == size
        assert world.do("agency.add", agency="ods:NEW", name_en="New")
        assert readiness(services)["ready"]
        assert "quanze_events_refused 0\n" in render(services)
        assert world.do("status")["witnesses"]["alarm"] == ""


def test_a_fork_stops_events_and_not_decisions_and_an_idle_log_asks_again(tmp_path: Path) -> None:
    with witnessed(tmp_path) as (world, witness):
        watch = WitnessWatch(world.services)
        witness.told = None
        world.append("reporter-p", {})
        assert turn(world, watch, Problem.NONE) == []
        world.append("reporter-p", {})
        witness.told = FORKED
        assert turn(world, watch, Problem.FORKED) == ["witness_contradicts", "events_refused"]
        with pytest.raises(WitnessesContradictError, match="FORKED"):
            world.append("reporter-p", {})
        assert world.do("agency.add", agency="ods:NEW", name_en="New"), "the chain vouches for itself"
        witness.told = None
        assert turn(world, watch, Problem.NONE) == ["witness_contradicts_no_more", "events_taken_again"]
        assert world.append("reporter-p", {})[0]["index"] == 2


def test_what_a_witness_says_at_opening_is_asked_again_though_no_entry_waits(tmp_path: Path) -> None:
    with witnessed(tmp_path) as (world, witness):
        settings = world.services.settings
        witness.told = None
        world.append("reporter-p", {})
        assert turn(world, WitnessWatch(world.services), Problem.NONE) == []
        world.services.close()
        witness.told = FORKED
        world.services = bootstrap.open_home(settings)
        watch = WitnessWatch(world.services)
        with pytest.raises(WitnessesContradictError):
            world.append("reporter-p", {})
        witness.told = None
        while barring(world.services.witnesses, world.services.log.size()):  # type: ignore[arg-type]
            publish_checkpoint(world.services)  # Nothing is to be published; it asks.
        watch.look()
        assert world.append("reporter-p", {})[0]["index"] == 1


def test_one_witness_that_contradicts_does_not_stop_a_log_that_the_others_suffice_for(tmp_path: Path) -> None:
    with witnessed(tmp_path, needed=1, others=1) as (world, witness):
        services, watch = world.services, WitnessWatch(world.services)
        witness.told = FORKED
        world.append("reporter-p", {})
        assert turn(world, watch, Problem.FORKED, grows=True) == ["witness_contradicts"]
        assert turn(world, watch, Problem.FORKED) == [], "it is said once"
        world.append("reporter-p", {})
        told = world.do("status")["witnesses"]
        assert told["takes_events"]
        assert "w0 FORKED" in told["alarm"]
        ready = readiness(services)
        assert ready["ready"]
        assert [one["reason"] for one in ready["checks"] if not one["ok"]] == [told["alarm"]]
        assert 'quanze_witness_contradicts{witness="w0"} 1\n' in render(services)
        assert 'quanze_witness_contradicts{witness="w1"} 0\n' in render(services)
        assert "quanze_events_refused 0\n" in render(services)


class _Witnessed:
    """Standings as told, under a policy that nobody needs to meet."""

    def __init__(self, *standings: WitnessStanding) -> None:
        self._standings = standings

    def standings(self) -> tuple[WitnessStanding, ...]:
        return self._standings


def test_a_size_that_a_crash_kept_from_being_published_is_no_contradiction() -> None:
    cosigned = WitnessStanding("w", "w", "http://w", size=7, problem=Problem.AHEAD)
    assert contradicting(_Witnessed(cosigned), 7) == []  # type: ignore[arg-type]
    assert contradicting(_Witnessed(cosigned), 6) == [cosigned]  # type: ignore[arg-type]
