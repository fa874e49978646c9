"""What the rows of the index say, against the domain's folds and against the facts that were given."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain import event_decoding, events
from ledger.domain.agreement_state import fold_agreement
from ledger.domain.case_state import fold_case
from ledger.domain.codes import AgreementStatus
from ledger.domain.errors import IntegrityError, InvalidInputError
from ledger.domain.heads import head_keys
from ledger.domain.responsibility_state import fold_responsibility
from ledger.domain.scalars import MAX_UINT64
from ledger.service.following import LeafMark
from ledger.service.index_rows import FactFilter
from ledger.store import tables
from ledger.store.facts import COLUMNS, SHARED, columns_of, shared_texts
from ledger.store.projections import OWNERS, object_of, valid_from
from ledger.store.sql_index import SQLIndex
from tests.domain.strategies import records_of
from tests.store.factories import all_rows, fact
from tests.store.synthetic import Block
from tests.store.world import CONTRACT_OF

if TYPE_CHECKING:
    from collections.abc import Callable

    from ledger.domain.event_log import Event, Recorded


# What the rows say, against the domain's folds.


def test_history_gives_every_event_of_a_head_in_order(filled: tuple[SQLIndex, list[Block]]) -> None:
    index, blocks = filled
    by_head: dict[tuple[str, bytes], list[tuple[int, int]]] = {}
    for _, logs in blocks:
        for log in logs:
            event = event_decoding.decode_log(log.topics, log.data)
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


@settings(max_examples=10)
@given(data=st.data())
@pytest.mark.parametrize("event", [event for some in event_decoding.EVENTS.values() for event in some])
def test_every_event_changes_an_objects_rows_but_the_operators(event: type[Event], data: st.DataObject) -> None:
    made = data.draw(records_of(event))
    kind, key = object_of(made)
    if event in {events.OperatorChanged, events.LogKeyRotated}:
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
    assert set(COLUMNS) == set(tables.FACTS.columns.keys())
    assert len(columns_of(row, range(len(SHARED)))) == len(COLUMNS)
