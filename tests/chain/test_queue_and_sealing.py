"""What becomes of transactions between submission and block: order, refusal, clocks, restarts."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ledger.chain.engine import EmbeddedChain
from ledger.chain.engine.journal import Journal
from ledger.chain.engine.journal_rows import Entry
from ledger.chain.engine.queue import Queue
from ledger.chain.engine.transaction import parse
from ledger.domain.errors import ConflictError, InvalidInputError, RefusedError, UnavailableError
from tests.chain.accounts import PROBE_INITCODE, SealerKey, Sender
from tests.chain.behaviour import word

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.chain.engine import EngineConfig

WAIT_S = 20.0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"value": 1}, "value"),
        ({"maxFeePerGas": 1}, "fee"),
        ({"gas": 20_999}, "gas"),
        ({"gas": 30_000_001}, "gas"),
        ({"data": bytes(140_000), "gas": 1_000_000}, "raw_transaction"),
        ({"data": b"\x01" * 1000, "gas": 30_000}, "gas"),
    ],
)
def test_transaction_that_this_chain_can_never_take_is_refused_at_once(
    engine: EmbeddedChain, changes: dict[str, Any], field: str
) -> None:
    sender = Sender(engine.chain_id(), 1)
    with pytest.raises(InvalidInputError) as caught:
        engine.submit(sender.sign(0, **changes))
    assert caught.value.field == field
    assert engine.nonce(sender.address) == 0


def test_pending_nonce_held_by_another_transaction_is_a_conflict(engine: EmbeddedChain) -> None:
    sender = Sender(engine.chain_id(), 1)
    waiting = engine.submit(sender.sign(5))
    with pytest.raises(ConflictError) as caught:
        engine.submit(sender.sign(5, data=b"another"))
    assert caught.value.fields["held_by"] == waiting
    assert engine.submit(sender.sign(5)) == waiting


def test_nonce_far_ahead_and_full_queue_ask_to_try_again(make_config: Callable[..., EngineConfig]) -> None:
    with EmbeddedChain(make_config(pending_max=2, nonce_gap_max=10), SealerKey()) as chain:
        sender = Sender(chain.chain_id(), 1)
        with pytest.raises(UnavailableError, match="too far"):
            chain.submit(sender.sign(11))
        chain.submit(sender.sign(9))
        chain.submit(sender.sign(10))
        with pytest.raises(UnavailableError, match="full"):
            chain.submit(sender.sign(8))


def test_transaction_that_the_pool_refuses_is_told_to_its_submitter_and_kept_out(
    make_config: Callable[..., EngineConfig],
) -> None:
    """One that slips past admission: its sender's later ones wait for a replacement, others go on, all durable."""
    config = make_config()
    EmbeddedChain(config, SealerKey()).close()
    unlucky, other = Sender(config.chain_id, 1), Sender(config.chain_id, 2)
    bad, later, good = unlucky.sign(0, value=1), unlucky.sign(1), other.sign(0)
    journal = Journal(config.folder / "journal.db")
    journal.enqueue([parse(bad), parse(later), parse(good)])
    journal.close()
    with EmbeddedChain(config, SealerKey()) as chain:
        assert chain.wait_receipt(parse(good).hash, WAIT_S).status == 1
        with pytest.raises(RefusedError) as caught:
            chain.wait_receipt(parse(bad).hash, WAIT_S)
        assert "nsufficient" in str(caught.value.arguments["reason"])
        assert chain.receipt(parse(bad).hash) is None
        assert chain.receipt(parse(later).hash) is None
        assert chain.nonce(unlucky.address) == 0
    with EmbeddedChain(config, SealerKey()) as chain:
        with pytest.raises(RefusedError):
            chain.wait_receipt(parse(bad).hash, WAIT_S)
        replaced = chain.submit(unlucky.sign(0))
        first, second = chain.wait_receipt(replaced, WAIT_S), chain.wait_receipt(parse(later).hash, WAIT_S)
        assert (first.block_number, first.tx_index) < (second.block_number, second.tx_index)
        assert chain.replay_from_genesis() == chain.final_block().number


def test_concurrent_submitters_each_get_their_receipt(engine: EmbeddedChain) -> None:
    senders = [Sender(engine.chain_id(), seed) for seed in range(1, 9)]

    def send(sender: Sender) -> list[int]:
        sent = [engine.submit(sender.next(data=word(number))) for number in range(25)]
        return [engine.wait_receipt(tx_hash, WAIT_S).status for tx_hash in sent]

    with ThreadPoolExecutor(len(senders)) as pool:
        assert list(pool.map(send, senders)) == [[1] * 25] * 8
    assert engine.replay_from_genesis() == engine.final_block().number


def test_same_transaction_from_many_threads_is_queued_once(engine: EmbeddedChain) -> None:
    raw = Sender(engine.chain_id(), 1).sign(0)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(engine.submit, [raw] * 32))) == 1
    assert engine.wait_receipt(parse(raw).hash, WAIT_S).status == 1


