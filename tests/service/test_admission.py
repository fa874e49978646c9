"""Admission: bounds that hold, turns that are fair, and a time to come again that follows the rate."""

from __future__ import annotations

import random

import pytest

from ledger.service.admission import QUANTUM_BYTES, RETRY_MAX_S, Admission, Bounds, BusyError, Held

KB = 1 << 10


def arrive(admission: Admission, sender: str, lane: str, size: int) -> Held:
    """Let a whole body arrive and wait."""
    held = admission.hold(sender)
    try:
        admission.grow(held, size)
        admission.wait(held, lane, lambda: None)
    except BusyError:
        admission.leave(held)
        raise
    return held


def drain(admission: Admission) -> list[Held]:
    """Work off everything, one after another, and return the order."""
    order = []
    while turn := next(admission.turns(), None):
        order.append(turn)
        admission.leave(turn, 0.01)
    return order


def test_one_body_is_let_through_at_once() -> None:
    admission = Admission()
    held = arrive(admission, "a", "r", 100)
    assert list(admission.turns()) == [held]
    admission.leave(held, 0.1)
    assert admission.figures()["bodies"] == admission.figures()["bytes"] == 0


def test_a_flood_of_one_reporter_delays_another_by_a_few_bodies_only() -> None:
    admission = Admission(Bounds(work_bodies_max=1))
    flood = [arrive(admission, "proxy", "big", 400 * KB) for _ in range(50)]
    small = arrive(admission, "proxy", "small", 40 * KB)
    order = drain(admission)
    assert order.index(small) <= 2
    assert [one for one in order if one is not small] == flood


def test_a_flood_from_one_address_under_many_names_delays_another_address_by_a_few_bodies_only() -> None:
    admission = Admission(Bounds(work_bodies_max=1))
    for number in range(200):
        arrive(admission, "attacker", f"name-{number}", 100 * KB)
    small = arrive(admission, "other", "honest", 100 * KB)
    assert drain(admission).index(small) <= 4


def test_lanes_that_send_alike_are_served_alike_whatever_their_bodies_sizes() -> None:
    admission = Admission(Bounds(work_bodies_max=1))
    for _ in range(10):
        arrive(admission, "one", "large", 640 * KB)
    for _ in range(64):
        arrive(admission, "one", "tiny", 100 * KB)
    served = {"large": 0, "tiny": 0}
    for held in drain(admission)[:30]:
        served[held.lane] += held.size
    assert 0.5 < served["large"] / served["tiny"] < 2


def test_a_lane_keeps_its_order() -> None:
    admission = Admission()
    mine = [arrive(admission, "a", "r", random.Random(number).randrange(1, 300 * KB)) for number in range(60)]
    assert drain(admission) == mine


def test_no_more_is_at_work_than_the_bounds_allow_but_one_larger_body_alone() -> None:
    admission = Admission(Bounds(work_bodies_max=3, work_bytes_max=100))
    first, second, third = (arrive(admission, name, "", size) for name, size in (("a", 60), ("b", 60), ("c", 500)))
    assert list(admission.turns()) == [first]
    admission.leave(first, 0.1)
    assert list(admission.turns()) == [second]
    admission.leave(second, 0.1)
    assert list(admission.turns()) == [third]
    many = [arrive(admission, "d", "", 10) for _ in range(5)]
    assert list(admission.turns()) == []
    admission.leave(third, 0.1)
    assert list(admission.turns()) == many[:3]


@pytest.mark.parametrize(
    ("bounds", "named"),
    [
        (Bounds(bodies_max=3), "requests are here"),
        (Bounds(sender_bodies_max=3), "of this address are here"),
        (Bounds(bytes_max=350), "bytes wait"),
        (Bounds(sender_bytes_max=350), "bytes of this address"),
        (Bounds(lane_bodies_max=3), "of this reporter wait"),
        (Bounds(lane_bytes_max=350), "of this reporter wait"),
    ],
)
def test_what_finds_no_room_is_refused_and_leaves_nothing(bounds: Bounds, named: str) -> None:
    admission = Admission(bounds)
    held = [arrive(admission, "a", "r", 100) for _ in range(3)]
    before = admission.figures()["waiting_bodies"]
    with pytest.raises(BusyError, match=named) as refused:
        arrive(admission, "a", "r", 100)
    assert 1 <= refused.value.retry_after_s <= RETRY_MAX_S
    assert admission.figures()["waiting_bodies"] == before == 3
    assert admission.figures()["refused_total"] == 1
    assert drain(admission) == held
    arrive(admission, "a", "r", 100)  # There is room again.


def test_another_address_finds_room_where_one_has_filled_its_share() -> None:
    admission = Admission(Bounds(bytes_max=1000, sender_bytes_max=500))
    for _ in range(5):
        arrive(admission, "a", "r", 100)
    with pytest.raises(BusyError):
        admission.grow(admission.hold("a"), 1)
    assert arrive(admission, "b", "r", 500).is_waiting


def test_the_time_to_come_again_follows_what_waits_and_the_rate() -> None:
    admission = Admission(Bounds(work_bodies_max=1, bytes_max=100 * KB))

    def told() -> int:
        held = admission.hold("late")
        try:
            admission.grow(held, 200 * KB)
        except BusyError as error:
            return error.retry_after_s
        finally:
            admission.leave(held)
        raise AssertionError

    for _ in range(60):  # A slow disk: 10 KB/s.
        held = arrive(admission, "a", "r", 10 * KB)
        assert next(admission.turns()) is held
        admission.leave(held, 1.0)
    for _ in range(9):
        arrive(admission, "a", "r", 10 * KB)
    assert 8 <= told() <= 10
    for held in drain(admission):
        assert held.is_gone
    assert told() == 1


def test_a_sender_that_hangs_up_while_it_waits_leaves_no_trace() -> None:
    admission = Admission(Bounds(work_bodies_max=1))
    first, second, third = (arrive(admission, "a", lane, 10) for lane in ("x", "y", "x"))
    assert next(admission.turns()) is first
    admission.leave(second)
    admission.leave(second)
    admission.leave(first, 0.1)
    assert drain(admission) == [third]
    assert admission.figures()["bodies"] == admission.figures()["work_bodies"] == 0


def test_random_traffic_neither_loses_a_body_nor_serves_one_twice() -> None:
    chance = random.Random(4)
    admission = Admission(Bounds(work_bodies_max=4, work_bytes_max=8 * QUANTUM_BYTES))
    waiting: list[Held] = []
    working: list[Held] = []
    served: list[Held] = []
    for _ in range(5_000):
        act = chance.random()
        if act < 0.5:
            name = chance.choice("abc")
            try:
                waiting.append(arrive(admission, name, chance.choice("xyz"), chance.randrange(3 * QUANTUM_BYTES)))
            except BusyError:
                continue
        elif act < 0.6 and waiting:
            gone = waiting.pop(chance.randrange(len(waiting)))
            admission.leave(gone)
        elif working:
            admission.leave(working.pop(chance.randrange(len(working))), 0.01)
        for held in admission.turns():
            waiting.remove(held)
            working.append(held)
            served.append(held)
        figures = admission.figures()
        assert figures["work_bodies"] == len(working) <= 4
        assert figures["waiting_bodies"] == len(waiting)
        assert working or not waiting
    assert len(set(map(id, served))) == len(served) > 1_000
