"""Files of many events with any value altered: a step refuses, for a reason that it names, and nothing raises."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import canonical
from ledger.domain.canonical import MAX_INTEGER
from scripts.evidence_vectors.batch import BATCH_FOLDER
from scripts.evidence_vectors.build import FOLDER
from tests.evidence.altering import altered
from tests.evidence.test_hostile import STEPS, at, few, paths, refusing_step, replaced, values
from tests.evidence.test_vectors import ROOT

FILES: Final = {
    name: (ROOT / BATCH_FOLDER / f"{name}.json").read_bytes()
    for name in ("stream", "events-two", "events-binding", "events-exchange", "stream-exchange", "stream-detail")
}
TRUST: Final = (ROOT / BATCH_FOLDER / "trust-root.json").read_bytes()
files = st.sampled_from(sorted(FILES))


def refused(value: Any) -> int | None:
    return refusing_step(canonical.encode(value), TRUST)


@given(files, st.data())
@few
def test_a_value_of_another_type_or_size_is_refused_wherever_it_stands(name: str, data: st.DataObject) -> None:
    value = json.loads(FILES[name])
    path = data.draw(st.sampled_from(paths(value)))
    new = data.draw(values)
    if new != at(value, path) or type(new) is not type(at(value, path)):
        assert refused(replaced(value, path, new)) in STEPS


@given(files, st.data())
@few
def test_an_element_left_out_doubled_or_moved_is_refused(name: str, data: st.DataObject) -> None:
    value = json.loads(FILES[name])
    path = data.draw(st.sampled_from([path for path in paths(value) if isinstance(at(value, path), list) and path]))
    elements = at(value, path)
    if elements:
        place = data.draw(st.integers(0, len(elements) - 1))
        less = elements[:place] + elements[place + 1 :]
        for new in (less, [*elements, elements[place]], [*less, elements[place]]):
            if new != elements:
                assert refused(replaced(value, path, new)) in STEPS


@given(files, st.data())
@few
def test_a_member_left_out_or_renamed_is_refused(name: str, data: st.DataObject) -> None:
    value = json.loads(FILES[name])
    path = data.draw(st.sampled_from([path for path in paths(value) if isinstance(at(value, path), dict)]))
    members = at(value, path)
    if members:
        member = data.draw(st.sampled_from(sorted(members)))
        less = {other: held for other, held in members.items() if other != member}
        for new in (less, {**less, member + "x": members[member]}, {**members, member + "x": members[member]}):
            assert refused(replaced(value, path, new)) in STEPS


@given(files, st.data())
@few
def test_two_values_exchanged_are_refused(name: str, data: st.DataObject) -> None:
    value = json.loads(FILES[name])
    kind = data.draw(st.sampled_from([str, int, list]))
    some = [path for path in paths(value) if type(at(value, path)) is kind]
    first, second = data.draw(st.sampled_from(some)), data.draw(st.sampled_from(some))
    apart = first[: len(second)] != second and second[: len(first)] != first
    if apart and at(value, first) != at(value, second):
        exchanged = replaced(replaced(value, first, at(value, second)), second, at(value, first))
        assert refused(exchanged) in STEPS


@given(files, files, st.data())
@few
def test_a_part_of_another_file_is_refused(name: str, other: str, data: st.DataObject) -> None:
    value, foreign = json.loads(FILES[name]), json.loads(FILES[other])
    path = data.draw(st.sampled_from([path for path in paths(value) if path and path in set(paths(foreign))]))
    mixed = replaced(value, path, at(foreign, path))
    if mixed not in (value, foreign):
        assert refused(mixed) in STEPS


@pytest.mark.parametrize("size", [0, 1, 2**31, 2**53, 2**62, 2**63, 2**64 - 1, 2**64, 10**40])
def test_a_checkpoint_of_any_size_is_refused_at_once(size: int) -> None:
    def change(file: Any) -> None:
        part = file["checkpoints"][0]
        part["checkpoint"] = part["checkpoint"].replace("\n4\n", f"\n{size}\n", 1)

    for name in FILES:
        assert refusing_step(altered(FILES[name], change), TRUST) in {0, 2, 3}


@pytest.mark.parametrize(("member", "number"), [("count", MAX_INTEGER), ("count", 0)])
def test_a_batch_of_any_count_is_refused_at_once(member: str, number: int) -> None:
    for name in ("stream", "events-two"):
        forged = altered(FILES[name], lambda file: file["batches"][0].update({member: number}))
        assert refusing_step(forged, TRUST) == 0


def test_evidence_of_one_event_is_none_of_many_and_the_other_way_round() -> None:
    one = json.loads((ROOT / FOLDER / "event.json").read_bytes())
    many = json.loads(FILES["stream"])
    assert refused({**many, "format": one["format"], "kind": one["kind"]}) == 0
    assert refused({**one, "batches": []}) == 0
    assert refused({**many, "answer": None}) == 0
