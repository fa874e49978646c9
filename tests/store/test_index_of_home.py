"""The index of a real home: fed by its chain, log and vault, and the same whenever it is made anew."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from ledger import bootstrap
from ledger.domain.errors import IntegrityError
from ledger.domain.leaf import parse_leaf
from ledger.service.index_rows import FactFilter
from ledger.store.comparing import COMPARED
from ledger.store.database import Database
from tests.browser import sample_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ledger.service.services import Services
    from ledger.settings import Settings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A finished home with everything in it, closed."""
    sample = sample_ledger.make(tmp_path_factory.mktemp("sample"))
    settings: Settings = sample.services.settings
    sample.services.close()
    return settings


@pytest.fixture
def settings(made: Settings, tmp_path: Path) -> Settings:
    """A copy of that home, for one test alone."""
    home = tmp_path / "home"
    shutil.copytree(made.home, home, ignore=shutil.ignore_patterns("*.sock"))
    return made.model_copy(update={"home": home})


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    opened = bootstrap.open_home(settings)
    yield opened
    opened.close()


def rows_of(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            ]
            for table in COMPARED
        }


def index_rows(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    database = Database.open(settings.home / "index.db")
    rows = rows_of(database)
    database.close()
    return rows


def check(services: Services) -> dict[str, Any]:
    report: dict[str, Any] = services.dispatch("fsck", {})
    return report


def test_rebuilt_index_is_the_same_row_by_row(settings: Settings, services: Services) -> None:
    before = index_rows(settings)
    assert {table: len(rows) > 0 for table, rows in before.items()} == dict.fromkeys(before, True)
    rebuilt = services.dispatch("rebuild", {})
    assert index_rows(settings) == before
    assert {table: rebuilt["rows"][table] for table in before} == {table: len(rows) for table, rows in before.items()}


def test_deleted_index_is_made_anew_at_the_opening(settings: Settings) -> None:
    before = index_rows(settings)
    (settings.home / "index.db").unlink()
    bootstrap.open_home(settings).close()
    assert index_rows(settings) == before


@pytest.mark.parametrize("damage", [b"", b"not a database " * 300, None])
def test_damaged_index_is_set_aside_and_made_anew(settings: Settings, damage: bytes | None) -> None:
    before = index_rows(settings)
    path = settings.home / "index.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 4_000 + whole[4_100:] if damage is None else damage)
    bootstrap.open_home(settings).close()
    assert index_rows(settings) == before
    assert (settings.home / "index.db.damaged").exists() == (damage != b"")


def test_index_of_another_version_of_the_program_is_made_anew(settings: Settings) -> None:
    before = index_rows(settings)
    database = Database.open(settings.home / "index.db")
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
        connection.execute(sa.text("DROP TABLE facts"))
    database.close()
    bootstrap.open_home(settings).close()
    assert index_rows(settings) == before


def test_fsck_finds_nothing_in_a_whole_home(services: Services) -> None:
    report = check(services)
    assert report["defects"] == []
    (index,) = [one for one in report["checks"] if one["what"] == "index"]
    assert index["checked"] > 100
    assert not list(services.home.run.glob("index-check-*"))


def test_histories_are_those_that_bindings_are_made_from(services: Services) -> None:
    state = services.state
    contracts = {address: name for name, address in _addresses(services).items()}
    assert len(state._histories) > 20
    for (address, key), history in state._histories.items():
        assert services.index.history(contracts[address], key) == list(history)
    for kind in ("agency", "post", "dataset", "agreement", "assignment", "case"):
        assert services.index.identifiers(kind) == sorted(state.ids(kind))


def _addresses(services: Services) -> dict[str, bytes]:
    return {name: contract.address for name, contract in services.deployment.contracts.items()}


def test_every_leaf_is_a_fact_and_every_total_is_of_what_is_there(services: Services) -> None:
    index, log = services.index, services.log
    facts = index.facts(FactFilter(), limit=1_000).rows
    assert len(facts) == log.size() > 20
    for fact in facts:
        leaf = parse_leaf(log.leaf(fact.leaf_index))
        assert (fact.commitment.hex(), fact.stream.hex(), fact.seq) == (leaf.commitment, leaf.stream, leaf.seq)
        assert fact in index.find_event(fact.event_id)
    counters = index.counters()
    assert counters.events == log.size()
    assert counters.events_anchored == services.state.anchors()[-1].event.size < log.size()
    assert counters.events_within_scope == sum(fact.verdict == "WITHIN_SCOPE" for fact in facts) > 0
    assert counters.streams == len({fact.stream for fact in facts})
    assert (counters.agencies, counters.posts) == (len(services.state.ids("agency")), len(services.state.ids("post")))
    assert (counters.agreements, counters.agreements_in_force) == (2, 1)
    assert counters.notices == 2


def test_sealed_case_is_in_no_public_list_and_no_total(services: Services) -> None:
    index = services.index
    sealed = {row.case_id for row in index.cases(sealed=True).rows}
    public = {row.case_id for row in index.cases(sealed=False).rows}
    assert (len(sealed), len(public & sealed)) == (1, 0)
    assert all(not row.respondent and not row.filing for row in index.cases(sealed=True).rows)
    assert index.counters().notices == len(public)


def test_index_follows_what_is_written_while_open(services: Services) -> None:
    before = services.index.counters()
    done = services.dispatch("agency.add", {"agency": "ods:NEW01", "name_en": "New"})
    services.indexing.catch_up()
    after = services.index.counters()
    assert after.agencies == before.agencies + 1
    assert services.index.cursor().hash == services.state.final.hash
    assert any(row.agency.hex() in str(done) for row in services.index.agencies(limit=1_000).rows)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [("leaves", 10_000, "shorter than what was indexed"), ("last_leaf", b"\x01" * 32, "another now")],
)
def test_log_that_is_not_the_indexed_one_is_refused(
    settings: Settings, column: str, value: object, message: str
) -> None:
    database = Database.open(settings.home / "index.db")
    with database.write() as connection:
        connection.execute(sa.text(f"UPDATE cursor SET {column} = :value"), {"value": value})
    database.close()
    with pytest.raises(IntegrityError, match=message):
        bootstrap.open_home(settings)


@pytest.mark.parametrize(("number", "message"), [(10_000, "below what was indexed"), (None, "replaced")])
def test_chain_that_is_not_the_indexed_one_is_refused(settings: Settings, number: int | None, message: str) -> None:
    database = Database.open(settings.home / "index.db")
    with database.write() as connection:
        change = "number = 10000" if number else "hash = x'01'"
        connection.execute(sa.text(f"UPDATE recent_blocks SET {change}"))
    database.close()
    with pytest.raises(IntegrityError, match=message):
        bootstrap.open_home(settings)
