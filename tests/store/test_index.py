"""The index as it is written: rows and cursor together, reorganisations, pages and the database beneath."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import events
from ledger.domain.errors import IntegrityError, InvalidInputError
from ledger.domain.scalars import MAX_UINT64
from ledger.service.following import Mark, Stretch
from ledger.service.index_rows import FactFilter
from ledger.store.columns import Uint64
from ledger.store.comparing import differences
from ledger.store.sql_index import SQLIndex
from tests.store.synthetic import CONTRACTS, FINAL, START, Block, block_of, grow, mark, stretch_of
from tests.store.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.domain.event_log import Event


def same(held: SQLIndex, made: SQLIndex) -> None:
    with held.database.read() as left, made.database.read() as right:
        assert list(differences(left, right)) == []


# Rows and cursor.


def test_rows_and_cursor_move_together(open_index: Callable[..., SQLIndex]) -> None:
    index, blocks = open_index(), grow(World(random.Random(1)), START, 3)
    assert (index.cursor().number, index.held()) == (-1, [])
    index.apply(stretch_of(START, blocks, FINAL))
    assert (index.cursor().number, index.cursor().hash) == (12, blocks[-1][0].hash)
    assert index.cursor().timestamp == blocks[-1][0].timestamp
    broken = dataclasses.replace(
        stretch_of(mark(blocks[-1]), grow(World(random.Random(2)), mark(blocks[-1]), 2), FINAL)
    )
    bad_log = dataclasses.replace(broken.logs[-1], data=b"\x01")
    before = index.row_counts()
    with pytest.raises(InvalidInputError):
        index.apply(dataclasses.replace(broken, logs=(*broken.logs[:-1], bad_log)))
    assert (index.cursor().number, index.row_counts()) == (12, before)


def test_replaying_blocks_changes_nothing(open_index: Callable[..., SQLIndex]) -> None:
    index, other = open_index("one"), open_index("two")
    blocks = grow(World(random.Random(4)), START, 10)
    other.apply(stretch_of(START, blocks, FINAL))
    for size in (3, 10, 10, 5):
        index.apply(stretch_of(START, blocks[:size], FINAL))
    assert index.row_counts() == other.row_counts()
    same(index, other)


def test_a_stretch_that_does_not_follow_is_refused(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, blocks = filled
    elsewhere = grow(World(random.Random(5)), Mark(blocks[-1][0].number, b"\x07" * 32), 1)
    with pytest.raises(IntegrityError, match="cursor"):
        index.apply(stretch_of(mark(blocks[-1]), elsewhere, FINAL))
    later = grow(World(random.Random(5)), Mark(blocks[-1][0].number + 1, b"\x07" * 32), 1)
    with pytest.raises(IntegrityError, match="cursor"):
        index.apply(stretch_of(mark(blocks[-1]), later, FINAL))


def test_events_that_no_contract_could_emit_are_refused(open_index: Callable[..., SQLIndex]) -> None:
    index = open_index()
    orphan = block_of(START, 1_000, [events.AgreementActivated(b"\x01" * 32, 1)])
    with pytest.raises(IntegrityError, match="agreement"):
        index.apply(stretch_of(START, [orphan], FINAL))
    assert index.cursor().number == -1


def test_logs_of_other_events_are_left_out(open_index: Callable[..., SQLIndex]) -> None:
    index = open_index()
    header, (log,) = block_of(START, 1_000, [events.AgencyReinstated(b"\x01" * 32)])
    other = dataclasses.replace(log, topics=(b"\x09" * 32,))
    index.apply(Stretch(START, (header,), (other,), FINAL))
    assert (index.cursor().number, index.events().rows) == (10, ())


def test_only_blocks_from_the_final_one_on_are_remembered(open_index: Callable[..., SQLIndex]) -> None:
    index, blocks = open_index(), grow(World(random.Random(6)), START, 20)
    index.apply(stretch_of(START, blocks[:4], 5))
    assert [held.number for held in index.held()] == [9, 10, 11, 12, 13]
    index.apply(stretch_of(mark(blocks[3]), blocks[4:10], 15))
    assert index.held() == [mark(block) for block in blocks[5:10]]
    index.apply(stretch_of(mark(blocks[9]), blocks[10:20], FINAL))
    assert index.held() == [mark(blocks[-1])]


# Reorganisations.


def test_retreat_to_a_block_that_is_not_held_is_refused(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, blocks = filled
    for wrong in (mark(blocks[3]), Mark(blocks[-1][0].number, b"\x08" * 32), Mark(10**5, b"")):
        with pytest.raises(IntegrityError, match="does not hold"):
            index.retreat(wrong)
    assert index.cursor().number == blocks[-1][0].number


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), data=st.data())
def test_index_after_any_reorganisations_is_the_one_built_from_scratch(
    tmp_path_factory: pytest.TempPathFactory, seed: int, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("index")
    index = SQLIndex.open(folder / "index.db", CONTRACTS)
    chance = random.Random(seed)
    worlds, blocks = [World(chance)], list[Any]()
    for _ in range(data.draw(st.integers(1, 6), label="steps")):
        parent = mark(blocks[-1]) if blocks else START
        added = data.draw(st.integers(1, 5), label="blocks added")
        for _ in range(added):
            worlds.append(worlds[-1].copy(random.Random(chance.random())))
            blocks.append(block_of(mark(blocks[-1]) if blocks else START, worlds[-1].time + 1, made_in(worlds[-1])))
        index.apply(stretch_of(parent, blocks[-added:], 0))
        back = data.draw(st.integers(0, len(blocks)), label="blocks taken back")
        if back:
            del blocks[len(blocks) - back :], worlds[len(worlds) - back :]
            index.retreat(mark(blocks[-1]) if blocks else START)
    scratch = SQLIndex.open(folder / "scratch.db", CONTRACTS)
    if blocks:
        scratch.apply(stretch_of(START, blocks, 0))
        same(index, scratch)
    assert index.row_counts()["events"] == sum(len(logs) for _, logs in blocks) == scratch.row_counts()["events"]
    for opened in (index, scratch):
        opened.close()


def made_in(world: World) -> list[Event]:
    """A block's events; the world's time becomes the block's."""
    some = world.block(8)
    world.time += 1
    return some


