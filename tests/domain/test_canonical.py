"""Canonical bytes: equal to an independent RFC 8785 writer, and nothing ambiguous gets in."""

from __future__ import annotations

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import canonical
from ledger.domain.errors import InvalidInputError
from tests.domain.strategies import json_values


@given(json_values)
def test_encode_equals_an_independent_rfc8785_writer(value: object) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(json_values)
def test_decode_canonical_inverts_encode(value: object) -> None:
    data = canonical.encode(value)
    assert canonical.decode_canonical(data) == value
    assert canonical.encode(canonical.decode(data)) == data


@given(json_values)
def test_decode_takes_any_white_space_and_key_order(value: object) -> None:
    loose = json.dumps(value, indent=1, ensure_ascii=True).encode()
    assert canonical.decode(loose) == value


BAD = [
    (b"", "JSON"),
    (b"{", "JSON"),
    (b'{"a":1} x', "JSON"),
    (b'{"a":1,"a":2}', "$.a"),
    (b'{"g":[{"a":1,"b":2,"a":1}]}', "$.g[0].a"),
    (b'{"a":NaN}', "$.a"),
    (b'{"a":-Infinity}', "$.a"),
    (b'{"a":[1.5]}', "$.a[0]"),
    (b'{"a":1.0}', "$.a"),
    (b'{"a":1e3}', "$.a"),
    (b'{"a":-0}', "$.a"),
    (b'{"a":9007199254740992}', "$.a"),
    (b'{"a":-9007199254740992}', "$.a"),
    (b'{"a":9223372036854775808}', "$.a"),
    (b'{"a":' + str(2**256).encode() + b"}", "$.a"),
    (b'{"a":' + b"9" * 5000 + b"}", "$.a"),
    (b'{"a":"\xff"}', "UTF-8"),
    (b'{"a":"\\ud800"}', "$.a"),
    ('{"a":"e\u0301"}'.encode(), "$.a"),
    ('{"\u00e9":1}'.encode(), "$"),
    (b'{"a\\n":1}', "$"),
    (b"[" * 40 + b"]" * 40, "32 levels"),
    (b"[" * 100_000 + b"]" * 100_000, "32 levels"),
]


@pytest.mark.parametrize(("data", "named"), BAD, ids=[f"{i}-{data[:24]!r}" for i, (data, _) in enumerate(BAD)])
def test_decode_refuses_and_names_the_place(data: bytes, named: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        canonical.decode(data)
    assert named in caught.value.explain()


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), b"x", {1: 2}, {"a": {2}}, 2**53, -(2**53), "e\u0301", "\ud800", {"é": 1}],
    ids=repr,
)
def test_encode_refuses_what_lies_outside_the_subset(value: object) -> None:
    with pytest.raises(InvalidInputError):
        canonical.encode({"a": value})


@pytest.mark.parametrize("data", [b'{"a": 1}', b'{"b":1,"a":2}', b'"\\u0041"', b" 1", b'{"a":1}\n', b'"\\/"'])
def test_decode_canonical_refuses_other_spellings(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="canonical"):
        canonical.decode_canonical(data)


def test_largest_integers_are_kept() -> None:
    assert canonical.encode([2**53 - 1, -(2**53) + 1, 0]) == b"[9007199254740991,-9007199254740991,0]"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(ANYTHING)
def test_the_quick_look_at_a_value_never_takes_what_the_exact_one_refuses(value: object) -> None:
    if canonical._is_plain(value, 0):
        canonical._check(value, "$", 0)


@pytest.mark.parametrize("depth", [canonical.MAX_DEPTH, canonical.MAX_DEPTH + 1, 100_000])
def test_nesting_is_refused_beyond_its_limit_at_any_depth(depth: int) -> None:
    value: object = 1
    for _ in range(depth):
        value = [value]
    if depth <= canonical.MAX_DEPTH:
        canonical.check(value)
    else:
        with pytest.raises(InvalidInputError, match="levels"):
            canonical.check(value)
