"""Frontiers: sizes that only grow, times that are kept in bounded memory, and waits that end."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from ledger.service.cadence import AnchorPace, CheckpointPace, retry_after_s
from ledger.service.frontiers import PASSAGES, Frontiers
from ledger.service.latency import History, Passage, Quantiles


class Ticks:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_size_says_what_all_sizes_before_it_said() -> None:
    frontiers = Frontiers()
    frontiers.accepted(0, 10, 1)
    frontiers.included(10, 2)
    frontiers.accepted(2, 3, 9)
    frontiers.included(4, 9)
    frontiers.anchored(10, 7, 3)
    frontiers.final(10, 4, 7)
    sizes = frontiers.sizes
    assert [one.size for one in (sizes.accepted, sizes.included, sizes.anchored, sizes.final)] == [10] * 4
    assert [one.at_ms for one in (sizes.accepted, sizes.included, sizes.anchored, sizes.final)] == [1, 2, 3, 4]
    assert (sizes.anchored.block, sizes.final.block) == (7, 7)
    version = sizes.version
    frontiers.final(10, 5, 8)
    assert frontiers.sizes.version == version, "the same again changes nothing"


def test_what_is_further_implies_what_is_before() -> None:
    frontiers = Frontiers()
    frontiers.final(5, 9, 3)
    sizes = frontiers.sizes
    assert [one.size for one in (sizes.accepted, sizes.included, sizes.anchored, sizes.final)] == [5] * 4
    assert frontiers.included_at(4) == frontiers.final_at(4) == 9


def test_only_an_anchor_that_is_not_final_is_taken_back() -> None:
    frontiers = Frontiers()
    frontiers.final(5, 1, 1)
    frontiers.anchored(9, 2, 2)
    frontiers.reorganised(3, 1)
    assert frontiers.sizes.anchored.size == 5
    assert frontiers.sizes.included.size == 9
    frontiers.reorganised(0, 0)
    assert (frontiers.sizes.anchored.size, frontiers.sizes.final.size) == (5, 5)


def test_entries_that_a_crash_left_unanchored_are_due_within_the_usual_age() -> None:
    ticks = Ticks()
    frontiers = Frontiers(ticks)
    frontiers.resume(accepted=9, included=7, anchored=4, block=2, final=4)
    ticks.now += 3
    assert frontiers.waiting_s() == 3
    assert (frontiers.included_at(6), frontiers.final_at(3)) == (0, 0), "nobody knows any more"
    frontiers.included(9, 55)
    assert (frontiers.included_at(6), frontiers.included_at(7)) == (0, 55)
    frontiers.anchored(9, 3, 56)
    assert frontiers.waiting_s() == 0


def test_latencies_are_counted_by_entry_and_never_understated() -> None:
    ticks = Ticks()
    frontiers = Frontiers(ticks)
    frontiers.accepted(0, 90, 0)
    ticks.now += 0.2
    frontiers.accepted(90, 10, 0)
    ticks.now += 0.1
    frontiers.included(100, 0)
    passage = frontiers.passages()["accepted", "included"]
    assert passage.count == 100
    assert abs(passage.sum_s - (90 * 0.3 + 10 * 0.1)) < 1e-6
    for share, exact in ((0.05, 0.1), (0.5, 0.3), (0.99, 0.3)):
        told = passage.quantile(share, ticks.now)
        assert told is not None
        assert exact <= told <= exact * 1.05 * 1.001
    ticks.now += 1_000
    assert passage.quantile(0.5, ticks.now) is None, "quantiles are of the last minutes"
    assert passage.count == 100


@given(st.lists(st.floats(0.001, 10**5), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_at_most_a_twentieth_too_high(values: list[float], share: float) -> None:
    quantiles = Quantiles()
    for value in values:
        quantiles.add(value, 1, 0.0)
    told = quantiles.at(share, 0.0)
    exact = sorted(values)[max(0, -(-len(values) * round(share * 100) // 100) - 1)]
    assert told is not None
    assert exact * 0.999 <= told <= exact * 1.051


def test_a_passage_keeps_bounded_memory_however_long_nothing_arrives() -> None:
    passage = Passage()
    for size in range(1, 200_001):
        passage.leave(size, float(size))
    assert len(passage._marks) <= 1 << 15
    assert passage.oldest == 1.0
    passage.arrive(200_000, 200_001.0)
    assert (passage.count, passage.waiting, passage.oldest) == (200_000, 0, None)


def test_a_history_tells_the_first_time_and_forgets_the_oldest() -> None:
    history = History()
    for number in range(1, 100_001):
        history.add(number * 2, number)
    assert history.at(199_999) == 100_000
    assert history.at(199_998) == 100_000
    assert history.at(200_000) == 0
    assert history.at(0) == 0, "forgotten, and so not told wrongly"
    draw = random.Random(7)
    for _ in range(1_000):
        index = draw.randrange(200_000)
        assert history.at(index) in {0, index // 2 + 1}


@given(
    st.lists(st.tuples(st.sampled_from(["accepted", "included", "anchored", "final"]), st.integers(0, 60)), max_size=60)
)
def test_sizes_are_ordered_and_every_passage_is_counted_once(told: list[tuple[str, int]]) -> None:
    frontiers = Frontiers()
    for state, size in told:
        match state:
            case "accepted":
                frontiers.accepted(0, size, 1)
            case "included":
                frontiers.included(size, 1)
            case "anchored":
                frontiers.anchored(size, 1, 1)
            case _:
                frontiers.final(size, 1, 1)
        sizes = frontiers.sizes
        assert sizes.accepted.size >= sizes.included.size >= sizes.anchored.size >= sizes.final.size
    for start, end in PASSAGES:
        assert frontiers.passages()[start, end].count == getattr(frontiers.sizes, end).size


def test_who_waits_is_woken_and_a_closed_one_is_not_waited_for() -> None:
    frontiers = Frontiers()
    called: list[int] = []
    end = frontiers.listen(lambda: called.append(frontiers.sizes.accepted.size))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(frontiers.wait_until, lambda sizes: sizes.final.size > 3, 30)
        frontiers.accepted(0, 4, 1)
        frontiers.final(4, 1, 1)
        assert first.result(30) is True
        second = pool.submit(frontiers.wait_until, lambda sizes: sizes.final.size > 4, 30)
        frontiers.close()
        assert second.result(30) is False
    assert called
    end()
    before = len(called)
    frontiers.accepted(4, 1, 1)
    assert len(called) == before
    assert frontiers.wait_until(lambda sizes: sizes.final.size > 4, 0) is False


def test_a_checkpoint_is_due_at_once_for_the_first_entry_and_then_not_sooner_than_the_interval() -> None:
    ticks, frontiers, stop = Ticks(), Frontiers(), threading.Event()
    pace = CheckpointPace(frontiers, 3_600, ticks)
    frontiers.accepted(0, 1, 1)
    assert pace.wait(stop, 0) is True
    frontiers.included(1, 1)
    frontiers.accepted(1, 1, 1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(pace.wait, stop, 0)
        assert not waiting.done()
        stop.set()
        pace.wake()
        assert waiting.result(30) is False


def test_an_anchor_is_due_by_number_or_by_age() -> None:
    ticks, stop = Ticks(), threading.Event()
    frontiers = Frontiers(ticks)
    by_age = AnchorPace(frontiers, every_events=100, max_age_s=0.001)
    by_number = AnchorPace(frontiers, every_events=3, max_age_s=0.001)
    frontiers.accepted(0, 2, 1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(by_number.wait, stop, 0)
        frontiers.accepted(2, 1, 1)
        assert waiting.result(30) is True
        frontiers.anchored(3, 1, 1)
        frontiers.accepted(3, 1, 1)
        late = pool.submit(by_age.wait, stop, 0)
        ticks.now += 1
        frontiers.nudge()
        assert late.result(30) is True


def test_a_final_anchor_ends_the_wait_after_failures() -> None:
    ticks, frontiers, stop = Ticks(), Frontiers(), threading.Event()
    assert [retry_after_s(failures) for failures in (1, 2, 3, 7, 50, 10**6)] == [1, 2, 4, 60, 60, 60]
    frontiers.accepted(0, 10**6, 1)
    pace, turn = AnchorPace(frontiers, every_events=1, max_age_s=0.001), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(pace.wait, stop, 20)
        for size in range(1, 3_000):
            if waiting.done():
                break
            frontiers.final(size, 1, 1)
            turn.wait(0.01)
        assert waiting.result(0) is True
    assert ticks.now == 1_000