# Pages.


@pytest.mark.parametrize("limit", [0, -1, 1_001])
def test_limits_out_of_bounds_are_refused(filled: tuple[SQLIndex, list[Block]], limit: int) -> None:
    with pytest.raises(InvalidInputError, match="limit"):
        filled[0].agencies(limit=limit)


@pytest.mark.parametrize("cursor", ["x", "=", "Zm9v", "YWdlbmNpZXM6MQ", "é", "YWdlbmNpZXM6LTE6MQ", "0" * 10_000])
def test_cursors_that_no_page_gave_are_refused(filled: tuple[SQLIndex, list[Block]], cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="after"):
        filled[0].agencies(after=cursor)


def test_a_cursor_of_another_list_is_refused(filled: tuple[SQLIndex, list[Block]]) -> None:
    cursor = filled[0].agencies(limit=1).next
    with pytest.raises(InvalidInputError, match="posts"):
        filled[0].posts(after=cursor)


# The database.


def test_listed_queries_scan_no_whole_table(filled: tuple[SQLIndex, list[Block]]) -> None:
    """Every page and look-up is planned with an index, whatever it is narrowed by."""
    index, _ = filled
    seen: list[tuple[str, Any]] = []

    def record(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    engine = index.database._readers
    sa.event.listen(engine, "before_cursor_execute", record)
    some = b"\x01" * 32
    index.history("CaseLedger", some)
    index.events()
    index.posts(some), index.keys(some), index.entries(some), index.agencies()
    for kind in ("agency", "post", "dataset", "agreement", "assignment", "case"):
        index.identifiers(kind, "ab")
    index.agreements(party=some), index.agreements(state=2), index.agreements(party=some, state=2)
    for name in ("provider", "recipient", "dataset", "agreement"):
        index.grants(**{name: some})
    index.grants(provider=some, recipient=some)
    index.signatures(some), index.statuses(some), index.anchors()
    index.responsibilities(some), index.responsibilities(some, 3), index.responsibilities(None, 3)
    index.responsibilities(assignee=some)
    index.cases(sealed=True), index.cases(sealed=False)
    index.fact(1), index.find_event("x")
    for name in ("provider", "requester", "dataset", "reporter", "verdict", "correlation"):
        index.facts(FactFilter(**{name: "x"}))
    index.facts(FactFilter(agreement=some)), index.facts(FactFilter())
    sa.event.remove(engine, "before_cursor_execute", record)
    assert len(seen) > 35
    with engine.connect() as connection:
        for statement, parameters in seen:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            steps = [row[3] for row in plan]
            scans = [step for step in steps if step.startswith("SCAN") and "INDEX" not in step]
            assert not [step for step in scans if step not in {"SCAN facts", "SCAN events"}], (statement, steps)
            assert not [step for step in steps if "TEMP B-TREE FOR ORDER" in step], (statement, steps)


def test_uint64_sorts_as_numbers_do() -> None:
    engine = sa.create_engine("sqlite://")
    table = sa.Table("numbers", sa.MetaData(), sa.Column("value", Uint64))
    values = [2**63, 0, MAX_UINT64, 1, 2**63 - 1, 256, 255, 2**53]
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"value": value} for value in values])
        ordered = connection.execute(sa.select(table.c.value).order_by(table.c.value)).scalars().all()
        above = connection.execute(sa.select(table.c.value).where(table.c.value > 2**63)).scalars().all()
    assert ordered == sorted(values)
    assert above == [MAX_UINT64]
