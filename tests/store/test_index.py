"""The index: rows are a function of the events held, whatever way they came, and pages walk them once each."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import events
from ledger.domain.agreement_state import fold_agreement
from ledger.domain.case_state import fold_case
from ledger.domain.codes import AgreementStatus
from ledger.domain.errors import IntegrityError, InvalidInputError, UnavailableError
from ledger.domain.heads import head_keys
from ledger.domain.responsibility_state import fold_responsibility
from ledger.domain.scalars import MAX_UINT64
from ledger.service.following import LeafMark, Mark, Stretch
from ledger.service.index_rows import FactFilter
from ledger.store import tables
from ledger.store.columns import Uint64
from ledger.store.comparing import differences
from ledger.store.facts import SHARED, columns_of, shared_texts
from ledger.store.projections import OWNERS, object_of, valid_from
from ledger.store.sql_index import SQLIndex
from tests.domain.strategies import records_of
from tests.store.factories import fact
from tests.store.synthetic import CONTRACTS, START, block_of, stretch_of
from tests.store.world import CONTRACT_OF, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ledger.domain.event_log import Event, Recorded
    from ledger.service.index_rows import Page
    from ledger.service.ports import BlockHeader, RawLog

    Block = tuple[BlockHeader, tuple[RawLog, ...]]

FINAL = 10**6


def mark(block: Block) -> Mark:
    return Mark(block[0].number, block[0].hash)


def grow(world: World, parent: Mark, blocks: int, events_each: int = 12) -> list[Block]:
    made: list[Block] = []
    for _ in range(blocks):
        some = world.block(events_each)
        made.append(block_of(parent, world.time, some))
        parent = mark(made[-1])
    return made


@pytest.fixture
def open_index(tmp_path: Path) -> Iterator[Callable[[str], SQLIndex]]:
    opened: list[SQLIndex] = []

    def make(name: str = "index") -> SQLIndex:
        opened.append(SQLIndex.open(tmp_path / f"{name}.db", CONTRACTS))
        return opened[-1]

    yield make
    for index in opened:
        index.close()


@pytest.fixture
def filled(open_index: Callable[[str], SQLIndex]) -> tuple[SQLIndex, list[Block]]:
    """An index of sixty blocks of one world."""
    index, blocks = open_index("filled"), grow(World(random.Random(3)), START, 60)
    index.apply(stretch_of(START, blocks, FINAL))
    return index, blocks


def all_rows(call: Callable[..., Page[Any]], limit: int = 7) -> list[Any]:
    rows, after = [], ""
    while True:
        page = call(after=after, limit=limit)
        rows += page.rows
        if not page.next:
            return rows
        assert len(page.rows) == limit
        after = page.next


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


# What the rows say, against the domain's folds.


def test_history_gives_every_event_of_a_head_in_order(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, blocks = filled
    by_head: dict[tuple[str, bytes], list[tuple[int, int]]] = {}
    for _, logs in blocks:
        for log in logs:
            event = events.decode_log(log.topics, log.data)
            assert event is not None
            for key in head_keys(event):
                by_head.setdefault((CONTRACT_OF[type(event)], key), []).append((log.block_number, log.log_index))
    assert len(by_head) > 100
    for (contract, key), places in by_head.items():
        assert [one.position for one in index.history(contract, key)] == places
        half = places[len(places) // 2][0]
        assert [one.position for one in index.history(contract, key, half)] == [one for one in places if one[0] <= half]
    assert index.history("CaseLedger", b"\x01" * 32) == []


def test_events_and_transactions_are_as_emitted(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, blocks = filled
    logs = [log for _, some in blocks for log in some]
    held: list[Recorded[Event]] = all_rows(index.events, 100)
    assert [one.event.to_log() for one in held] == [(log.topics, log.data) for log in logs]
    assert [(one.tx_hash, one.tx_index, one.address) for one in held] == [
        (log.tx_hash, log.tx_index, log.address) for log in logs
    ]
    assert index.transaction(logs[50].tx_hash) == [held[50]]


def test_agreements_say_what_their_events_fold_to(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, _ = filled
    rows = all_rows(index.agreements)
    states = []
    for row in rows:
        history = index.history("AgreementLedger", row.agreement)
        state = fold_agreement(history)
        assert state is not None
        states.append(state.status)
        newest, active = state.versions[-1], state.active_version
        assert (row.version, row.terms_hash, row.parties) == (newest.version, newest.terms_hash, newest.terms.parties)
        assert row.state == state.status
        in_force = active.version if active and state.status is AgreementStatus.ACTIVE else 0
        assert row.version_in_force == in_force
        assert (row.source.block_number, row.source.log_index) == history[0].position
        signed = [(s.party, s.signer) for version in state.versions for s in version.signatures]
        assert [(one.party, one.signer) for one in index.signatures(row.agreement)] == signed
        statuses = index.statuses(row.agreement)
        periods = [one for place, one in enumerate(statuses) if not place or one.state != statuses[place - 1].state]
        assert [(one.state, one.since) for one in periods] == [(p.status, p.since) for p in state.periods]
        assert [one.until for one in statuses] == [*(one.since for one in statuses[1:]), MAX_UINT64]
        grants = all_rows(lambda of=row.agreement, **page: index.grants(agreement=of, **page), 2)
        assert [(one.version, one.ordinal, one.dataset) for one in grants] == [
            (version.version, place, grant.dataset)
            for version in state.versions
            for place, grant in enumerate(version.terms.grants)
        ]
    assert {AgreementStatus.ACTIVE, AgreementStatus.PROPOSED, AgreementStatus.SUSPENDED} <= set(states)
    active_rows = all_rows(lambda **page: index.agreements(state=AgreementStatus.ACTIVE.value, **page))
    assert [one.agreement for one in active_rows] == [
        one.agreement for one in rows if one.state == AgreementStatus.ACTIVE
    ]


def test_agreements_are_found_by_any_party(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, _ = filled
    parties: dict[bytes, set[bytes]] = {}
    for row in all_rows(index.agreements):
        for one in index.history("AgreementLedger", row.agreement):
            if isinstance(one.event, events.AgreementProposed):
                for party in one.event.terms.parties:
                    parties.setdefault(party, set()).add(row.agreement)
    for party, agreements in parties.items():
        found = all_rows(lambda of=party, **page: index.agreements(party=of, **page), 2)
        assert [one.agreement for one in found] == [
            one.agreement for one in all_rows(index.agreements) if one.agreement in agreements
        ]


def test_responsibilities_say_what_their_events_fold_to(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, _ = filled
    rows = all_rows(index.responsibilities)
    held = [one for one in all_rows(index.events, 100) if type(one.event).__name__.startswith("Responsibility")]
    state = fold_responsibility(held)
    assert len(rows) == len(state.assignments) > 10
    for row, one in zip(rows, state.assignments, strict=True):
        assert (row.assignment, row.assignee, row.valid_to) == (one.assignment, one.assignee, one.valid_to)
        assert (row.accepted_at, row.ended_at) == (one.accepted_at or 0, one.ended_at or 0)
    some = rows[3]
    narrowed = {"object_id": some.object, "duty": some.duty, "assignee": some.assignee}
    for name, value in narrowed.items():
        column = "object" if name == "object_id" else name
        found = all_rows(lambda one=name, of=value, **page: index.responsibilities(**{one: of}, **page), 3)
        assert found == [row for row in rows if getattr(row, column) == value]
    assert some in index.responsibilities(**narrowed).rows


def test_sealed_cases_never_stand_among_the_opened(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, _ = filled
    for sealed in (True, False):
        rows = all_rows(lambda of=sealed, **page: index.cases(sealed=of, **page))
        assert rows
        for row in rows:
            state = fold_case(index.history("CaseLedger", row.case_id))
            assert state is not None
            assert state.is_sealed == sealed
            assert (row.step, row.steps) == (state.step, len(state.entries))
            assert (row.respondent, row.filing) == (state.respondent, state.filing)
    assert index.counters().notices <= len(all_rows(lambda **page: index.cases(sealed=False, **page)))


def test_registers_list_what_was_registered(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, _ = filled
    held = [one.event for one in all_rows(index.events, 100)]
    admitted = [one.agency for one in held if isinstance(one, events.AgencyAdmitted)]
    posts = [one for one in held if isinstance(one, events.PostRegistered)]
    published = [one for one in held if isinstance(one, events.EntryPublished)]
    assert [row.agency for row in all_rows(index.agencies)] == admitted
    assert [row.post for row in all_rows(index.posts)] == [one.post for one in posts]
    assert [row.dataset for row in all_rows(index.entries)] == [one.dataset for one in published]
    agency = posts[0].agency
    assert [row.post for row in all_rows(lambda **page: index.posts(agency, **page))] == [
        one.post for one in posts if one.agency == agency
    ]
    bound = [one for one in held if isinstance(one, events.KeyBound)]
    retired = {(one.post, one.key): one.at for one in held if isinstance(one, events.KeyRetired)}
    keys = all_rows(index.keys)
    assert [(row.post, row.key) for row in keys] == [(one.post, one.key) for one in bound]
    for row, one in zip(keys, bound, strict=True):
        assert row.valid_to == min(one.valid_to, retired.get((one.post, one.key), MAX_UINT64))
    withdrawn = {one.dataset for one in held if isinstance(one, events.EntryWithdrawn)}
    assert {row.dataset for row in all_rows(index.entries) if row.withdrawn} == withdrawn


def test_identifiers_are_found_by_any_prefix(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, _ = filled
    for kind in ("agency", "post", "dataset", "agreement", "assignment", "case"):
        known = index.identifiers(kind)
        assert known == sorted(known)
        for one in known:
            for length in (1, 3, 8, 64):
                prefix = one.hex()[:length]
                assert index.identifiers(kind, prefix) == [other for other in known if other.hex().startswith(prefix)]
    with pytest.raises(InvalidInputError, match="kind"):
        index.identifiers("key")
    for bad in ("0x", "AB", "g", "0" * 65):
        with pytest.raises(InvalidInputError, match="prefix"):
            index.identifiers("agency", bad)


def test_anchor_covering_is_the_first_above_the_leaf(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, _ = filled
    anchors = all_rows(index.anchors)
    assert len(anchors) > 10
    before = 0
    for row in anchors:
        assert index.anchor_covering(before) == row
        assert index.anchor_covering(row.size - 1) == row
        before = row.size
    assert index.anchor_covering(before) is None


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


# Facts.


def test_facts_are_found_by_what_they_say(open_index: Callable[..., SQLIndex]) -> None:
    index, chance = open_index(), random.Random(8)
    rows = []
    for number in range(300):
        bad = chance.random() < 0.4
        changes = {
            "stream": bytes((chance.randrange(5),)) * 32,
            "provider": chance.choice("abc"),
            "requester": chance.choice("de"),
            "dataset": chance.choice(["a#x", "b#y"]),
            "reporter": chance.choice(["r@a", "r@b"]),
            "agreement": chance.choice([b"", b"\x05" * 32, b"\x06" * 32]),
            "verdict": "MISMATCH" if bad else "WITHIN_SCOPE",
            "mismatches": ("NO_AGREEMENT", "OUTSIDE_WINDOW") if bad else (),
            "flags": ("RECORDED_LATER",) if chance.random() < 0.2 else (),
        }
        rows.append(fact(number, **changes))
    for first in range(0, 300, 90):
        some = rows[first : first + 90]
        index.add_facts(some, LeafMark(some[-1].leaf_index + 1, b"\x01" * 32))
    index.add_facts(rows[250:], LeafMark(300, b"\x01" * 32))
    assert index.leaf_mark() == LeafMark(300, b"\x01" * 32)
    filters: list[dict[str, Any]] = [
        {}, {"agreement": b"\x05" * 32}, {"provider": "b"}, {"requester": "e"}, {"dataset": "b#y"}, {"reporter": "r@b"},
        {"verdict": "MISMATCH"}, {"correlation": "c-7"}, {"provider": "a", "requester": "d", "verdict": "MISMATCH"},
    ]  # fmt: skip
    for chosen in filters:
        wanted = FactFilter(**chosen)
        found = all_rows(lambda of=wanted, **page: index.facts(of, **page), 11)
        assert found == [row for row in rows if all(getattr(row, name) == value for name, value in chosen.items())]
    times = FactFilter(occurred_from_ms=10**12 - 200, occurred_to_ms=10**12 - 100)
    assert [row.leaf_index for row in index.facts(times, limit=1_000).rows] == list(range(101, 201))
    assert index.fact(17) == rows[17]
    assert index.fact(300) is None
    assert index.find_event("e-9") == [rows[9]]
    assert index.fact_by_commitment(rows[5].commitment) == rows[5]
    assert index.fact_by_commitment(b"\xff" * 32) is None
    for stream in {row.stream for row in rows}:
        assert index.last_of_stream(stream) == [row for row in rows if row.stream == stream][-1]
    assert index.last_of_stream(b"\xfe" * 32) is None
    bad_rows = [row for row in rows if row.mismatches]
    counts = dict(index.verdict_counts())
    assert counts["WITHIN_SCOPE"] == 300 - len(bad_rows)
    assert counts["NO_AGREEMENT"] == counts["OUTSIDE_WINDOW"] == len(bad_rows)
    assert (counts["SUSPENDED"], sum(counts.values())) == (0, 300 + len(bad_rows))
    counters = index.counters()
    assert (counters.events, counters.events_within_scope, counters.streams) == (300, 300 - len(bad_rows), 5)


def test_facts_that_do_not_follow_are_refused(open_index: Callable[..., SQLIndex]) -> None:
    index = open_index()
    with pytest.raises(IntegrityError, match="do not follow"):
        index.add_facts([fact(1)], LeafMark(2, b""))
    with pytest.raises(IntegrityError, match="do not follow"):
        index.add_facts([fact(0)], LeafMark(2, b""))
    assert index.leaf_mark().leaves == 0


def test_events_anchored_are_never_more_than_events(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, _ = filled
    assert index.counters().events_anchored == 0
    index.add_facts([fact(number) for number in range(10)], LeafMark(10, b"\x01" * 32))
    assert index.counters().events_anchored == 10


# The database.


def test_listed_queries_scan_no_whole_table(filled: tuple[SQLIndex, list[Block]]) -> None:
    """Every page and look-up is planned with an index, whatever it is narrowed by."""
    index, _ = filled
    seen: list[tuple[str, Any]] = []

    def record(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    engine = index.database._engine
    sa.event.listen(engine, "before_cursor_execute", record)
    some = b"\x01" * 32
    index.history("CaseLedger", some)
    index.events()
    index.transaction(some)
    index.posts(some), index.keys(some), index.entries(some), index.agencies()
    for kind in ("agency", "post", "dataset", "agreement", "assignment", "case"):
        index.identifiers(kind, "ab")
    index.agreements(party=some), index.agreements(state=2), index.agreements(party=some, state=2)
    for name in ("provider", "recipient", "dataset", "agreement"):
        index.grants(**{name: some})
    index.grants(provider=some, recipient=some)
    index.signatures(some), index.statuses(some), index.anchors(), index.anchor_covering(5)
    index.responsibilities(some), index.responsibilities(some, 3), index.responsibilities(None, 3)
    index.responsibilities(assignee=some)
    index.cases(sealed=True), index.cases(sealed=False)
    index.fact(1), index.find_event("x"), index.last_of_stream(some), index.fact_by_commitment(some)
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


def test_waiting_for_a_block_feeds_the_index_itself(open_index: Callable[..., SQLIndex]) -> None:
    index, blocks = open_index(), grow(World(random.Random(9)), START, 2)
    with pytest.raises(UnavailableError, match="does not hold"):
        index.wait_for_block(11, timeout_s=0.0)
    index.attach(lambda: index.apply(stretch_of(START, blocks, FINAL)))
    index.wait_for_block(11, timeout_s=5.0)
    assert index.cursor().number == 11
    assert tables.EVENTS.name in index.row_counts()


@settings(max_examples=10)
@given(data=st.data())
@pytest.mark.parametrize("event", [event for some in events.EVENTS.values() for event in some])
def test_every_event_changes_an_objects_rows_but_the_operators(event: type[Event], data: st.DataObject) -> None:
    made = data.draw(records_of(event))
    kind, key = object_of(made)
    if event is events.OperatorChanged:
        assert (kind, key) == ("", b"")
    else:
        assert kind in OWNERS
        assert len(key) == 32
        assert valid_from(made, 7) >= 0


def test_shared_texts_stand_in_the_order_of_their_columns() -> None:
    row = fact(0, mismatches=("NO_AGREEMENT", "SUSPENDED"), flags=("DEMONSTRATION",), recipient="x", outcome="FAILED")
    held = {name: getattr(row, name) for name in SHARED}
    held |= {name: " ".join(held[name]) for name in ("mismatches", "flags")} | {"agreement": row.agreement.hex()}
    assert dict(zip(SHARED, shared_texts(row), strict=True)) == held
    assert set(columns_of(row, range(len(SHARED)))) == set(tables.FACTS.columns.keys())
