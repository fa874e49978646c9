"""Whatever bytes are given, verification says which step fails, never raises, and never holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.domain import canonical
from ledger.evidence import verify
from ledger.evidence.report import NONE, TITLES, Status
from ledger.log.cosignature import Cosigner
from ledger.log.note import Ed25519Signer
from scripts.evidence_vectors.names import ORIGIN
from tests.evidence.altering import failure

if TYPE_CHECKING:
    from tests.evidence.conftest import Made

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.sampled_from(["", "00", "f" * 64, "0" * 64, "F" * 64, "c0", "80", "0x", " ", "é", "\n", "a" * 5_000]),
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner), max_leaves=8
)
STEPS = range(len(TITLES))
few = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def refusing_step(evidence: bytes, root: bytes) -> int | None:
    """Return which step refuses, so that nothing holds; None if none does, or only by a fault that nobody foresaw."""
    report = verify(evidence, root)
    if report.holds or report.assurance != NONE or report.failed is None:
        return None
    return None if report.failed.reason.startswith("unexpected") else report.failed.number


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the place of every value in a file."""
    found = [here]
    if isinstance(value, dict):
        for key, member in value.items():
            found += paths(member, (*here, key))
    elif isinstance(value, list):
        for place, member in enumerate(value):
            found += paths(member, (*here, place))
    return found


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@given(st.binary(max_size=300))
@few
def test_random_bytes_are_refused(made: Made, data: bytes) -> None:
    assert refusing_step(data, made.root) == 0
    assert refusing_step(made.evidence, data) == 0


@given(values)
@few
def test_random_json_is_refused(made: Made, value: Any) -> None:
    assert refusing_step(canonical.encode(value), made.root) == 0
    assert refusing_step(made.evidence, canonical.encode(value)) == 0


@given(st.data())
@few
def test_a_value_of_another_type_or_size_is_refused_wherever_it_stands(made: Made, data: st.DataObject) -> None:
    value = json.loads(made.evidence)
    path = data.draw(st.sampled_from(paths(value)))
    new = data.draw(values)
    if new != at(value, path) or type(new) is not type(at(value, path)):
        assert refusing_step(canonical.encode(replaced(value, path, new)), made.root) in STEPS


@given(st.data())
@few
def test_an_element_left_out_doubled_or_moved_is_refused(made: Made, data: st.DataObject) -> None:
    value = json.loads(made.evidence)
    lists = [path for path in paths(value) if isinstance(at(value, path), list) and at(value, path)]
    path = data.draw(st.sampled_from(lists))
    elements = at(value, path)
    place = data.draw(st.integers(0, len(elements) - 1))
    less = elements[:place] + elements[place + 1 :]
    moved = [*less, elements[place]]
    for new in (less, [*elements, elements[place]], moved):
        if new != elements:
            assert refusing_step(canonical.encode(replaced(value, path, new)), made.root) in STEPS


@given(st.data())
@few
def test_two_values_exchanged_are_refused(made: Made, data: st.DataObject) -> None:
    value = json.loads(made.evidence)
    texts = [path for path in paths(value) if isinstance(at(value, path), str)]
    first, second = data.draw(st.sampled_from(texts)), data.draw(st.sampled_from(texts))
    one, other = at(value, first), at(value, second)
    if one != other:
        exchanged = replaced(replaced(value, first, other), second, one)
        assert refusing_step(canonical.encode(exchanged), made.root) in STEPS


@pytest.mark.parametrize("length", [0, 1, 2, 100, 10_000, -1, -2])
def test_a_truncated_file_is_refused(made: Made, length: int) -> None:
    assert refusing_step(made.evidence[:length], made.root) == 0
    assert refusing_step(made.evidence, made.root[:length] if length <= 100 else made.root[:-3]) == 0


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"9" * 100_000,
        b'{"format":1e400}',
        b'{"format":NaN}',
        b"\xef\xbb\xbf{}",
        b'{"format":"quanze-evidence-v1","format":"quanze-evidence-v1"}',
        b'"\\ud800"',
        b"\xff\xfe",
        '{"kind":"e\u0301"}'.encode(),
    ],
)
def test_json_that_is_ambiguous_deep_or_huge_is_refused(made: Made, data: bytes) -> None:
    assert refusing_step(data, made.root) == 0
    assert refusing_step(made.evidence, data) == 0


def test_a_file_beyond_the_limit_is_refused_unread(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.evidence.file.MAX_BYTES", len(made.evidence) - 1)
    assert failure(made.evidence, made.root) == (0, f"the file has more than {len(made.evidence) - 1} bytes")


WITNESS = Cosigner.from_seed("witness.example", bytes(32), lambda: 0).vkey
LOG = Ed25519Signer(ORIGIN, bytes(32)).vkey


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("validators", {"keys": [], "threshold": 1}),
        ("validators", {"keys": ["11" * 20] * 2, "threshold": 1}),
        ("validators", {"keys": ["11" * 20], "threshold": 2}),
        ("witnesses", {"keys": [], "since": 1, "threshold": 0}),
        ("witnesses", [{"keys": [], "since": 1, "threshold": 1}]),
        ("witnesses", [{"keys": [WITNESS] * 2, "since": 1, "threshold": 1}]),
        ("witnesses", [{"keys": [WITNESS], "since": 1, "threshold": 2}]),
        ("witnesses", [{"keys": [WITNESS], "since": -1, "threshold": 1}]),
        ("witnesses", [{"keys": [WITNESS], "threshold": 1}]),
        ("witnesses", [{"keys": [WITNESS], "since": 5, "threshold": 1}] * 2),
        ("witnesses", [{"keys": [LOG], "since": 1, "threshold": 1}]),
        ("witnesses", [{"keys": ["x"], "since": 1, "threshold": 1}]),
        ("log", {"former": [{"until": 3, "vkey": LOG}] * 2}),
        ("log", {"former": [{"until": -1, "vkey": LOG}]}),
        ("log", {"former": [{"until": 3, "vkey": WITNESS}]}),
        ("log", {"former": [{"until": 3, "vkey": None}]}),
    ],
)
def test_a_trust_root_that_cannot_be_is_refused(made: Made, field: str, changed: Any) -> None:
    value = json.loads(made.root)
    if field == "log":
        changed = {**value["log"], **changed}
    assert failure(made.evidence, canonical.encode({**value, field: changed}))[0] == 0


def test_a_key_of_the_log_is_named_once(made: Made) -> None:
    value = json.loads(made.root)
    value["log"]["former"] = [{"until": 3, "vkey": value["log"]["vkey"]}]
    assert failure(made.evidence, canonical.encode(value)) == (
        0,
        "the trust root names one key twice, of the log or of its witnesses",
    )


def test_a_trust_root_without_a_member_is_refused(made: Made) -> None:
    value = json.loads(made.root)
    for name in list(value):
        assert failure(made.evidence, canonical.encode({k: v for k, v in value.items() if k != name}))[0] == 0


def test_verification_needs_no_home_and_no_network(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_args: object, **_more: object) -> None:
        raise AssertionError("verification opened something")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("builtins.open", refuse)
    assert all(step.status is Status.PASSED for step in verify(made.evidence, made.root).steps)
