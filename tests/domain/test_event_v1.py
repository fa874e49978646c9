"""Events and leaves: one spelling, chained, and nothing that a reporter did not state."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ledger.domain import event_v1, leaf
from ledger.domain.canonical import MAX_INTEGER
from ledger.domain.commitment import parse_leaf as parse_group
from ledger.domain.commitment import salt_text
from ledger.domain.errors import InvalidInputError, VerificationError
from ledger.domain.event_v1 import NO_HASH, check_stream, complete_event, digest, encode_event, parse_event, to_object
from ledger.domain.text import check_name
from tests.domain.factories import DATASET, PROVIDER, REPORTER, REQUESTER, event
from tests.domain.strategies import nfc_text

hex32 = st.binary(min_size=32, max_size=32).filter(any).map(bytes.hex)


def is_name(text: str) -> bool:
    try:
        return bool(check_name(text, "text", max_length=200))
    except InvalidInputError:
        return False


names = nfc_text.filter(is_name)
events = st.builds(
    event_v1.EventV1,
    id=names,
    kind=st.sampled_from(list(event_v1.EventKind)),
    side=st.sampled_from(list(event_v1.Side)),
    occurred_at_ms=st.integers(0, MAX_INTEGER),
    provider=st.sampled_from(["", PROVIDER]),
    requester=st.sampled_from(["", REQUESTER]),
    agreement=st.just("") | hex32,
    version=st.integers(0, 2**32 - 1),
    grant=st.integers(-1, 65_535),
    dataset=st.sampled_from(["", DATASET]),
    purpose=st.sampled_from(["", "dpv:PublicHealth"]),
    delivery=st.sampled_from(["", "INTERFACE", "VERIFY_ONLY"]),
    recipient=st.sampled_from(["", REQUESTER]),
    outcome=st.sampled_from(["", "SUCCEEDED", "FAILED"]),
    size=st.integers(-1, MAX_INTEGER),
    correlation=st.just("") | names,
    reporter=st.just(REPORTER),
    reporter_seq=st.integers(0, MAX_INTEGER),
    prev_hash=hex32,
    source=st.dictionaries(
        st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=9),
        nfc_text | st.integers(-MAX_INTEGER, MAX_INTEGER),
        max_size=5,
    ),
)


@given(events)
def test_encode_equals_rfc8785_and_parses_back(value: event_v1.EventV1) -> None:
    data = encode_event(value)
    assert data == rfc8785.dumps(to_object(value))  # type: ignore[arg-type]
    assert parse_event(data) == value
    assert parse_event(json.dumps(to_object(value), indent=2).encode()) == value
    assert digest(value) == hashlib.sha256(b"\0" + data).digest()


def test_keys_are_the_format() -> None:
    assert (
        *("id", "kind", "side", "occurred_at_ms", "provider", "requester", "agreement", "version", "grant"),
        *("dataset", "purpose", "delivery", "recipient", "outcome", "size", "correlation", "reporter"),
        *("reporter_seq", "prev_hash", "source"),
    ) == event_v1.KEYS


def test_what_is_left_out_is_not_stated() -> None:
    stated = {"id": "x", "kind": "STORAGE", "side": "CONSUMER", "occurred_at_ms": 5}
    value = to_object(complete_event(stated, reporter=REPORTER))
    assert value == {
        **stated,
        **dict.fromkeys(["provider", "requester", "agreement", "dataset", "purpose", "delivery", "recipient"], ""),
        "outcome": "",
        "correlation": "",
        "version": 0,
        "grant": -1,
        "size": -1,
        "reporter": REPORTER,
        "reporter_seq": 0,
        "prev_hash": NO_HASH,
        "source": {},
    }


BAD: list[tuple[str, Any]] = [
    ("id", ""),
    ("id", "x" * 201),
    ("id", "a\nb"),
    ("id", 1),
    ("kind", "delivery"),
    ("kind", None),
    ("side", "BOTH"),
    ("occurred_at_ms", -1),
    ("occurred_at_ms", 2**53),
    ("occurred_at_ms", 2**63),
    ("occurred_at_ms", 2**256),
    ("occurred_at_ms", 1.0),
    ("occurred_at_ms", 1.5),
    ("occurred_at_ms", True),
    ("occurred_at_ms", "2026-01-01T00:00:00"),
    ("provider", "nobody"),
    ("provider", "name:r/GB/e\u0301"),
    ("requester", "name:r/GB/a\u202eb"),
    ("agreement", "0x" + "a" * 64),
    ("agreement", "A" * 64),
    ("agreement", NO_HASH),
    ("agreement", "a" * 64 + "\n"),
    ("version", -1),
    ("version", 2**32),
    ("grant", -2),
    ("grant", 65_536),
    ("dataset", PROVIDER),
    ("purpose", "PublicHealth"),
    ("delivery", "POST"),
    ("delivery", 1),
    ("recipient", "ods:x"),
    ("outcome", "OK"),
    ("size", -2),
    ("size", 2**53),
    ("correlation", "a\u0000b"),
    ("correlation", " a"),
    ("reporter", ""),
    ("reporter", PROVIDER),
    ("reporter_seq", -1),
    ("prev_hash", ""),
    ("prev_hash", "g" * 64),
    ("source", []),
    ("source", {"a": 1.5}),
    ("source", {"a": True}),
    ("source", {"a": None}),
    ("source", {"a": {"b": 1}}),
    ("source", {"a": 2**53}),
    ("source", {"a": "e\u0301"}),
    ("source", {"é": 1}),
    ("source", {"": 1}),
    ("source", {"a": "x" * 2_001}),
    ("source", {str(i): i for i in range(65)}),
]


@pytest.mark.parametrize(("field", "value"), BAD, ids=[f"{i}-{f}" for i, (f, _) in enumerate(BAD)])
def test_a_bad_value_is_refused_and_named(field: str, value: object) -> None:
    whole = {**to_object(event()), field: value}
    with pytest.raises(InvalidInputError) as caught:
        parse_event(json.dumps(whole).encode())
    assert field in caught.value.explain()


def test_missing_unknown_and_repeated_keys_are_refused() -> None:
    whole = to_object(event())
    for key in whole:
        with pytest.raises(InvalidInputError, match=key):
            parse_event(json.dumps({k: v for k, v in whole.items() if k != key}).encode())
    with pytest.raises(InvalidInputError, match="extra"):
        parse_event(json.dumps({**whole, "extra": 1}).encode())
    text = encode_event(event()).decode()
    with pytest.raises(InvalidInputError, match=r"\$\.size"):
        parse_event(text.replace('"size":-1', '"size":-1,"size":-1').encode())
    with pytest.raises(InvalidInputError, match=r"\$\.source\.a"):
        parse_event(text.replace('"source":{}', '"source":{"a":1,"a":1}').encode())


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"{" * 5000, b'{"id":NaN}'])
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_event(data)


def test_hostile_names_are_kept_as_plain_text() -> None:
    value = event(provider="name:r/GB/<script>alert(1)</script> ../../etc/passwd")
    assert parse_event(encode_event(value)).provider == "name:r/GB/<script>alert(1)</script> ../../etc/passwd"


def chain(count: int, **stated: Any) -> list[event_v1.EventV1]:
    made: list[event_v1.EventV1] = []
    previous = NO_HASH
    for number in range(count):
        made.append(event(id=f"e-{number}", **stated).placed(number, previous))
        previous = digest(made[-1]).hex()
    return made


def test_a_stream_is_checked_from_any_point() -> None:
    stream = chain(5)
    assert check_stream(stream, next_seq=0, prev_hash=bytes(32)) == digest(stream[-1])
    assert check_stream(stream[3:], next_seq=3, prev_hash=digest(stream[2])) == digest(stream[-1])
    assert check_stream([], next_seq=7, prev_hash=b"\1" * 32) == b"\1" * 32


@given(st.integers(0, 4), st.integers(0, 4))
def test_a_stream_with_a_gap_or_swap_is_refused(first: int, second: int) -> None:
    stream = chain(5)
    dropped = stream[:first] + stream[first + 1 :]
    if first < 4:
        with pytest.raises(InvalidInputError, match="reporter_seq"):
            check_stream(dropped, next_seq=0, prev_hash=bytes(32))
    stream[first], stream[second] = stream[second], stream[first]
    if first != second:
        with pytest.raises(InvalidInputError, match="reporter_seq"):
            check_stream(stream, next_seq=0, prev_hash=bytes(32))


def test_a_stream_with_another_content_or_agreement_is_refused() -> None:
    stream = chain(3)
    changed = event(id="other").placed(1, stream[1].prev_hash)
    with pytest.raises(InvalidInputError, match="prev_hash"):
        check_stream([stream[0], changed, stream[2]], next_seq=0, prev_hash=bytes(32))
    strange = event(agreement="a" * 64).placed(1, digest(stream[0]).hex())
    with pytest.raises(InvalidInputError, match="one reporter and agreement"):
        check_stream([stream[0], strange], next_seq=0, prev_hash=bytes(32))


SALT = salt_text(b"\7" * 32)


def entry(**values: Any) -> leaf.LeafV1:
    fields = {
        "accepted_at_ms": 5,
        "block": 9,
        "block_hash": "b" * 64,
        "commitment": "c" * 64,
        "prev": NO_HASH,
        "seq": 0,
        "stream": leaf.stream_id(SALT, reporter=REPORTER, agreement=""),
        **values,
    }
    return leaf.LeafV1(**fields)


def test_leaf_bytes_are_the_format() -> None:
    value = entry()
    assert value.encode() == (
        b'{"accepted_at_ms":5,"block":9,"block_hash":"'
        + b"b" * 64
        + b'","commitment":"'
        + b"c" * 64
        + b'","prev":"'
        + b"0" * 64
        + b'","seq":0,"stream":"'
        + value.stream.encode()
        + b'","v":1}'
    )
    assert value.hash() == hashlib.sha256(b"\0" + value.encode()).digest()
    assert leaf.parse_leaf(value.encode()) == value


def test_stream_id_opens_to_reporter_and_agreement() -> None:
    opening = leaf.stream_opening(SALT, reporter=REPORTER, agreement="a" * 64)
    assert parse_group(opening).value == {"agreement": "a" * 64, "reporter": REPORTER}
    identifier = leaf.stream_id(SALT, reporter=REPORTER, agreement="a" * 64)
    assert identifier == hashlib.sha256(b"\0" + opening).hexdigest()
    assert identifier != leaf.stream_id(salt_text(b"\6" * 32), reporter=REPORTER, agreement="a" * 64)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: b" " + t,
        lambda t: t.replace(b'"v":1', b'"v":2'),
        lambda t: t.replace(b',"v":1', b""),
        lambda t: t.replace(b'"seq":0', b'"seq":-1'),
        lambda t: t.replace(b'"seq":0', b'"seq":0,"seq":0'),
        lambda t: t.replace(b"b" * 64, b"B" * 64),
        lambda t: t.replace(b"{", b'{"a":1,'),
        lambda t: t[:-1],
        lambda _: b"\xff",
    ],
)
def test_other_leaf_bytes_are_refused(change: Any) -> None:
    with pytest.raises(InvalidInputError, match="leaf"):
        leaf.parse_leaf(change(entry().encode()))


def test_successors_are_checked() -> None:
    first = entry()
    good = entry(seq=1, prev=first.hash().hex(), accepted_at_ms=6)
    leaf.check_successor(first, None)
    leaf.check_successor(good, first)
    bad = [
        (good, None),
        (entry(prev="a" * 64), None),
        (entry(seq=2, prev=first.hash().hex()), first),
        (entry(seq=1, prev="a" * 64), first),
        (entry(seq=1, prev=first.hash().hex(), stream="a" * 64), first),
        (entry(seq=1, prev=first.hash().hex(), block=8), first),
        (entry(seq=1, prev=first.hash().hex(), accepted_at_ms=4), first),
    ]
    for value, previous in bad:
        with pytest.raises(VerificationError):
            leaf.check_successor(value, previous)