def test_large_batches_from_many_senders_keep_their_order(make_config: Callable[..., EngineConfig]) -> None:
    """Requests of more than 63 transactions of type 2 would overtake each other in the node."""
    chance = random.Random(3)
    config = make_config()
    senders = [Sender(config.chain_id, seed) for seed in range(1, 33)]
    EmbeddedChain(config, SealerKey()).close()
    journal = Journal(config.folder / "journal.db")
    raws = [chance.choice(senders).next(kind=number % 3) for number in range(900)]
    journal.enqueue([parse(raw) for raw in raws])
    journal.close()
    with EmbeddedChain(config, SealerKey()) as chain:
        chain.wait_receipt(parse(raws[-1]).hash, WAIT_S)
        assert list(chain.block(1).transactions) == raws
        assert chain.replay_from_genesis() == 1


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_clock_that_goes_back_does_not_turn_block_times(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config(time_lead_max_s=0)
    clock = Clock(config.genesis_time + 1000.0)
    sender = Sender(config.chain_id, 1)
    with capture_logs() as logs, EmbeddedChain(config, SealerKey(), clock=clock) as chain:
        chain.wait_receipt(chain.submit(sender.next()), WAIT_S)
        before = chain.final_block().timestamp
        clock.now -= 500
        for ahead in (1, 2):
            chain.wait_receipt(chain.submit(sender.next()), WAIT_S)
            assert chain.final_block().timestamp == before + ahead
    assert before == config.genesis_time + 1000
    assert [entry["event"] for entry in logs].count("clock_went_back") == 1


def test_blocks_never_run_ahead_of_the_clock(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config(time_lead_max_s=0)
    sender = Sender(config.chain_id, 1)
    with EmbeddedChain(config, SealerKey()) as chain:
        for _ in range(3):
            chain.wait_receipt(chain.submit(sender.next()), WAIT_S)
            assert chain.final_block().timestamp <= time.time()


def test_heartbeat_makes_one_empty_block_when_the_newest_is_old(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config(heartbeat_s=30)
    clock = Clock(config.genesis_time + 29.0)
    with EmbeddedChain(config, SealerKey(), clock=clock) as chain:
        assert chain.final_block().number == 0
    clock.now += 1
    beat = threading.Event()
    with EmbeddedChain(config, SealerKey(), clock=clock, crash_point=lambda _: beat.set()) as chain:
        assert beat.wait(WAIT_S)
    with EmbeddedChain(config, SealerKey(), clock=clock) as chain:
        newest = chain.block(chain.final_block().number)
        assert (newest.ref.number, newest.ref.timestamp, newest.transactions) == (1, config.genesis_time + 30, ())


def test_node_that_dies_is_replaced_and_nothing_is_lost(engine: EmbeddedChain) -> None:
    sender = Sender(engine.chain_id(), 1)
    created = engine.wait_receipt(engine.submit(sender.next(to=b"", data=PROBE_INITCODE)), WAIT_S)
    assert created.status == 1
    for number in range(1, 6):
        old = engine.node_pid
        os.kill(old, signal.SIGKILL)
        receipt = engine.wait_receipt(engine.submit(sender.next(data=word(number))), WAIT_S)
        assert receipt.status == 1
        assert engine.node_pid != old
    assert engine.replay_from_genesis() == engine.final_block().number


def test_closed_chain_refuses_and_tells_those_who_wait(make_config: Callable[..., EngineConfig]) -> None:
    chain = EmbeddedChain(make_config(), SealerKey())
    chain.start()
    waiting = Sender(chain.chain_id(), 1).sign(1)
    tx_hash = chain.submit(waiting)
    with ThreadPoolExecutor(1) as pool:
        waited = pool.submit(chain.wait_receipt, tx_hash, WAIT_S)
        chain.close()
        with pytest.raises(UnavailableError):
            waited.result()
    with pytest.raises(UnavailableError):
        chain.submit(Sender(chain.chain_id(), 1).sign(0))


def test_missing_program_is_unavailable(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config()
    with pytest.raises(UnavailableError) as caught:
        EmbeddedChain(make_config(anvil=config.folder / "nothing"), SealerKey()).start()
    assert "before it listened" in caught.value.explain()


def test_signature_that_is_none_stops_the_engine(make_config: Callable[..., EngineConfig]) -> None:
    with pytest.raises(UnavailableError, match="sealer"):
        EmbeddedChain(make_config(), lambda _digest: bytes(65)).start()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), unique=True, max_size=18), st.data())
def test_queue_never_gives_a_nonce_out_of_turn(arrivals: list[tuple[int, int]], data: st.DataObject) -> None:
    queue = Queue(lambda _sender: 0)
    given_out: dict[bytes, int] = {}
    for seq, (who, nonce) in enumerate(arrivals):
        queue.admit(Entry(seq, bytes([seq]) * 32, b"", bytes([who]) * 20, nonce, 21_000))
        if data.draw(st.booleans()):
            batch = queue.take(count_max=data.draw(st.integers(0, 3)), gas_max=10**9)
            if batch and data.draw(st.booleans()):
                queue.put_back(batch)
                refused = data.draw(st.lists(st.sampled_from(batch), unique=True))
                queue.drop(refused)
                for entry in refused:
                    assert queue.next_nonce(entry.sender) <= entry.nonce
                    queue.admit(Entry(1000 + entry.seq, entry.hash, b"", entry.sender, entry.nonce, 21_000))
            else:
                _give_out(batch, given_out)
    _give_out(queue.take(count_max=100, gas_max=10**9), given_out)
    for who in range(3):
        nonces = {nonce for sender, nonce in arrivals if sender == who}
        contiguous = next(number for number in range(7) if number not in nonces)
        assert given_out.get(bytes([who]) * 20, 0) == contiguous
        assert queue.held_of(bytes([who]) * 20) == len(nonces) - contiguous
    assert len(queue) == len(arrivals) - sum(given_out.values())


def _give_out(batch: list[Entry], given_out: dict[bytes, int]) -> None:
    for entry in batch:
        assert entry.nonce == given_out.get(entry.sender, 0)
        given_out[entry.sender] = entry.nonce + 1
