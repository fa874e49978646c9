"""The engine serves only what replays: every alteration of its records stops it, and the block is named."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from ledger.chain.engine import EmbeddedChain
from ledger.chain.engine.journal import Journal
from ledger.chain.engine.replay import replay_from_genesis
from ledger.domain.errors import IntegrityError, UnavailableError
from tests.chain.accounts import PROBE_INITCODE, SealerKey, Sender
from tests.chain.behaviour import word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ledger.chain.engine import EngineConfig


def grow(config: EngineConfig, count: int = 6, seed: int = 1) -> list[tuple[int, bytes]]:
    """Run a chain for some blocks of a contract's calls; return all its blocks' numbers and hashes."""
    with EmbeddedChain(config, SealerKey()) as chain:
        sender = Sender(config.chain_id, seed)
        sender.nonce = chain.nonce(sender.address)
        created = chain.wait_receipt(chain.submit(sender.next(to=b"", data=PROBE_INITCODE)), 20.0)
        assert created.status == 1
        for number in range(1, count):
            chain.wait_receipt(chain.submit(sender.next(data=word(number))), 20.0)
        return [(header.number, header.hash) for header in chain.headers(0, chain.final_block().number)]


def alter(config: EngineConfig, statement: str, *values: object) -> None:
    with sqlite3.connect(config.folder / "journal.db") as db:
        assert db.execute(statement, values).rowcount > 0
    db.close()


def start(config: EngineConfig) -> list[tuple[int, bytes]]:
    with EmbeddedChain(config, SealerKey()) as chain:
        return [(header.number, header.hash) for header in chain.headers(0, chain.final_block().number)]


def test_replay_gives_the_same_hashes(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config()
    blocks = grow(config)
    assert start(config) == blocks


@pytest.mark.parametrize(
    ("statement", "block"),
    [
        ("UPDATE blocks SET hash = randomblob(32) WHERE number = 3", 3),
        ("UPDATE blocks SET timestamp = timestamp + 1 WHERE number = 4", 4),
        ("UPDATE transactions SET block = 5, position = 1 WHERE block = 4", 4),
        ("DELETE FROM blocks WHERE number = 2", 2),
        ("UPDATE blocks SET hash = NULL WHERE number = 2", 2),
        ("UPDATE blocks SET header = x'c0' WHERE number = 6", 6),
    ],
)
def test_altered_journal_is_refused_by_block(
    make_config: Callable[..., EngineConfig], statement: str, block: int
) -> None:
    config = make_config()
    grow(config)
    alter(config, statement)
    with pytest.raises(IntegrityError) as caught:
        start(config)
    assert caught.value.fields["block"] == block


def test_altered_transaction_is_refused_by_block(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config()
    grow(config)
    other = Sender(config.chain_id, 1).sign(2, data=b"something else")
    alter(config, "UPDATE transactions SET raw = ? WHERE block = 3", other)
    with pytest.raises(IntegrityError) as caught:
        start(config)
    assert caught.value.fields["block"] == 3


def test_transaction_that_the_pool_refuses_at_replay_is_an_integrity_error(
    make_config: Callable[..., EngineConfig],
) -> None:
    config = make_config()
    grow(config)
    rich = Sender(config.chain_id, 1).sign(2, value=1)
    alter(config, "UPDATE transactions SET raw = ? WHERE block = 3", rich)
    with pytest.raises(IntegrityError) as caught:
        start(config)
    assert caught.value.fields["block"] == 3
    assert "refuses" in caught.value.explain()


@pytest.mark.parametrize("name", ["chain_id", "genesis_time", "block_gas_limit"])
def test_another_deployments_settings_are_refused(make_config: Callable[..., EngineConfig], name: str) -> None:
    config = make_config()
    grow(config, 1)
    with pytest.raises(IntegrityError) as caught:
        EmbeddedChain(make_config(**{name: getattr(config, name) + 1}), SealerKey())
    assert name in caught.value.explain()


@pytest.mark.parametrize(
    ("statement", "block"),
    [
        ("UPDATE receipts SET revert = x'00' WHERE block = 2", 2),
        ("UPDATE receipts SET rlp = randomblob(40) WHERE block = 3", 3),
        ("UPDATE blocks SET seal = randomblob(65) WHERE number = 4", 4),
        ("UPDATE blocks SET signer = randomblob(20) WHERE number = 4", 4),
        ("UPDATE blocks SET header = randomblob(500) WHERE number = 2", 2),
    ],
)
def test_full_check_names_the_first_block_that_differs(
    make_config: Callable[..., EngineConfig], statement: str, block: int
) -> None:
    config = make_config()
    grow(config)
    journal = Journal(config.folder / "journal.db")
    told: list[tuple[int, int]] = []
    assert replay_from_genesis(config, journal, lambda done, last: told.append((done, last))) == 6
    assert told == [(number, 6) for number in range(1, 7)]
    alter(config, statement)
    with pytest.raises(IntegrityError) as caught:
        replay_from_genesis(config, journal)
    journal.close()
    assert caught.value.fields["block"] == block


def snapshots_of(config: EngineConfig) -> list[Path]:
    return sorted((config.folder / "snapshots").iterdir())


def test_start_replays_only_what_follows_the_snapshot(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config(snapshot_transactions=4)
    blocks = grow(config, 10)
    with capture_logs() as logs:
        assert start(config) == blocks
    (ready,) = [entry for entry in logs if entry["event"] == "chain_ready"]
    assert ready["snapshot"] == 8
    assert ready["transactions_replayed"] == 2
    assert len(snapshots_of(config)) == 2


def test_start_after_a_snapshot_goes_on_with_the_same_hashes(make_config: Callable[..., EngineConfig]) -> None:
    """The chain with snapshots and restarts is the chain without."""
    config = make_config(snapshot_transactions=3)
    grow(config, 8)
    grown = grow(config, 8, seed=2)
    journal = Journal(config.folder / "journal.db")
    assert replay_from_genesis(config, journal) == 16
    journal.close()
    assert start(config) == grown


def alter_first_slot(path: Path) -> bytes:
    state = json.loads(path.read_bytes())
    changed = False
    for account in state["accounts"].values():
        account["nonce"] += 1
        changed = True
    assert changed
    return json.dumps(state).encode()


def test_altered_snapshot_is_left_aside(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config(snapshot_transactions=4)
    blocks = grow(config, 10)
    for path in snapshots_of(config):
        path.write_bytes(alter_first_slot(path))
    with capture_logs() as logs, EmbeddedChain(config, SealerKey()) as chain:
        assert [(header.number, header.hash) for header in chain.headers(0, chain.final_block().number)] == blocks
        # Replaced by a newer one meanwhile or not, fsck names it.
        assert chain.altered_snapshots() == dict.fromkeys(
            ("000000000008.json", "000000000004.json"), "its file is not the one that was written"
        )
    warned = [entry for entry in logs if entry["event"] == "snapshot_left_aside"]
    assert [entry["block"] for entry in warned] == [8, 4]
    assert all("not the one that was written" in entry["reason"] for entry in warned)


def test_altered_snapshot_with_its_hash_altered_too_is_left_aside(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config(snapshot_transactions=4)
    blocks = grow(config, 10)
    newest = snapshots_of(config)[-1]
    content = alter_first_slot(newest)
    newest.write_bytes(content)
    alter(config, "UPDATE snapshots SET sha256 = ? WHERE number = 8", hashlib.sha256(content).digest())
    with capture_logs() as logs, EmbeddedChain(config, SealerKey()) as chain:
        assert [(header.number, header.hash) for header in chain.headers(0, chain.final_block().number)] == blocks
        assert list(chain.altered_snapshots()) == [newest.name]
    (warned,) = [entry for entry in logs if entry["event"] == "snapshot_left_aside"]
    assert "state root" in warned["reason"]


def test_missing_and_foreign_snapshots_are_left_aside(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config(snapshot_transactions=4)
    blocks = grow(config, 10)
    snapshots_of(config)[-1].unlink()
    alter(config, "UPDATE snapshots SET engine = 'anvil/v0' WHERE number = 4")
    with capture_logs() as logs, EmbeddedChain(config, SealerKey()) as chain:
        assert [(header.number, header.hash) for header in chain.headers(0, chain.final_block().number)] == blocks
        assert chain.altered_snapshots() == {}
    warned = [entry for entry in logs if entry["event"] == "snapshot_left_aside"]
    assert [entry["block"] for entry in warned] == [8, 4]


def test_older_snapshot_altered_while_the_chain_runs_is_named(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config(snapshot_transactions=4)
    grow(config, 10)
    with EmbeddedChain(config, SealerKey()) as chain:
        assert chain.altered_snapshots() == {}
        oldest = snapshots_of(config)[0]
        oldest.write_bytes(alter_first_slot(oldest))
        assert list(chain.altered_snapshots()) == [oldest.name]


def test_second_process_cannot_open_the_chain(make_config: Callable[..., EngineConfig]) -> None:
    config = make_config()
    with EmbeddedChain(config, SealerKey()), pytest.raises(UnavailableError, match="another process"):
        EmbeddedChain(config, SealerKey())


def test_backup_of_a_running_chain_starts_elsewhere(make_config: Callable[..., EngineConfig], tmp_path: Path) -> None:
    config = make_config(snapshot_transactions=4)
    grow(config, 10)
    with EmbeddedChain(config, SealerKey()) as chain:
        chain.backup(tmp_path / "copy")
        blocks = [(header.number, header.hash) for header in chain.headers(0, chain.final_block().number)]
        assert start(make_config(folder=tmp_path / "copy")) == blocks
